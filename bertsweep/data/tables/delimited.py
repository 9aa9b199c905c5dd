"""Reads csv and tsv tables as text without interpreting values: NA, null and None are words.

Fields are quoted as in RFC 4180 (a quote inside a quoted field is doubled); tab-separated fields
usually are not quoted at all. If `data.table.escape` is auto, backslash escapes are recognised: the
table is read a second time with them if it violates RFC 4180 or a value contains a backslash before
a quote, and that reading is used, with a note, if it violates nothing. An escape character makes
the quote, separator or escape character after it literal; before any other character it is literal
itself.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

from bertsweep.data.clean import counted
from bertsweep.data.dataset import Note
from bertsweep.data.tables.columns import Columns
from bertsweep.data.tables.compressed import PackedFile, Unpacked
from bertsweep.data.tables.dialect import Dialect, recognise
from bertsweep.data.tables.encoding import TextFile
from bertsweep.data.tables.quotes import escaping_only_marks, unquoted
from bertsweep.data.tables.rows import TICK_ROWS, TableRows, Tick
from bertsweep.errors import DataError
from bertsweep.spec.models import Table

_LONGEST_FIELD = 1 << 25
_END = "\x1eend of the table\x1e"


def read_csv(file: PackedFile, columns: Columns, table: Table, *, tick: Tick) -> TableRows:
    """Returns the rows of a table whose default separator is the comma; skips blank lines.

    Fields missing at the end of a row are "", with a note. Raises `DataError` with the line for a
    row with more fields than the header, an unclosed quote, or bytes that cannot be decoded.
    """
    return _read_delimited(file, columns, table, usual=",", tick=tick)


def read_tsv(file: PackedFile, columns: Columns, table: Table, *, tick: Tick) -> TableRows:
    """Returns the rows of a table whose default separator is the tab, like `read_csv`."""
    return _read_delimited(file, columns, table, usual="\t", tick=tick)


def _read_delimited(
    file: PackedFile, columns: Columns, table: Table, *, usual: str, tick: Tick
) -> TableRows:
    text = TextFile(file, table.encoding)
    numbers = [column for column in columns.wanted if isinstance(column, int)]
    dialect = recognise(text, table, usual, least=max([len(table.columns), *numbers]))
    reader = _Reader(text, columns, table, dialect, tick)
    undecided = dialect.separator == "\t" and table.quote == "auto"
    reading = reader.between_tabs() if undecided else reader.quoted()
    return TableRows(
        columns.frame(reading.values),
        (*text.notes, *dialect.notes, *_notes(reading, file.shown)),
    )


class _Rows(Protocol):
    """A csv reader."""

    @property
    def line_num(self) -> int: ...
    def __iter__(self) -> Iterator[list[str]]: ...
    def __next__(self) -> list[str]: ...


@dataclass
class _Reading:
    """The values of one attempt in column order; `fault` is the error that ended it.

    `short` rows have fewer fields than the first row, the first of them at line `short_line`.
    `malformed` is the line of a quote that RFC 4180 does not allow. `escaped` is True if quotes
    were escaped by a backslash.
    """

    values: list[list[str]] = field(default_factory=list)
    short: int = 0
    short_line: int = 0
    fault: str | None = None
    malformed: int | None = None
    escaped: bool = False

    @property
    def clean(self) -> bool:
        return self.fault is None and self.malformed is None


@dataclass(frozen=True)
class _Reader:
    """Reads one table, trying several dialects until one fits."""

    text: TextFile
    columns: Columns
    table: Table
    dialect: Dialect
    tick: Tick

    def quoted(self) -> _Reading:
        """Returns the rows read by RFC 4180, else with escapes, else leniently with a note."""
        escape = None if self.table.escape in ("auto", "none") else self.table.escape
        strictly = self._read(escape=escape)
        open_to_doubt = self.table.escape == "auto" and self.dialect.quote is not None
        if open_to_doubt and not (strictly.clean and not self._holds_escapes(strictly)):
            escaped = self._read(escape="\\")
            if escaped.clean:
                return replace(escaped, escaped=True)
        if strictly.clean:
            return strictly
        if strictly.fault is not None:
            raise DataError(strictly.fault)
        leniently = self._read(escape=escape, strict=False)
        if leniently.fault is not None:
            raise DataError(leniently.fault)
        return replace(leniently, malformed=strictly.malformed)

    def _holds_escapes(self, reading: _Reading) -> bool:
        """Whether a value contains a backslash before a quote, as unquoted fields may."""
        mark = f"\\{self.dialect.quote}"
        return any(mark in value for values in reading.values for value in values)

    def between_tabs(self) -> _Reading:
        """Returns the rows in whichever of the two tsv dialects fits.

        Corpora usually quote nothing, spreadsheets quote as in csv. The first is tried; if every
        field of a column that begins with a quote is quoted entirely, these quotes are removed. If
        it produces malformed rows and the second dialect none, the second is used.
        """
        escape = None if self.table.escape in ("auto", "none") else self.table.escape
        plain = replace(self, dialect=replace(self.dialect, quote=None))._read(escape=escape)
        if plain.fault is None and not plain.short:
            values, escaped = unquoted(plain.values, escapes=self.table.escape == "auto")
            return replace(plain, values=values, escaped=escaped)
        quoted = self._read(escape=escape)
        if quoted.clean and not quoted.short:
            return quoted
        if plain.fault is not None:
            raise DataError(plain.fault)
        return plain

    def _read(self, *, escape: str | None, strict: bool = True) -> _Reading:
        csv.field_size_limit(_LONGEST_FIELD)

        def read(text: io.TextIOWrapper, opened: Unpacked) -> _Reading:
            lines: Iterable[str] = text
            if escape is not None:
                marks = (escape, self.dialect.quote or "", self.dialect.separator)
                lines = escaping_only_marks(text, escape, marks)
            # The end mark becomes a separate row unless a quote is open, which csv does not report.
            rows: _Rows = csv.reader(
                itertools.chain(lines, [_END]),
                delimiter=self.dialect.separator,
                quotechar=self.dialect.quote,
                quoting=csv.QUOTE_NONE if self.dialect.quote is None else csv.QUOTE_MINIMAL,
                escapechar=escape,
                strict=strict,
            )
            try:
                return self._collect(rows, opened)
            except csv.Error as error:
                if strict:
                    return _Reading(malformed=rows.line_num)
                raise DataError(
                    f"{self.text.file.shown}, line {rows.line_num:,}: {error}. A quote may be open "
                    "in a row before it; write a quote inside a quoted text twice."
                ) from error

        return self.text.read(read)

    def _collect(self, rows: _Rows, opened: Unpacked) -> _Reading:
        shown = self.text.file.shown
        first = next(row for row in rows if row)
        if first == [_END]:
            remedy = "a header and rows" if self.table.header else "rows"
            raise DataError(f"{shown} is empty. Give a file with {remedy}.")
        if first[-1].endswith(_END):
            return _Reading(fault=_open_quote(shown, 1))
        header = first if self.table.header else list(self.table.columns or map(str, first))
        if self.dialect.quote is None and self.table.quote == "auto":
            (header,), _ = unquoted([header], escapes=False)
        width = len(header)
        if len(first) != width:
            return _Reading(
                fault=f"data.table.columns names {width} columns, but the first row of {shown} has "
                f"{len(first)} fields. Name every column."
            )
        wanted = self.columns.positions(header, shown, header=self.table.header)
        reading = _Reading([[] for _ in wanted])
        takers = [
            (values.append, position)
            for values, position in zip(reading.values, wanted, strict=True)
        ]
        line = rows.line_num + 1 if self.table.header else 1
        body: Iterable[list[str]] = rows if self.table.header else itertools.chain([first], rows)
        for count, row in enumerate(body, start=1):
            if len(row) != width or row[-1].endswith(_END):
                if not row or row == [_END]:
                    line = rows.line_num + 1
                    continue
                reading.fault = self._fault(row, width, line)
                if reading.fault is not None:
                    break
                reading.short += 1
                reading.short_line = reading.short_line or line
                row = row + [""] * (width - len(row))
            for take, position in takers:
                take(row[position])
            line = rows.line_num + 1
            if count % TICK_ROWS == 0:
                self.tick(opened)
        return reading

    def _fault(self, row: list[str], width: int, line: int) -> str | None:
        shown = self.text.file.shown
        if row[-1].endswith(_END):
            return _open_quote(shown, line)
        if len(row) > width:
            first = "the header" if self.table.header else "the first row"
            return (
                f"{shown}, line {line:,}: a row must not have more fields than {first} ({width}), "
                f"but this one has {len(row)}. Quote texts that hold the separator."
            )
        return None


def _open_quote(shown: str, line: int) -> str:
    return (
        f"{shown}: a quote is opened in the row that begins at line {line:,} and never closed. "
        "Close it, or write a quote inside a quoted text twice."
    )


def _notes(reading: _Reading, shown: str) -> Iterator[Note]:
    if reading.escaped:
        yield Note(
            "escape",
            1,
            f"{shown}: a quote inside a quoted text has a backslash before it, as its rows show; "
            "if that is wrong, set data.table.escape.",
        )
    if reading.malformed is not None:
        yield Note(
            "stray_quotes",
            1,
            f"{shown}, line {reading.malformed:,}: a quote stands where none may stand, so that "
            "quotes may be missing in the texts there. Write a quote inside a quoted text twice, "
            "or set data.table.quote: none where nothing is quoted.",
        )
    if reading.short:
        yield Note(
            "short_rows",
            reading.short,
            f"{shown}: {counted(reading.short, 'row')} with fewer fields than the first row, such "
            f"as the one at line {reading.short_line:,}: what is missing there is empty.",
        )
