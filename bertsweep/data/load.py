"""Reads the rows of a split from all of its files, fetching those that are addresses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bertsweep.data import builtin
from bertsweep.data.class_names import Names, names_near
from bertsweep.data.sources import BUILTIN, SourceFile
from bertsweep.data.tables.chunks import Chunk, ChunkStream, Gather, parts
from bertsweep.data.tables.columns import Columns
from bertsweep.data.tables.compressed import PackedFile, Unpacked
from bertsweep.data.tables.read import read_table, table_format
from bertsweep.data.tables.rows import TableRows, Tick
from bertsweep.data.tables.stream import stream_table
from bertsweep.download.fetch import fetch
from bertsweep.errors import DataError
from bertsweep.progress import Progress
from bertsweep.spec.data_models import Data

_TYPED = ("parquet", "arrow")


class Loader:
    """Reads files as the section `data` describes them; downloads are stored in `cache`.

    `progress` receives (activity, bytes done, total bytes or None). `usual` is the format of files
    whose name implies none; with `strict`, keys of `data.table` without effect are refused.
    """

    def __init__(
        self,
        data: Data,
        *,
        cache: Path,
        progress: Progress | None,
        usual: str | None = None,
        strict: bool = True,
    ) -> None:
        self._data = data
        self._cache = cache
        self._progress = progress
        self._usual = usual
        self._strict = strict

    def load(
        self,
        files: Sequence[SourceFile],
        columns: Columns,
        *,
        labels: Sequence[SourceFile] = (),
        class_names: Names | None = None,
    ) -> TableRows:
        """Returns the rows of all files, concatenated in order.

        `labels` are files with one label per line, one for each of `files`, if the labels are not a
        column. `class_names` are stated by a description of the dataset. Raises `DataError`, and
        for an address `DownloadError` or `MissingPackageError`.
        """
        import pandas as pd

        read = []
        for index, file in enumerate(files):
            rows = self._rows(file, columns, class_names or {}, one_a_line=bool(labels))
            read.append(self._labelled(rows, file, labels[index]) if labels else rows)
        if len(read) == 1:
            return read[0]
        names = {rows.class_names for rows in read}
        return TableRows(
            pd.concat([rows.frame for rows in read], ignore_index=True),
            tuple(dict.fromkeys(note for rows in read for note in rows.notes)),
            names.pop() if len(names) == 1 else (),
            frozenset().union(*(rows.formats for rows in read)),
        )

    def _rows(
        self, file: SourceFile, columns: Columns, class_names: Names, *, one_a_line: bool
    ) -> TableRows:
        if isinstance(file.place, str) and file.place.startswith(BUILTIN):
            return _builtin(file.place, columns)
        packed = self._packed(file)
        usual = "txt" if one_a_line else self._usual
        try:
            kind = table_format(packed, usual=usual)
            if one_a_line and kind != "txt":
                raise DataError(
                    f"data.labels goes with texts of one a line, but {file.shown} is {kind}. Name "
                    "its label column in data.label, or set data.format: txt."
                )
            self._check_used(kind, file.shown)
            rows = read_table(packed, columns, self._data.table, kind, tick=self._tick(packed))
        except OSError as error:
            raise _unreadable(file.shown, error) from error
        rows = replace(rows, formats=frozenset({kind}))
        if not self._data.table.class_names or columns.label is None:
            return replace(rows, class_names=())
        label = str(columns.label)
        names = rows.class_names or class_names.get(label, ())
        if not names and kind in _TYPED:
            names = names_near(packed.path).get(label, ())
        return replace(rows, class_names=names)

    def stream(self, file: SourceFile, columns: Columns) -> ChunkStream:
        """Opens a file for one pass in chunks of rows. Raises what `load` raises."""
        if isinstance(file.place, str) and file.place.startswith(BUILTIN):
            rows = _builtin(file.place, columns)
            texts = rows.frame["text"].tolist()
            return ChunkStream(iter([Chunk((texts,), {"text": texts})]), len(texts))
        packed = self._packed(file)
        return self.open_packed(packed, columns)

    def open_packed(
        self, packed: PackedFile, columns: Columns, *, gather: Gather = parts
    ) -> ChunkStream:
        """Opens a file on disk, or a pipe with the `gather` that suits one, like `stream`."""
        try:
            kind = self.format_of(packed)
            table = self._data.table
            stream = stream_table(
                packed, columns, table, kind, tick=self._tick(packed), gather=gather
            )
        except OSError as error:
            raise _unreadable(packed.shown, error) from error
        return replace(stream, kind=kind, chunks=_reading(stream.chunks, packed.shown))

    def format_of(self, packed: PackedFile) -> str:
        """Returns the format of a file. Raises `DataError` where there is none."""
        kind = table_format(packed, usual=self._usual)
        self._check_used(kind, packed.shown)
        return kind

    def _labelled(self, rows: TableRows, file: SourceFile, labels: SourceFile) -> TableRows:
        """Returns the rows with the labels from a file that has one per line."""
        packed = replace(self._packed(labels), format="txt")
        column = Columns(("label",), text_key="data.labels")
        try:
            read = read_table(packed, column, self._data.table, "txt", tick=self._tick(packed))
        except OSError as error:
            raise _unreadable(labels.shown, error) from error
        if len(read.frame) != len(rows.frame):
            raise DataError(
                f"{labels.shown} must have a label for each text of {file.shown}, but has "
                f"{len(read.frame):,} lines and the texts are {len(rows.frame):,}. Check that the "
                "two files belong together."
            )
        frame = rows.frame.assign(label=read.frame["text"])
        return TableRows(frame, (*rows.notes, *read.notes))

    def _packed(self, file: SourceFile) -> PackedFile:
        """Returns the file on disk, after fetching it if it is an address."""
        path = file.place
        if isinstance(path, str):
            path = fetch(path, cache=self._cache, progress=self._progress)
        return PackedFile(
            path, file.shown, self._data.format, file.member, self._data.max_unpacked_gb
        )

    def _check_used(self, kind: str, shown: str) -> None:
        unused = self._data.table.unused(kind)
        if self._strict and unused:
            raise DataError(
                f"data.table.{unused[0]} has no effect on {shown}, which is {kind}. Leave it out, "
                "or set data.format to what the file is."
            )

    def _tick(self, file: PackedFile) -> Tick:
        def tick(opened: Unpacked) -> None:
            if self._progress is not None:
                self._progress(f"reading {file.path.name}", opened.raw.tell(), opened.size)

        return tick


def _reading(chunks: Iterator[Chunk], shown: str) -> Iterator[Chunk]:
    try:
        yield from chunks
    except OSError as error:
        raise _unreadable(shown, error) from error


def _unreadable(shown: str, error: OSError) -> DataError:
    return DataError(f"{shown} cannot be read: {error}. Check the file.")


def _builtin(source: str, columns: Columns) -> TableRows:
    if source != builtin.QUESTIONS:
        raise DataError(
            f"there is no built-in data called {source!r}. Set data.source: {builtin.QUESTIONS}"
        )
    texts, labels = builtin.questions()
    values = (texts, labels)
    return TableRows(
        columns.frame([values[place] for place in columns.positions(["text", "label"], source)])
    )
