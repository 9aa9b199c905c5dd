"""Reads tables of every format chunk by chunk, in memory that does not grow with the file.

What `read` recognises of a whole text file (encoding, quotes, escapes) is recognised here in a
first pass that keeps nothing, so both come to the same rows. A pipe has no first pass: its
beginning decides.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bertsweep.data.tables.arrow import arrow_batches
from bertsweep.data.tables.arrow_columns import seekable, texts_of
from bertsweep.data.tables.chunks import (
    CHUNK_ROWS,
    Chunk,
    ChunkStream,
    Gather,
    or_none,
    parts,
    unique_names,
)
from bertsweep.data.tables.columns import Columns
from bertsweep.data.tables.compressed import PackedFile
from bertsweep.data.tables.delimited import short_rows, survey
from bertsweep.data.tables.delimited_rows import Attempt, open_quote
from bertsweep.data.tables.encoding import TextFile
from bertsweep.data.tables.json_chunks import stream_json
from bertsweep.data.tables.lines import check_single, without_end
from bertsweep.data.tables.rows import Tick
from bertsweep.data.tables.xlsx import cell_text, opened_sheet, sheet_rows
from bertsweep.errors import DataError
from bertsweep.spec.data_models import Table


def stream_table(
    file: PackedFile,
    columns: Columns,
    table: Table,
    kind: str,
    *,
    tick: Tick,
    gather: Gather = parts,
) -> ChunkStream:
    """Opens a file of format `kind` for its only pass.

    `gather` makes chunks of rows; `tick` is called during a first pass. Raises what `read_table`
    raises, before the first chunk where the rows are text.
    """
    return _STREAMS[kind](file, columns, table, tick=tick, gather=gather)


def _stream_txt(
    file: PackedFile, columns: Columns, table: Table, *, tick: Tick, gather: Gather
) -> ChunkStream:
    check_single(file, columns)
    text = TextFile(file, table.encoding)
    count = text.read(lambda lines, _: sum(1 for _ in lines), newline="\n")

    def chunks() -> Iterator[Chunk]:
        with text.once(newline="\n") as (lines, _):
            rows = ((without_end(line),) for line in lines)
            for part in or_none(gather(rows)):
                texts = [row[0] for row in part]
                yield Chunk((texts,), {"text": texts})

    return ChunkStream(chunks(), None if file.partial else count, list(text.notes))


def _stream_csv(
    file: PackedFile, columns: Columns, table: Table, *, tick: Tick, gather: Gather
) -> ChunkStream:
    return _stream_delimited(file, columns, table, usual=",", tick=tick, gather=gather)


def _stream_tsv(
    file: PackedFile, columns: Columns, table: Table, *, tick: Tick, gather: Gather
) -> ChunkStream:
    return _stream_delimited(file, columns, table, usual="\t", tick=tick, gather=gather)


def _stream_delimited(
    file: PackedFile, columns: Columns, table: Table, *, usual: str, tick: Tick, gather: Gather
) -> ChunkStream:
    text = TextFile(file, table.encoding)
    reading = survey(text, columns, table, usual=usual, tick=tick)
    names = unique_names(reading.sink.header, file.shown)
    wanted, strip = reading.sink.wanted, reading.sink.strip
    stream = ChunkStream(
        iter(()),
        None if file.partial else reading.attempt.count,
        [*text.notes, *reading.notes],
    )

    def chunks() -> Iterator[Chunk]:
        attempt = reading.attempt.again()
        with text.once() as (lines, _):
            rows = attempt.rows(lines)
            next(rows, None)
            for part in or_none(gather(rows)):
                made = [[row[at] for row in part] for at in range(len(names))]
                made = [
                    column if off is None else [off(field) for field in column]
                    for column, off in zip(made, strip, strict=True)
                ]
                texts = tuple(made[position] for position in wanted)
                yield Chunk(texts, dict(zip(names, made, strict=True)))
        _check(attempt)
        if file.partial and attempt.short > reading.attempt.short:
            stream.notes.append(short_rows(attempt))

    stream.chunks = chunks()
    return stream


def _check(attempt: Attempt) -> None:
    """Raises `DataError` for what only the rows behind the beginning of a pipe can show."""
    if attempt.fault is not None:
        raise DataError(attempt.fault)
    if attempt.unclosed is not None:
        raise DataError(open_quote(attempt.shown, attempt.unclosed))
    if attempt.malformed is not None:
        raise DataError(
            f"{attempt.shown}, line {attempt.malformed:,}: a quote stands where none may stand. "
            "Write a quote inside a quoted text twice, or set data.table.quote: none where nothing "
            "is quoted."
        )


def _stream_parquet(
    file: PackedFile, columns: Columns, table: Table, *, tick: Tick, gather: Gather
) -> ChunkStream:
    import pyarrow.parquet as pq

    with _readable(file, "parquet"), file.open() as opened, tempfile.TemporaryFile() as spool:
        rows = pq.ParquetFile(seekable(opened, spool)).metadata.num_rows

    def batches() -> Iterator[Any]:
        with file.open() as opened, tempfile.TemporaryFile() as spool:
            # With a buffer, a group of rows need not be in memory as a whole.
            source = pq.ParquetFile(seekable(opened, spool), buffer_size=1 << 20)
            yield source.schema_arrow
            yield from source.iter_batches(batch_size=CHUNK_ROWS)

    return ChunkStream(_arrow_chunks(batches(), file, columns, "parquet"), rows)


def _stream_arrow(
    file: PackedFile, columns: Columns, table: Table, *, tick: Tick, gather: Gather
) -> ChunkStream:
    def batches() -> Iterator[Any]:
        with file.open() as opened, tempfile.TemporaryFile() as spool:
            yield from arrow_batches(opened, spool)

    return ChunkStream(_arrow_chunks(batches(), file, columns, "arrow"))


def _arrow_chunks(
    found: Iterator[Any], file: PackedFile, columns: Columns, kind: str
) -> Iterator[Chunk]:
    """Makes chunks of a schema and the batches that follow it."""
    import pyarrow as pa

    with _readable(file, kind):
        schema = next(found)
        positions = columns.positions(list(schema.names), file.shown)
        names = unique_names(schema.names, file.shown)
    some = False
    while True:
        with _readable(file, kind):
            batch = next(found, None)
        if batch is None and some:
            return
        if batch is None:
            batch = pa.RecordBatch.from_pylist([], schema)
        some = True
        for start in range(0, max(batch.num_rows, 1), CHUNK_ROWS):
            with _readable(file, kind):
                part = batch.slice(start, CHUNK_ROWS)
                texts = tuple(texts_of(part.column(at), names[at], file.shown) for at in positions)
            yield Chunk(texts, dict(zip(names, part.columns, strict=True)))


class _readable:  # noqa: N801 - reads as a word
    """Turns the errors of pyarrow into `DataError`."""

    def __init__(self, file: PackedFile, kind: str) -> None:
        self._said = f"{file.shown} is not a readable {kind} file"

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        import pyarrow as pa

        if isinstance(error, (pa.ArrowException, OSError, UnicodeDecodeError, MemoryError)):
            raise DataError(f"{self._said}: {error}. Write or download it again.") from error


def _stream_xlsx(
    file: PackedFile, columns: Columns, table: Table, *, tick: Tick, gather: Gather
) -> ChunkStream:
    def chunks() -> Iterator[Chunk]:
        with opened_sheet(file) as (cells, _):
            rows = sheet_rows(cells, file, table)
            header = list(next(rows))
            positions = columns.positions(header, file.shown, header=table.header)
            names = unique_names(header, file.shown)
            for part in or_none(gather(rows)):
                texts = tuple(
                    [cell_text(row[at]) if at < len(row) else "" for row in part]
                    for at in positions
                )
                yield Chunk(texts, {name: _cells(part, at) for at, name in enumerate(names)})

    return ChunkStream(chunks())


def _cells(rows: Sequence[Sequence[Any]], position: int) -> list[Any]:
    """Numbers, booleans and nothing as they are, everything else as text."""
    values = [row[position] if position < len(row) else None for row in rows]
    return [
        value if value is None or isinstance(value, (bool, int, float)) else cell_text(value)
        for value in values
    ]


_STREAMS: Mapping[str, Callable[..., ChunkStream]] = {
    "csv": _stream_csv,
    "tsv": _stream_tsv,
    "txt": _stream_txt,
    "jsonl": stream_json,
    "json": stream_json,
    "parquet": _stream_parquet,
    "arrow": _stream_arrow,
    "xlsx": _stream_xlsx,
}
"""Format → how it is opened, for every value of `data.format` but auto."""
