"""Reads JSON tables: one object per line, or one array of objects (first character `[`)."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any, Protocol

from bertsweep.data.tables.columns import Columns, as_text
from bertsweep.data.tables.compressed import PackedFile, Unpacked
from bertsweep.data.tables.encoding import TextFile
from bertsweep.data.tables.json_array import array_items
from bertsweep.data.tables.rows import TICK_ROWS, TableRows, Tick
from bertsweep.errors import DataError
from bertsweep.spec.data_models import Table

_BLANK = " \t\r\n"


def read_json(file: PackedFile, columns: Columns, table: Table, *, tick: Tick) -> TableRows:
    """Returns one row per object; skips blank lines; a missing key or null is "".

    Raises `DataError` with the line for anything but a JSON object with plain values.
    """
    text = TextFile(file, table.encoding)

    def read(lines: io.TextIOWrapper, opened: Unpacked) -> list[list[str]]:
        return _collect(json_objects(lines, file.shown), opened, file.shown, columns, tick)

    return TableRows(columns.frame(text.read(read, newline="\n")), tuple(text.notes))


def _collect(
    objects: Iterator[tuple[int, dict[str, Any]]],
    opened: Unpacked,
    shown: str,
    columns: Columns,
    tick: Tick,
) -> list[list[str]]:
    values: list[list[str]] = [[] for _ in columns.wanted]
    takers = [(each.append, name) for each, name in zip(values, columns.wanted, strict=True)]
    there: dict[str, None] = {}
    for count, (line, row) in enumerate(objects, start=1):
        there.update(dict.fromkeys(row))
        for take, name in takers:
            value = row.get(name)  # type: ignore[arg-type]
            try:
                take(value if type(value) is str and value.isascii() else as_text(value))
            except TypeError as error:
                raise no_text(name, line, error, shown) from error
        if count % TICK_ROWS == 0:
            tick(opened)
    if not there:
        raise DataError(f"{shown} is empty. Give a file with one JSON object a row.")
    columns.positions(list(there), shown)
    return values


class Text(Protocol):
    """A text that is read by lines or piece by piece."""

    def __iter__(self) -> Iterator[str]: ...
    def read(self, size: int, /) -> str: ...


def json_objects(text: Text, shown: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields the objects of a file, each with the line in which it begins."""
    blank = 0
    for line in text:
        if line.strip(_BLANK):
            break
        blank += 1
    else:
        return
    if line.lstrip(_BLANK).startswith("["):
        yield from array_items(line, text, blank + 1, shown)
        return
    yield blank + 1, _object(line, blank + 1, shown)
    for number, line in enumerate(text, start=blank + 2):
        if not line.isspace():
            yield number, _object(line, number, shown)


def no_text(name: object, line: int, error: TypeError, shown: str) -> DataError:
    """Returns the error for a value that `as_text` refused."""
    return DataError(
        f"{shown}, line {line:,}: {name!r} must be a text, number or boolean, but got a {error}. "
        "Write one value a row."
    )


def _object(line: str, number: int, shown: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        row = error
    if isinstance(row, dict):
        return row
    got = f"not JSON ({row})" if isinstance(row, Exception) else f"a {type(row).__name__}"
    raise DataError(
        f"{shown}, line {number:,}: each line must be one JSON object, but this one is {got}. "
        "Write one object a line, or all in one array."
    )
