"""Reads Arrow tables in the stream and the file format, as written by datasets and Feather."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO, Any

from bertsweep.data.tables.arrow_columns import class_names, seekable, texts_of
from bertsweep.data.tables.columns import Columns
from bertsweep.data.tables.compressed import PackedFile, Unpacked
from bertsweep.data.tables.rows import TableRows, Tick
from bertsweep.errors import DataError
from bertsweep.spec.data_models import Table

_FILE = b"ARROW1"


def read_arrow(file: PackedFile, columns: Columns, table: Table, *, tick: Tick) -> TableRows:
    """Returns strings, numbers and booleans as text; null and NaN become "".

    The first bytes distinguish the formats (Arrow columnar format, "IPC File Format"). Raises
    `DataError` for a damaged file, a column of another type, and bytes that are not UTF-8.
    """
    import pyarrow as pa

    values: list[list[str]] = [[] for _ in columns.wanted]
    with file.open() as opened, tempfile.TemporaryFile() as spool:
        try:
            batches = arrow_batches(opened, spool)
            schema = next(batches)
            positions = columns.positions(list(schema.names), file.shown)
            for batch in batches:
                for each, position in zip(values, positions, strict=True):
                    column = batch.column(position)
                    each.extend(texts_of(column, schema.names[position], file.shown))
                tick(opened)
        except (pa.ArrowException, OSError, UnicodeDecodeError, MemoryError) as error:
            raise DataError(
                f"{file.shown} is not a readable arrow file: {error}. Write or download it again."
            ) from error
    return TableRows(columns.frame(values), class_names=class_names(schema, columns))


def arrow_batches(opened: Unpacked, spool: IO[bytes]) -> Iterator[Any]:
    """Yields the schema and then every batch of rows; `spool` is a temporary file."""
    import pyarrow.ipc as ipc

    if not opened.stream.peek(len(_FILE)).startswith(_FILE):
        stream = ipc.open_stream(opened.stream)
        yield stream.schema
        yield from stream
        return
    file = ipc.open_file(seekable(opened, spool))
    yield file.schema
    yield from (file.get_batch(index) for index in range(file.num_record_batches))
