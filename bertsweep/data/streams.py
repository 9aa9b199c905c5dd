"""The rows of files to be labelled, chunk by chunk: files on disk, addresses and pipes."""

from __future__ import annotations

import itertools
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from bertsweep.data.dataset import Note
from bertsweep.data.load import Loader
from bertsweep.data.sources import SourceFile, locate
from bertsweep.data.tables.chunks import Chunk, ChunkStream, arriving
from bertsweep.data.tables.columns import Columns
from bertsweep.data.tables.compressed import PackedFile
from bertsweep.data.tables.formats import format_of
from bertsweep.data.tables.piped import needs_seeking, piped, spooled, waited_for
from bertsweep.data.texts import STDIN
from bertsweep.progress import Progress
from bertsweep.spec.data_models import Data


class RowStream:
    """The rows of some files, one after the other, to be gone through once.

    `rows` is their number, None where only reading tells it. `formats` are those of the files.
    `notes` say what was recognised; the last of them stand there at the end.
    """

    def __init__(self, streams: Sequence[ChunkStream]) -> None:
        self._streams = streams
        counts = [stream.rows for stream in streams if stream.rows is not None]
        self.rows = sum(counts) if len(counts) == len(streams) else None
        self.formats = frozenset(stream.kind for stream in streams if stream.kind)
        self._chunks = (chunk for stream in streams for chunk in stream.chunks)
        self._first: list[Chunk] = []

    @property
    def notes(self) -> list[Note]:
        return [note for stream in self._streams for note in stream.notes]

    def prime(self) -> None:
        """Reads the first chunk, so that what is wrong with it is raised here."""
        if not self._first:
            self._first = list(itertools.islice(self._chunks, 1))

    def __iter__(self) -> Iterator[Chunk]:
        yield from self._first
        self._first = []
        yield from self._chunks


def single_chunk(chunk: Chunk) -> RowStream:
    """Rows that are in memory already."""
    return RowStream([ChunkStream(iter([chunk]), len(chunk))])


@contextmanager
def open_rows(
    file: str, data: Data, *, cache: Path, progress: Progress | None = None, key: str = "--column"
) -> Iterator[RowStream]:
    """Opens a file as `read_texts` reads it, with all its columns and in constant memory.

    `file` may be a path, pattern or address, a named pipe, or `-` for standard input. Text in a
    pipe is read while it is being written; what cannot be read from front to back (zip, parquet,
    Arrow, xlsx) is first copied to a temporary file. Raises what `read_texts` raises, some of it
    while the rows are read.
    """
    loader = Loader(data, cache=cache, progress=progress, usual="txt", strict=False)
    columns = Columns(data.text, text_key=key)
    if file == STDIN:
        with _pipe(sys.stdin.buffer, "standard input", "stdin", data, loader, columns) as stream:
            yield RowStream([stream])
        return
    files = locate(file, data, Path.cwd(), key="--file")
    if len(files) == 1 and (path := _fifo(files[0])) is not None:
        with (
            path.open("rb") as raw,
            _pipe(raw, files[0].shown, path.name, data, loader, columns) as stream,
        ):
            yield RowStream([stream])
        return
    yield RowStream([loader.stream(each, columns) for each in files])


def _fifo(file: SourceFile) -> Path | None:
    """The path of a named pipe, such as that of `<(command)`."""
    if isinstance(file.place, Path) and not stat.S_ISREG(file.place.stat().st_mode):
        return file.place
    return None


@contextmanager
def _pipe(
    raw: BinaryIO, shown: str, name: str, data: Data, loader: Loader, columns: Columns
) -> Iterator[ChunkStream]:
    file = PackedFile(Path(name), shown, data.format, data.member, data.max_unpacked_gb)
    with waited_for(raw) as stream:
        if needs_seeking(stream, data.format):
            with tempfile.NamedTemporaryFile() as spool:
                spooled(stream, spool)
                copied = PackedFile(
                    Path(spool.name), shown, data.format, data.member, data.max_unpacked_gb
                )
                yield loader.open_packed(copied, columns)
            return
        kind = data.format if data.format != "auto" else format_of(name) or "txt"
        doubtful = "auto" in (data.table.separator, data.table.quote)
        text = piped(stream, file, head=doubtful and kind in ("csv", "tsv"))
        yield loader.open_packed(text, columns, gather=arriving)
