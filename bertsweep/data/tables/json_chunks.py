"""Reads JSON tables chunk by chunk: one object a line, or one array of objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bertsweep.data.tables.chunks import ABSENT, Chunk, ChunkStream, Gather
from bertsweep.data.tables.columns import Columns, as_text
from bertsweep.data.tables.compressed import PackedFile
from bertsweep.data.tables.encoding import TextFile
from bertsweep.data.tables.jsonl import json_objects, no_text
from bertsweep.data.tables.rows import Tick
from bertsweep.errors import DataError
from bertsweep.spec.data_models import Table


def stream_json(
    file: PackedFile,
    columns: Columns,
    table: Table,
    *,
    tick: Tick,
    gather: Gather,
) -> ChunkStream:
    """Opens a JSON table; its columns are the keys of each chunk's objects, in order.

    A text column must occur in the first chunk. Raises `DataError` with the line for anything but
    a JSON object and for a text that is a list or an object.
    """
    text = TextFile(file, table.encoding)
    count = text.read(_lines, newline="\n")

    def chunks() -> Iterator[Chunk]:
        first = True
        with text.once(newline="\n") as (lines, _):
            for part in gather(json_objects(lines, file.shown)):
                names = list(dict.fromkeys(name for _, row in part for name in row))
                if first:
                    columns.positions(names, file.shown)
                    first = False
                yield Chunk(
                    tuple(_texts(part, name, file.shown) for name in columns.wanted),
                    {name: [row.get(name, ABSENT) for _, row in part] for name in names},
                )
        if first:
            raise DataError(f"{file.shown} is empty. Give a file with one JSON object a row.")

    return ChunkStream(chunks(), None if file.partial else count, list(text.notes))


def _lines(text: Any, _: object) -> int | None:
    """Returns the number of lines that are not blank; None for an array."""
    count = 0
    for line in text:
        if not line.isspace():
            if count == 0 and line.lstrip().startswith("["):
                for _more in iter(lambda: text.read(1 << 20), ""):  # decodes it to its end
                    pass
                return None
            count += 1
    return count


def _texts(part: Sequence[Sequence[Any]], name: object, shown: str) -> list[str]:
    texts = []
    for line, row in part:
        value = row.get(name)
        try:
            texts.append(value if type(value) is str and value.isascii() else as_text(value))
        except TypeError as error:
            raise no_text(name, line, error, shown) from error
    return texts
