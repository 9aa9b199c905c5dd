"""Reads the table in a file on disk, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bertsweep.data.tables.arrow import read_arrow
from bertsweep.data.tables.columns import Columns
from bertsweep.data.tables.compressed import PackedFile
from bertsweep.data.tables.delimited import read_csv, read_tsv
from bertsweep.data.tables.formats import decide_format
from bertsweep.data.tables.jsonl import read_json
from bertsweep.data.tables.lines import read_txt
from bertsweep.data.tables.parquet import read_parquet
from bertsweep.data.tables.rows import TableRows, Tick
from bertsweep.data.tables.xlsx import read_xlsx
from bertsweep.errors import DataError
from bertsweep.spec.data_models import Table

READERS: Mapping[str, Callable[..., TableRows]] = {
    "csv": read_csv,
    "tsv": read_tsv,
    "txt": read_txt,
    "jsonl": read_json,
    "json": read_json,
    "parquet": read_parquet,
    "arrow": read_arrow,
    "xlsx": read_xlsx,
}
"""Format → reader(file, columns, table, tick=...), for every value of `data.format` but auto."""


def table_format(file: PackedFile, *, usual: str | None = None) -> str:
    """Returns the stated format of a file, the one that its name implies, or else `usual`.

    Raises `DataError` if there is none, and `OSError` if the file cannot be opened.
    """
    with file.open() as opened:
        if opened.workbook and file.format in ("auto", "xlsx"):
            return "xlsx"
        if opened.workbook:
            raise DataError(
                f"{file.shown} is an Excel workbook, but data.format is {file.format}. "
                "Leave data.format out."
            )
        return decide_format(opened.name, file.format, file.shown, usual=usual)


def read_table(
    file: PackedFile, columns: Columns, table: Table, kind: str, *, tick: Tick
) -> TableRows:
    """Returns the columns of a file of format `kind` as text, one row for each of its rows.

    `tick` is called at intervals. Raises `DataError` with file, line and remedy, and `OSError`.
    """
    return READERS[kind](file, columns, table, tick=tick)
