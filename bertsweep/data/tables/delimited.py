"""csv and tsv tables, read as text and nothing else: NA, null and None are words."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bertsweep.data.tables.columns import Columns
from bertsweep.data.tables.compressed import PackedFile, Unpacked
from bertsweep.data.tables.encoding import not_utf8
from bertsweep.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

Tick = Callable[[Unpacked], None]
"""Called now and then while a table is read."""

TICK_ROWS = 20_000
_LONGEST_FIELD = 1 << 25
_END = "\x1eend of the table\x1e"


def read_csv(file: PackedFile, columns: Columns, *, tick: Tick) -> pd.DataFrame:
    """Comma-separated, quoted where needed, after RFC 4180; blank lines are skipped.

    Raises `DataError` with the line for a row with more fields than the header, a quote that is
    never closed, or bytes that are not UTF-8.
    """
    reading = _read(file, columns, ",", csv.QUOTE_MINIMAL, tick)
    if reading.fault is not None:
        raise DataError(reading.fault)
    return columns.frame(reading.values)


def read_tsv(file: PackedFile, columns: Columns, *, tick: Tick) -> pd.DataFrame:
    """Tab-separated: a quote is a character, unless every field that begins with one is quoted.

    Two dialects go by this name: most corpora quote nothing, spreadsheets quote as in csv. The
    first is tried; where it gives broken rows and the second gives none, the second is taken.
    Raises `DataError` as `read_csv` does.
    """
    plain = _read(file, columns, "\t", csv.QUOTE_NONE, tick)
    if plain.fault is None and not plain.short:
        return columns.frame([_unquoted(values) for values in plain.values])
    quoted = _read(file, columns, "\t", csv.QUOTE_MINIMAL, tick)
    if quoted.fault is None and not quoted.short:
        return columns.frame(quoted.values)
    if plain.fault is not None:
        raise DataError(plain.fault)
    return columns.frame(plain.values)


class _Rows(Protocol):
    """A csv reader."""

    @property
    def line_num(self) -> int: ...
    def __iter__(self) -> Iterator[list[str]]: ...
    def __next__(self) -> list[str]: ...


@dataclass
class _Reading:
    """The values read column by column, rows with too few fields, and what ended it too early."""

    values: list[list[str]]
    short: int = 0
    fault: str | None = None


def _read(file: PackedFile, columns: Columns, comma: str, quoting: int, tick: Tick) -> _Reading:
    csv.field_size_limit(_LONGEST_FIELD)
    with file.open() as opened:
        text = io.TextIOWrapper(opened.stream, encoding="utf-8-sig", newline="")
        # The end mark is a row of its own unless a quote is still open, which csv does not report.
        lines: Iterator[str] = itertools.chain(text, [_END])
        rows = csv.reader(lines, delimiter=comma, quoting=quoting)  # type: ignore[arg-type]
        try:
            return _collect(rows, opened, file.shown, columns, tick)
        except UnicodeDecodeError as error:
            raise not_utf8(file) from error
        except csv.Error as error:
            raise DataError(
                f"{file.shown}, line {rows.line_num:,}: {error}. A quote may be open in a row "
                "before it; write a quote inside a quoted text twice."
            ) from error
        finally:
            text.detach()


def _collect(rows: _Rows, opened: Unpacked, shown: str, columns: Columns, tick: Tick) -> _Reading:
    header = next(row for row in rows if row)
    if header == [_END]:
        raise DataError(f"{shown} is empty. Give a file with a header and rows.")
    if header[-1].endswith(_END):
        return _Reading([], fault=_open_quote(shown, 1))
    wanted = columns.positions(header, shown)
    reading = _Reading([[] for _ in wanted])
    takers = [
        (values.append, position) for values, position in zip(reading.values, wanted, strict=True)
    ]
    width = len(header)
    line = rows.line_num + 1
    for count, row in enumerate(rows, start=1):
        if len(row) != width or row[-1].endswith(_END):
            if not row or row == [_END]:
                continue
            reading.fault = _fault(row, width, shown, line)
            if reading.fault is not None:
                break
            reading.short += 1
            row = row + [""] * (width - len(row))
        for take, position in takers:
            take(row[position])
        line = rows.line_num + 1
        if count % TICK_ROWS == 0:
            tick(opened)
    return reading


def _fault(row: list[str], width: int, shown: str, line: int) -> str | None:
    if row[-1].endswith(_END):
        return _open_quote(shown, line)
    if len(row) > width:
        return (
            f"{shown}, line {line:,}: a row must not have more fields than the header ({width}), "
            f"but this one has {len(row)}. Quote texts that hold the separator."
        )
    return None


def _open_quote(shown: str, line: int) -> str:
    return (
        f"{shown}: a quote is opened in the row that begins at line {line:,} and never closed. "
        "Close it, or write a quote inside a quoted text twice."
    )


def _unquoted(values: list[str]) -> list[str]:
    """The values without their quotes if every one that begins with a quote is a quoted field."""
    quoted = [value for value in values if value.startswith('"')]
    if not quoted or not all(map(_is_quoted, quoted)):
        return values
    return [value[1:-1].replace('""', '"') if value.startswith('"') else value for value in values]


def _is_quoted(value: str) -> bool:
    inside = value[1:-1]
    return len(value) > 1 and value.endswith('"') and '"' not in inside.replace('""', "")
