"""Recognises the characters that separate and quote the fields of a csv or tsv table.

What `data.table` leaves at auto is decided by the first rows (256 KiB of text):

- separator: the default one (comma; for tsv the tab) if it splits the header into two or more
  fields. Otherwise the one of comma, tab, semicolon and bar that splits the header into two or more
  fields and no row into more than the header. Without a header, a separator must split every row
  into the same number of fields, two or more. If no other or more than one other qualifies, it is
  the default one.
- quote: ", unless the rows fit only with ', or quoted fields contain a doubled ' within words
  ('It''s so'). Tab-separated fields are quoted with " or not at all, which `delimited` decides.

A note reports every choice that is not the default.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bertsweep.data.dataset import Note
from bertsweep.data.tables.encoding import TextFile
from bertsweep.spec.data_models import Table

_SAMPLE = 1 << 18
_SEPARATORS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
_QUOTES = ('"', "'")

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Dialect:
    """The characters of a delimited table; `quote` is None if nothing is quoted."""

    separator: str
    quote: str | None
    notes: tuple[Note, ...] = ()

    def unquoted(self) -> Dialect:
        """Returns the same dialect with nothing quoted."""
        return replace(self, quote=None)


def recognise(text: TextFile, table: Table, usual: str, *, least: int) -> Dialect:
    """Returns the dialect that `table` states, completed from the first rows.

    `usual` is the default separator of the format, `least` the number of columns that a table
    without a header must have. Raises `DataError` for text that cannot be decoded.
    """
    stated = "\t" if table.separator == "tab" else table.separator
    if stated != "auto" and table.quote != "auto":
        return Dialect(stated, None if table.quote == "none" else table.quote)
    sample = text.read(lambda lines, _: lines.read(_SAMPLE))
    fitting = _Fitting(sample, table, least)
    separator = stated if stated != "auto" else fitting.separator(usual)
    notes = []
    if separator not in (usual, stated):
        called = f"by {_SEPARATORS[separator]}"
        notes.append(_note(text, "separator", f"separated {called}"))
    if table.quote != "auto":
        return Dialect(separator, None if table.quote == "none" else table.quote, tuple(notes))
    quote = fitting.quote(separator)
    if quote != '"':
        notes.append(_note(text, "quote", f"quoted with {quote}"))
    return Dialect(separator, quote, tuple(notes))


def _note(text: TextFile, key: str, said: str) -> Note:
    return Note(
        key,
        1,
        f"{text.file.shown}: fields are {said}, judging by the first rows. If that is wrong, set "
        f"data.table.{key}.",
    )


class _Fitting:
    """Tests which characters fit the first rows of a table."""

    def __init__(self, sample: str, table: Table, least: int) -> None:
        self._sample = sample
        self._table = table
        self._least = least

    def separator(self, usual: str) -> str:
        if self._reads(usual):
            return usual
        others = [mark for mark in _SEPARATORS if mark != usual and self._reads(mark, strict=True)]
        return others[0] if len(others) == 1 else usual

    def quote(self, separator: str) -> str:
        if separator == "\t" or not self._encloses("'", separator):
            return '"'
        plain = self._some_fit(separator, '"')
        opened = rf"(?:^|{re.escape(separator)})'(?:[^'\n]|'')*?\w''\w"
        doubled = re.search(opened, self._sample, re.MULTILINE) is not None
        return "'" if self._some_fit(separator, "'") and (doubled or not plain) else '"'

    def _reads(self, separator: str, *, strict: bool = False) -> bool:
        """Whether the header has two or more fields and, with `strict`, all rows fit."""
        quotes: Sequence[str | None] = _QUOTES
        if separator == "\t":
            quotes = (None, '"')
        elif self._table.quote != "auto":
            quotes = (None if self._table.quote == "none" else self._table.quote,)
        if self._table.header and not strict:
            return any(
                len(rows[0]) > 1 for quote in quotes if (rows := self._rows(separator, quote))
            )
        return any(self._some_fit(separator, quote, max(self._least, 2)) for quote in quotes)

    def _some_fit(self, separator: str, quote: str | None, least: int = 1) -> bool:
        """Whether rows of at least `least` fields fit, with or without escapes."""
        stated = self._table.escape
        escapes = (None, "\\") if stated == "auto" else (None if stated == "none" else stated,)
        return any(
            len(rows[0]) >= least and self._fits(rows)
            for escape in escapes
            if (rows := self._rows(separator, quote, escape))
        )

    def _fits(self, rows: Rows) -> bool:
        """Whether no row exceeds the header; without one, whether all rows have equal length."""
        width = len(rows[0])
        if self._table.header:
            return all(len(row) <= width for row in rows)
        stated = len(self._table.columns) or width
        return width == stated and all(len(row) == width for row in rows)

    def _rows(self, separator: str, quote: str | None, escape: str | None = None) -> Rows:
        """Returns the rows of the sample, without blank ones and a last one that may be cut off."""
        quoting = csv.QUOTE_NONE if quote is None else csv.QUOTE_MINIMAL
        reader = csv.reader(
            io.StringIO(self._sample, newline=""),
            delimiter=separator,
            quotechar=quote,
            escapechar=escape,
            quoting=quoting,  # type: ignore[arg-type]
        )
        try:
            rows = [row for row in reader if row]
        except csv.Error:
            return []
        return rows[:-1] if len(self._sample) == _SAMPLE else rows

    def _encloses(self, quote: str, separator: str) -> bool:
        """Whether some field begins with `quote`, and every such field is properly quoted."""
        if not re.search(rf"(?:^|{re.escape(separator)}){quote}", self._sample, re.MULTILINE):
            return False
        reader = csv.reader(
            io.StringIO(self._sample, newline=""), delimiter=separator, quotechar=quote, strict=True
        )
        try:
            for _ in reader:
                pass
        except csv.Error as error:
            return "unexpected end" in str(error) and len(self._sample) == _SAMPLE
        return True
