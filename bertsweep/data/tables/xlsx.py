"""Reads a sheet of an Excel workbook: values as text, formulas by their stored results."""

from __future__ import annotations

import datetime
import difflib
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

from bertsweep.data.tables.arrow_columns import seekable
from bertsweep.data.tables.columns import Columns, as_text
from bertsweep.data.tables.compressed import PackedFile, Unpacked
from bertsweep.data.tables.rows import TICK_ROWS, TableRows, Tick
from bertsweep.errors import BertsweepError, DataError, MissingPackageError
from bertsweep.spec.models import Table

Row = Sequence[Any]


def read_xlsx(file: PackedFile, columns: Columns, table: Table, *, tick: Tick) -> TableRows:
    """Returns the rows of the only visible sheet, or of the one that `data.member` names.

    Numbers are formatted as by Python, dates by ISO 8601; trailing empty rows are dropped. Raises
    `DataError` for a damaged workbook or an ambiguous sheet, and `MissingPackageError` if openpyxl
    is not installed.
    """
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
            rows = sheet.iter_rows(values_only=True)
            return TableRows(columns.frame(_collect(rows, opened, file, columns, table, tick)))
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


def _collect(
    rows: Iterator[Row],
    opened: Unpacked,
    file: PackedFile,
    columns: Columns,
    table: Table,
    tick: Tick,
) -> list[list[str]]:
    values: list[list[str]] = [[] for _ in columns.wanted]
    positions: list[int] | None = None
    last = 0
    for number, row in enumerate(rows, start=1):
        if positions is None:
            if all(cell is None for cell in row):
                continue
            first = [_text(cell) for cell in row]
            while table.header and first and not first[-1]:
                first.pop()
            named = first if table.header else list(table.columns or map(str, first))
            positions = columns.positions(named, file.shown, header=table.header)
            if table.header:
                continue
        for each, position in zip(values, positions, strict=True):
            each.append(_text(row[position]) if position < len(row) else "")
        if any(cell is not None for cell in row):
            last = len(values[0])
        if number % TICK_ROWS == 0:
            tick(opened)
    if positions is None:
        raise DataError(f"{file.shown} is empty. Give a sheet with a header and rows.")
    return [each[:last] for each in values]


def _text(cell: Any) -> str:
    from openpyxl.utils.escape import unescape

    if isinstance(cell, str):
        return as_text(unescape(cell))  # Excel stores a carriage return as _x000D_
    if isinstance(cell, (datetime.date, datetime.time)):
        return cell.isoformat()
    return str(cell) if isinstance(cell, datetime.timedelta) else as_text(cell)
