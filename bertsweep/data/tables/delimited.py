"""Reads csv and tsv tables as text without interpreting values: NA, null and None are words.

Fields are quoted as in RFC 4180 (a quote inside a quoted field is doubled); tab-separated fields
usually are not quoted at all. If `data.table.escape` is auto, backslash escapes are recognised: the
table is read a second time with them if it violates RFC 4180 or a value contains a backslash before
a quote, and that reading is used, with a note, if it violates nothing. An escape character makes
the quote, separator or escape character after it literal; before any other character it is literal
itself.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from bertsweep.data.clean import counted
from bertsweep.data.dataset import Note
from bertsweep.data.tables.columns import Columns
from bertsweep.data.tables.compressed import PackedFile, Unpacked
from bertsweep.data.tables.delimited_rows import Attempt
from bertsweep.data.tables.delimited_sinks import Sink, Survey, Values
from bertsweep.data.tables.dialect import recognise
from bertsweep.data.tables.encoding import TextFile
from bertsweep.data.tables.rows import TICK_ROWS, TableRows, Tick
from bertsweep.errors import DataError
from bertsweep.spec.data_models import Table

SinkT = TypeVar("SinkT", bound=Sink)


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
    reading = _settled(text, columns, table, Values, usual=usual, tick=tick)
    return TableRows(columns.frame(reading.sink.values), (*text.notes, *reading.notes))


def survey(
    text: TextFile, columns: Columns, table: Table, *, usual: str, tick: Tick
) -> Reading[Survey]:
    """Returns how a table is to be read, decided as `read_csv` does, in constant memory."""
    return _settled(text, columns, table, Survey, usual=usual, tick=tick)


@dataclass(frozen=True)
class Reading(Generic[SinkT]):
    """The pass that fits a table and the sink that took its values.

    `malformed` is the line of a quote that a strict pass would not have; `escaped` is True if
    quotes were escaped by a backslash. `recognised` are the notes on the dialect.
    """

    attempt: Attempt
    sink: SinkT
    recognised: tuple[Note, ...] = ()
    malformed: int | None = None
    escaped: bool = False

    @property
    def notes(self) -> tuple[Note, ...]:
        return (*self.recognised, *_notes(self))


def _settled(
    text: TextFile,
    columns: Columns,
    table: Table,
    sink: Callable[[], SinkT],
    *,
    usual: str,
    tick: Tick,
) -> Reading[SinkT]:
    numbers = [column for column in columns.wanted if isinstance(column, int)]
    dialect = recognise(text, table, usual, least=max([len(table.columns), *numbers]))
    partial = text.file.partial
    base = Attempt(text.file.shown, table, dialect, partial=partial)
    reader = _Reader(text, columns, base, sink, tick)
    undecided = dialect.separator == "\t" and table.quote == "auto"
    reading = reader.between_tabs() if undecided else reader.quoted()
    return replace(reading, recognised=dialect.notes)


@dataclass(frozen=True)
class _Reader(Generic[SinkT]):
    """Reads one table, trying several dialects until one fits."""

    text: TextFile
    columns: Columns
    base: Attempt
    sink: Callable[[], SinkT]
    tick: Tick

    def quoted(self) -> Reading[SinkT]:
        """Returns the pass by RFC 4180, else with escapes, else the lenient one with a note."""
        stated, quote = self.base.table.escape, self.base.dialect.quote
        escape = None if stated in ("auto", "none") else stated
        strictly = self._read(escape=escape)
        doubtful = stated == "auto" and quote is not None
        if doubtful and not (strictly.attempt.clean and not strictly.sink.holds(f"\\{quote}")):
            escaped = self._read(escape="\\")
            if escaped.attempt.clean:
                return replace(escaped, escaped=True)
        if strictly.attempt.clean:
            return strictly
        if strictly.attempt.fault is not None:
            raise DataError(strictly.attempt.fault)
        leniently = self._read(escape=escape, strict=False)
        if leniently.attempt.fault is not None:
            raise DataError(leniently.attempt.fault)
        return replace(leniently, malformed=strictly.attempt.malformed)

    def between_tabs(self) -> Reading[SinkT]:
        """Returns the rows in whichever of the two tsv dialects fits.

        Corpora usually quote nothing, spreadsheets quote as in csv. The first is tried; if every
        field of a column that begins with a quote is quoted entirely, these quotes are removed. If
        it produces malformed rows and the second dialect none, the second is used.
        """
        stated = self.base.table.escape
        escape = None if stated in ("auto", "none") else stated
        unquoting = replace(self, base=replace(self.base, dialect=self.base.dialect.unquoted()))
        plain = unquoting._read(escape=escape)
        if plain.attempt.fault is None and not plain.attempt.short:
            return replace(plain, escaped=plain.sink.unquote(escapes=stated == "auto"))
        quoted = self._read(escape=escape)
        if quoted.attempt.clean and not quoted.attempt.short:
            return quoted
        if plain.attempt.fault is not None:
            raise DataError(plain.attempt.fault)
        return plain

    def _read(self, *, escape: str | None, strict: bool = True) -> Reading[SinkT]:
        def read(text: io.TextIOWrapper, opened: Unpacked) -> Reading[SinkT]:
            attempt = replace(self.base, escape=escape, strict=strict)
            sink = self.sink()
            rows = attempt.rows(text)
            header = next(rows, None)
            if header is None:
                return Reading(attempt, sink)
            shown = attempt.shown
            wanted = self.columns.positions(header, shown, header=attempt.table.header)
            quote = attempt.dialect.quote
            takers = sink.takers(header, wanted, None if quote is None else f"\\{quote}")
            for count, row in enumerate(rows, start=1):
                for take, position in takers:
                    take(row[position])
                if count % TICK_ROWS == 0:
                    self.tick(opened)
            return Reading(attempt, sink)

        return self.text.read(read)


def _notes(reading: Reading[SinkT]) -> Iterator[Note]:
    attempt = reading.attempt
    if reading.escaped:
        yield Note(
            "escape",
            1,
            f"{attempt.shown}: a quote inside a quoted text has a backslash before it, as its rows "
            "show; if that is wrong, set data.table.escape.",
        )
    if reading.malformed is not None:
        yield Note(
            "stray_quotes",
            1,
            f"{attempt.shown}, line {reading.malformed:,}: a quote stands where none may stand, so "
            "that quotes may be missing in the texts there. Write a quote inside a quoted text "
            "twice, or set data.table.quote: none where nothing is quoted.",
        )
    if attempt.short:
        yield short_rows(attempt)


def short_rows(attempt: Attempt) -> Note:
    """Returns the note on rows with fewer fields than the first row."""
    return Note(
        "short_rows",
        attempt.short,
        f"{attempt.shown}: {counted(attempt.short, 'row')} with fewer fields than the first row, "
        f"such as the one at line {attempt.short_line:,}: what is missing there is empty.",
    )
