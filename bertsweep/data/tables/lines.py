"""Text files of one text a line: every line is a row, a blank one too."""

from __future__ import annotations

import io

from bertsweep.data.tables.columns import Columns
from bertsweep.data.tables.compressed import PackedFile, Unpacked
from bertsweep.data.tables.encoding import TextFile
from bertsweep.data.tables.rows import TICK_ROWS, TableRows, Tick
from bertsweep.errors import DataError
from bertsweep.spec.models import Table


def read_txt(file: PackedFile, columns: Columns, table: Table, *, tick: Tick) -> TableRows:
    """One row a line, whatever the text column is called; there are no labels in such a file.

    Raises `DataError` where a second text or a label is asked for, and for bytes that are no text.
    """
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
    text = TextFile(file, table.encoding)

    def read(lines: io.TextIOWrapper, opened: Unpacked) -> list[str]:
        texts = []
        # Not splitlines(): a text may hold U+2028 and its kind.
        for number, line in enumerate(lines, start=1):
            texts.append(line.removesuffix("\n").removesuffix("\r"))
            if number % TICK_ROWS == 0:
                tick(opened)
        return texts

    return TableRows(columns.frame([text.read(read, newline="\n")]), tuple(text.notes))
