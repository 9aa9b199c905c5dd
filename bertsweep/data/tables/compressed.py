"""Opens a data file as a stream of bytes, unpacking zip and gz up to a size limit."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from bertsweep.data.tables.formats import format_of
from bertsweep.data.tables.zip_members import choose_member
from bertsweep.errors import DataError

_BUFFER = 1 << 20
_GB = 1_000_000_000
_WORKBOOK = "xl/workbook.xml"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")


@dataclass(frozen=True)
class PackedFile:
    """A file on disk: a table, or a zip or gz that contains one.

    Messages name it by `shown`, the path or address as the user wrote it. `format` is
    `data.format`, `member` is `data.member`, and at most `max_unpacked_gb` (1 GB = 1e9 bytes) are
    unpacked.
    """

    path: Path
    shown: str
    format: str
    member: str | None
    max_unpacked_gb: float

    @property
    def partial(self) -> bool:
        """Whether `open` gives the beginning of the table only, cut off behind a line."""
        return False

    def once(self) -> AbstractContextManager[Unpacked]:
        """Opens the whole table, for the only time where it comes through a pipe."""
        return self.open()

    @contextmanager
    def open(self) -> Iterator[Unpacked]:
        """Opens the table; can be called repeatedly.

        Raises `DataError` for a damaged, encrypted or ambiguous archive and, while reading, for one
        that exceeds the limit.
        """
        with self.path.open("rb", buffering=_BUFFER) as raw:
            start = raw.read(4)
            raw.seek(0)
            if start in _ZIP and not _is_workbook(raw):
                with self._zipped(raw) as (stream, name):
                    yield self._inner(stream, name, raw, member=name)
            elif self.member is not None and start not in _ZIP:
                raise DataError(
                    f"data.member chooses a file inside a zip or a sheet of a workbook, but "
                    f"{self.shown} is neither. Leave data.member out."
                )
            else:
                yield self._inner(raw, self.path.name, raw, member=None)

    def check_size(self, unpacked: int, name: str) -> None:
        """Raises `DataError` if the `unpacked` bytes of the file `name` exceed the limit."""
        if unpacked > self.max_unpacked_gb * _GB:
            raise DataError(
                f"{name} in {self.shown} unpacks to more than data.max_unpacked_gb = "
                f"{self.max_unpacked_gb:g} GB. If you trust it, set data.max_unpacked_gb higher."
            )

    @contextmanager
    def _zipped(self, raw: BinaryIO) -> Iterator[tuple[BinaryIO, str]]:
        try:
            with zipfile.ZipFile(raw) as archive:
                chosen = choose_member(
                    archive.infolist(), member=self.member, table=self.format, shown=self.shown
                )
                self.check_size(chosen.file_size, chosen.filename)
                with archive.open(chosen) as stream:
                    yield _buffered(_Bounded(stream, self, chosen.filename)), chosen.filename
        except (zipfile.BadZipFile, NotImplementedError) as error:
            raise self._broken(self.path.name, error) from error

    def _inner(self, stream: BinaryIO, name: str, raw: BinaryIO, *, member: str | None) -> Unpacked:
        """Returns `stream`, unpacked if its content is gz, whatever its name says."""
        buffered = stream if isinstance(stream, io.BufferedReader) else _buffered(stream)
        start = buffered.peek(4)[:4]
        if start[:2] == b"\x1f\x8b":
            unpacked = gzip.GzipFile(fileobj=buffered)
            buffered = _buffered(_Bounded(unpacked, self, name))
            start = buffered.peek(4)[:4]
        name = name[: -len(".gz")] if name.lower().endswith(".gz") else name
        workbook = start in _ZIP and (buffered is raw or format_of(name) == "xlsx")
        if start in _ZIP and not workbook:
            raise DataError(
                f"{self.shown} holds another zip, {name!r}, inside. Unpack it and give the path "
                "of the table."
            )
        size = self.path.stat().st_size
        return Unpacked(buffered, name.rpartition("/")[2], raw, size, member, workbook)

    def _broken(self, name: str, error: BaseException) -> DataError:
        return DataError(
            f"{name} in {self.shown} cannot be unpacked: {error}. The file is damaged or cut off, "
            "or packed in a way that Python cannot read; pack or download it again."
        )


@dataclass(frozen=True)
class Unpacked:
    """An open table: its bytes and its name without .gz.

    `raw` is the file on disk (`size` bytes), whose position tells the progress. `member` is the
    table's name inside a zip; `workbook` is True for an Excel workbook.
    """

    stream: io.BufferedReader
    name: str
    raw: BinaryIO
    size: int
    member: str | None = None
    workbook: bool = False


class _Bounded(io.RawIOBase):
    """Reads from an unpacker and stops at the limit, whatever size the archive declares."""

    def __init__(self, stream: io.BufferedIOBase | IO[bytes], file: PackedFile, name: str) -> None:
        self._stream = stream
        self._file = file
        self._name = name
        self._unpacked = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        try:
            data = self._stream.read(len(view))
        except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise self._file._broken(self._name, error) from error
        self._unpacked += len(data)
        self._file.check_size(self._unpacked, self._name)
        view[: len(data)] = data
        return len(data)


def _is_workbook(raw: BinaryIO) -> bool:
    """Whether a zip is an Excel workbook; rewinds the file."""
    try:
        with zipfile.ZipFile(raw) as archive:
            return _WORKBOOK in archive.namelist()
    except zipfile.BadZipFile:
        return False
    finally:
        raw.seek(0)


def bounded(stream: io.BufferedIOBase, file: PackedFile, name: str) -> io.BufferedReader:
    """Returns an unpacker that raises `DataError` for damage and beyond the limit of `file`."""
    return _buffered(_Bounded(stream, file, name))


def _buffered(stream: BinaryIO | io.RawIOBase) -> io.BufferedReader:
    return io.BufferedReader(stream, _BUFFER)  # type: ignore[arg-type]
