"""Reads a sheet of an Excel workbook: values as text, formulas by their stored results."""

from __future__ import annotations

import datetime
import difflib
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bertsweep.data.tables.arrow_columns import seekable
from bertsweep.data.tables.columns import Columns, as_text
from bertsweep.data.tables.compressed import PackedFile, Unpacked
from bertsweep.data.tables.rows import TICK_ROWS, TableRows, Tick
from bertsweep.errors import BertsweepError, DataError, MissingPackageError
from bertsweep.spec.data_models import Table

Row = Sequence[Any]


def read_xlsx(file: PackedFile, columns: Columns, table: Table, *, tick: Tick) -> TableRows:
    """Returns the rows of the only visible sheet, or of the one that `data.member` names.

    Numbers are formatted as by Python, dates by ISO 8601; trailing empty rows are dropped. Raises
    `DataError` for a damaged workbook or an ambiguous sheet, and `MissingPackageError` if openpyxl
    is not installed.
    """
    values: list[list[str]] = [[] for _ in columns.wanted]
    with opened_sheet(file) as (cells, opened):
        rows = sheet_rows(cells, file, table)
        positions = columns.positions(list(next(rows)), file.shown, header=table.header)
        for number, row in enumerate(rows, start=1):
            for each, position in zip(values, positions, strict=True):
                each.append(cell_text(row[position]) if position < len(row) else "")
            if number % TICK_ROWS == 0:
                tick(opened)
    return TableRows(columns.frame(values))


@contextmanager
def opened_sheet(file: PackedFile) -> Iterator[tuple[Iterator[Row], Unpacked]]:
    """Opens the cells of a sheet, row by row; raises what `read_xlsx` does."""
    try:
        import openpyxl
    except ImportError as error:
        raise MissingPackageError(
            f"{file.shown} is an Excel workbook, which needs the package openpyxl. Type "
            "`pip install openpyxl`, or save the sheet as csv."
        ) from error
    with (
        file.open() as opened,
        tempfile.TemporaryFile() as spool,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # openpyxl warns about styles and validations
        try:
            source = seekable(opened, spool)
            with zipfile.ZipFile(source) as parts:
                file.check_size(sum(part.file_size for part in parts.infolist()), opened.name)
            book = openpyxl.load_workbook(source, read_only=True, data_only=True)
            sheet = _sheet(book, file, opened)
            sheet.reset_dimensions()  # the stored dimensions are often wrong
            yield sheet.iter_rows(values_only=True), opened
        except BertsweepError:
            raise
        except Exception as error:  # openpyxl raises various errors for damaged parts
            raise DataError(
                f"{file.shown} is not a readable workbook ({type(error).__name__}: {error}). Save "
                "it again as .xlsx, or as csv."
            ) from error


def _sheet(book: Any, file: PackedFile, opened: Unpacked) -> Any:
    """Returns the only visible sheet, or the one that `data.member` names."""
    names = [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
    member = None if opened.member is not None else file.member
    if member is not None:
        if member in names:
            return book[member]
        near = difflib.get_close_matches(member, names, n=1, cutoff=0.0)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise DataError(
            f"data.member is {member!r}, but {file.shown} has the sheets {names}.{hint}"
        )
    if len(names) == 1:
        return book[names[0]]
    remedy = (
        f"Set data.member to one of them, such as data.member: {names[0]}"
        if names and opened.member is None
        else "Save the sheet that is meant as a workbook or csv of its own."
    )
    raise DataError(f"{file.shown} has {len(names)} sheets: {names}. {remedy}")


def sheet_rows(cells: Iterator[Row], file: PackedFile, table: Table) -> Iterator[Row]:
    """Yields the names of the columns, then every row; empty rows at the end are left out.

    Rows may be shorter than the names. Raises `DataError` for a sheet without a row.
    """
    empty: list[Row] = []
    named = False
    for row in cells:
        blank = all(cell is None for cell in row)
        if not named:
            if blank:
                continue
            named = True
            yield _names(row, table)
            if table.header:
                continue
        if blank:
            empty.append(row)
            continue
        yield from empty
        empty.clear()
        yield row
    if not named:
        raise DataError(f"{file.shown} is empty. Give a sheet with a header and rows.")


def _names(row: Row, table: Table) -> list[str]:
    first = [cell_text(cell) for cell in row]
    while table.header and first and not first[-1]:
        first.pop()
    return first if table.header else list(table.columns or map(str, first))


def cell_text(cell: Any) -> str:
    """Returns a cell as text: "" for an empty one, ISO 8601 for a date."""
    from openpyxl.utils.escape import unescape

    if isinstance(cell, str):
        return as_text(unescape(cell))  # Excel stores a carriage return as _x000D_
    if isinstance(cell, (datetime.date, datetime.time)):
        return cell.isoformat()
    return str(cell) if isinstance(cell, datetime.timedelta) else as_text(cell)
