"""Where the fields of a csv or tsv table go: into lists, or into a survey that keeps none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from bertsweep.data.tables.quotes import ColumnQuotes, unquoted

Taker = tuple[Callable[[str], object], int]
"""What takes a field of every row, and the position of that field."""


class Sink(Protocol):
    """Takes fields and answers what the choice of a dialect asks of them."""

    def takers(self, header: Sequence[str], wanted: Sequence[int], mark: str | None) -> list[Taker]:
        """Begins a pass, with the positions of the wanted columns among those of the header.

        `mark` is what `holds` will ask for: a backslash and a quote. It is None where nothing is
        quoted unless whole columns are.
        """

    def holds(self, mark: str) -> bool:
        """Whether a field of a wanted column contains the mark."""

    def unquote(self, *, escapes: bool) -> bool:
        """Removes quotes around whole columns; returns whether quotes in them were escaped."""


class Values:
    """All fields of the wanted columns: `values`, a list each, in the order of the columns."""

    def __init__(self) -> None:
        self.values: list[list[str]] = []

    def takers(self, header: Sequence[str], wanted: Sequence[int], mark: str | None) -> list[Taker]:
        self.values = [[] for _ in wanted]
        return [
            (values.append, position) for values, position in zip(self.values, wanted, strict=True)
        ]

    def holds(self, mark: str) -> bool:
        return any(mark in value for values in self.values for value in values)

    def unquote(self, *, escapes: bool) -> bool:
        self.values, escaped = unquoted(self.values, escapes=escapes)
        return escaped


class Survey:
    """What a first pass learns of a table without keeping it.

    `header` are the names of all columns and `wanted` the positions of those asked for; `strip`
    takes the quotes off each column (None where there are none).
    """

    def __init__(self) -> None:
        self.header: list[str] = []
        self.wanted: list[int] = []
        self.strip: list[Callable[[str], str] | None] = []
        self._columns: list[ColumnQuotes] = []
        self._mark = ""
        self._marked = False

    def takers(self, header: Sequence[str], wanted: Sequence[int], mark: str | None) -> list[Taker]:
        self.header, self.wanted = list(header), list(wanted)
        self.strip = [None] * len(header)
        if mark is not None:
            self._mark = mark
            return [(self._see, position) for position in wanted]
        self._columns = [ColumnQuotes() for _ in header]
        return [(column.see, position) for position, column in enumerate(self._columns)]

    def _see(self, field: str) -> None:
        if self._mark in field:
            self._marked = True

    def holds(self, mark: str) -> bool:
        return self._marked

    def unquote(self, *, escapes: bool) -> bool:
        self.strip = [column.strip(escapes=escapes) for column in self._columns]
        return any(self._columns[i].escaped(escapes=escapes) for i in self.wanted)
