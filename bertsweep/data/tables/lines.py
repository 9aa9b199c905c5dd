"""Reads text files with one text per line; a blank line is an empty text."""

from __future__ import annotations

import io

from bertsweep.data.tables.columns import Columns
from bertsweep.data.tables.compressed import PackedFile, Unpacked
from bertsweep.data.tables.encoding import TextFile
from bertsweep.data.tables.rows import TICK_ROWS, TableRows, Tick
from bertsweep.errors import DataError
from bertsweep.spec.data_models import Table


def read_txt(file: PackedFile, columns: Columns, table: Table, *, tick: Tick) -> TableRows:
    """Returns one row per line, whatever the name of the text column.

    Raises `DataError` if labels or a second text are requested, which such a file does not have,
    and for bytes that cannot be decoded.
    """
    check_single(file, columns)
    text = TextFile(file, table.encoding)

    def read(lines: io.TextIOWrapper, opened: Unpacked) -> list[str]:
        texts = []
        # Not splitlines(), which also splits at U+2028 and similar characters.
        for number, line in enumerate(lines, start=1):
            texts.append(without_end(line))
            if number % TICK_ROWS == 0:
                tick(opened)
        return texts

    return TableRows(columns.frame([text.read(read, newline="\n")]), tuple(text.notes))


def without_end(line: str) -> str:
    """Returns a line without the line feed, or carriage return and line feed, that ends it."""
    return line.removesuffix("\n").removesuffix("\r")


def check_single(file: PackedFile, columns: Columns) -> None:
    """Raises `DataError` if more than one text a row is requested."""
    if columns.label is not None:
        raise DataError(
            f"{file.shown} is read as one text a line and holds no labels. Set data.labels to a "
            "file of one label a line, or data.format to csv or tsv if it is a table."
        )
    if len(columns.text) != 1:
        raise DataError(
            f"{file.shown} is read as one text a line, but {columns.text_key} names the columns "
            f"{' and '.join(map(repr, columns.text))}. Give a table with these columns, or set "
            "data.format to csv or tsv if it is one."
        )
