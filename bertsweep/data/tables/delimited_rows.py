"""The rows of a csv or tsv table, read in one dialect; faults that end or mark the reading."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from bertsweep.data.tables.dialect import Dialect
from bertsweep.data.tables.quotes import escaping_only_marks, unquoted
from bertsweep.errors import DataError
from bertsweep.spec.data_models import Table

_LONGEST_FIELD = 1 << 25
_END = "\x1eend of the table\x1e"


class _Rows(Protocol):
    """A csv reader."""

    @property
    def line_num(self) -> int: ...
    def __iter__(self) -> Iterator[list[str]]: ...
    def __next__(self) -> list[str]: ...


@dataclass
class Attempt:
    """One pass over a table; what it finds stands in its fields while it goes on.

    `count` rows were read, of which `short` have fewer fields than the first row, the first of them
    at line `short_line`. `fault` is the error that ended the pass. `malformed` is the line of a
    quote that RFC 4180 does not allow, at which a `strict` pass ends; of one that is never closed,
    `unclosed` is the line of its row. With `partial` the text is
    the beginning of a table, whose last row may be cut off.
    """

    shown: str
    table: Table
    dialect: Dialect
    escape: str | None = None
    strict: bool = True
    partial: bool = False
    count: int = 0
    short: int = 0
    short_line: int = 0
    fault: str | None = None
    malformed: int | None = None
    unclosed: int | None = None
    _line: int = 1

    @property
    def clean(self) -> bool:
        return self.fault is None and self.malformed is None

    def again(self) -> Attempt:
        """Returns the same pass over the whole table, not begun."""
        return Attempt(self.shown, self.table, self.dialect, self.escape, self.strict)

    def rows(self, text: Iterable[str]) -> Iterator[list[str]]:
        """Yields the names of the columns, then every row, filled up to as many fields.

        Skips blank lines. Nothing follows a fault, not even the names. Raises `DataError` for a
        table without a row, and for a quote that no pass can read.
        """
        csv.field_size_limit(_LONGEST_FIELD)
        rows = self._reader(text)
        try:
            yield from self._checked(rows)
        except csv.Error as error:
            if self.partial and "unexpected end" in str(error):
                return
            if not self.strict:
                raise DataError(
                    f"{self.shown}, line {rows.line_num:,}: {error}. A quote may be open in a row "
                    "before it; write a quote inside a quoted text twice."
                ) from error
            self.malformed = rows.line_num
            self.unclosed = self._line if "unexpected end" in str(error) else None

    def _reader(self, text: Iterable[str]) -> _Rows:
        dialect, escape = self.dialect, self.escape
        if escape is not None:
            marks = (escape, dialect.quote or "", dialect.separator)
            text = escaping_only_marks(text, escape, marks)
        # The end mark becomes a separate row unless a quote is open, which csv does not report.
        return csv.reader(
            itertools.chain(text, [_END]),
            delimiter=dialect.separator,
            quotechar=dialect.quote,
            quoting=csv.QUOTE_NONE if dialect.quote is None else csv.QUOTE_MINIMAL,
            escapechar=escape,
            strict=self.strict,
        )

    def _checked(self, rows: _Rows) -> Iterator[list[str]]:
        table = self.table
        first = next(row for row in rows if row)
        if first == [_END]:
            remedy = "a header and rows" if table.header else "rows"
            raise DataError(f"{self.shown} is empty. Give a file with {remedy}.")
        if first[-1].endswith(_END):
            self.fault = self._open_quote(1)
            return
        header = first if table.header else list(table.columns or map(str, first))
        if self.dialect.quote is None and table.quote == "auto":
            (header,), _ = unquoted([header], escapes=False)
        width = len(header)
        if len(first) != width:
            self.fault = (
                f"data.table.columns names {width} columns, but the first row of {self.shown} has "
                f"{len(first)} fields. Name every column."
            )
            return
        yield header
        self._line = rows.line_num + 1 if table.header else 1
        for row in rows if table.header else itertools.chain([first], rows):
            if len(row) != width or row[-1].endswith(_END):
                if not row or row == [_END]:
                    self._line = rows.line_num + 1
                    continue
                if row[-1].endswith(_END) or len(row) > width:
                    self.fault = self._fault(row, width)
                    return
                self.short += 1
                self.short_line = self.short_line or self._line
                row += [""] * (width - len(row))
            self.count += 1
            yield row
            self._line = rows.line_num + 1

    def _fault(self, row: list[str], width: int) -> str | None:
        if row[-1].endswith(_END):
            return self._open_quote(self._line)
        first = "the header" if self.table.header else "the first row"
        return (
            f"{self.shown}, line {self._line:,}: a row must not have more fields than {first} "
            f"({width}), but this one has {len(row)}. Quote texts that hold the separator."
        )

    def _open_quote(self, line: int) -> str | None:
        return None if self.partial else open_quote(self.shown, line)


def open_quote(shown: str, line: int) -> str:
    """Returns the message on a quote that is not closed in the row that begins at `line`."""
    return (
        f"{shown}: a quote is opened in the row that begins at line {line:,} and never "
        "closed. Close it, or write a quote inside a quoted text twice."
    )
