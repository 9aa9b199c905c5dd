"""Tables that come through a pipe: read once, in order, while they are still being written."""

from __future__ import annotations

import gzip
import io
import os
import select
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from bertsweep.data.tables.compressed import PackedFile, Unpacked, bounded

HEAD = 1 << 18
"""Bytes of a csv or tsv table by which its dialect is recognised."""

_LOOK_SECONDS = 0.2
"""How long a reader waits before it looks whether it is still wanted."""

_SEEKING = (b"PK", b"PAR1", b"ARROW1")
"""How the formats begin that cannot be read from front to back."""


@dataclass(frozen=True)
class PipedFile(PackedFile):
    """A text that comes through a pipe, possibly as gz. `open` gives the beginning that is known.

    `head` is that beginning, `whole` where nothing follows it, and `rest` what follows; `open` cuts
    it off behind its last line.
    """

    head: bytes = b""
    rest: BinaryIO = field(default_factory=io.BytesIO)
    whole: bool = True

    @property
    def partial(self) -> bool:
        return not self.whole

    @contextmanager
    def open(self) -> Iterator[Unpacked]:
        cut = len(self.head)
        if self.partial:
            cut = self.head.rfind(b"\n") + 1
            while self.head[cut : cut + 1] == b"\0":  # the rest of a line's end in UTF-16
                cut += 1
        yield self._opened(io.BytesIO(self.head[:cut]))

    def once(self) -> AbstractContextManager[Unpacked]:
        return nullcontext(self._opened(_Joined(self.head, self.rest)))

    def _opened(self, stream: io.RawIOBase | BinaryIO) -> Unpacked:
        buffered: Any = io.BufferedReader(stream)
        return Unpacked(buffered, self.path.name, buffered, 0)


@contextmanager
def waited_for(raw: BinaryIO) -> Iterator[io.BufferedReader]:
    """A pipe to be read, by any thread, until the context ends: then nobody waits for it any more.

    A thread that waits within a read of its own cannot be ended, and whoever closes what it reads
    waits for it: after Ctrl-C for as long as the pipe stays open.
    """
    try:
        pipe = _Waiting(raw.fileno())
    except OSError:  # no file of the system's, which nobody has to wait for
        yield io.BufferedReader(cast("io.RawIOBase", raw))
        return
    try:
        yield io.BufferedReader(pipe)
    finally:
        pipe.over = True


class _Waiting(io.RawIOBase):
    """Reads a file of the system's as soon as it has something; it ends when `over` is set."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.over = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        while not self.over:
            if select.select([self._descriptor], [], [], _LOOK_SECONDS)[0]:
                data = os.read(self._descriptor, len(view))
                view[: len(data)] = data
                return len(data)
        return 0


def needs_seeking(stream: io.BufferedReader, table_format: str) -> bool:
    """Whether a pipe holds something that must be on disk to be read, as zip and parquet must."""
    start = stream.peek(len(_SEEKING[-1]))
    binary = table_format in ("parquet", "arrow", "xlsx")
    return binary or any(start.startswith(mark) for mark in _SEEKING)


def spooled(stream: IO[bytes], spool: IO[bytes]) -> None:
    """Copies a pipe to its end into a file on disk."""
    shutil.copyfileobj(stream, spool)
    spool.flush()


def piped(stream: io.BufferedReader, file: PackedFile, *, head: bool) -> PipedFile:
    """Returns a pipe as a text to be read once, named as `file` says.

    With `head` it waits for the beginning by which a dialect is recognised; otherwise it takes what
    has arrived. Raises `DataError` for a damaged gz.
    """
    if stream.peek(2)[:2] == b"\x1f\x8b":
        stream = bounded(gzip.GzipFile(fileobj=stream), file, file.shown)
    begun, ended = bytearray(), False
    while not ended and len(begun) < HEAD and (head or b"\n" not in begun):
        piece = stream.read1(HEAD - len(begun))
        begun += piece
        ended = not piece
    return PipedFile(
        Path(file.path.name),
        file.shown,
        file.format,
        file.member,
        file.max_unpacked_gb,
        bytes(begun),
        stream,
        ended,
    )


class _Joined(io.RawIOBase):
    """A beginning and what follows it in a stream."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = memoryview(head)
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        if self._head:
            count = min(len(view), len(self._head))
            view[:count] = self._head[:count]
            self._head = self._head[count:]
            return count
        data = self._rest.read1(len(view))  # type: ignore[attr-defined]
        view[: len(data)] = data
        return len(data)
