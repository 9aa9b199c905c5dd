"""The file of a sweep's events: written by one command at a time, read by any."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from bertsweep.errors import InputError, LedgerError
from bertsweep.ledger.lines import Event, decode, encode
from bertsweep.ledger.state import SweepState, accumulate, apply, fold

Subscriber = Callable[[Event], None]

_UNHURRIED = frozenset({"trial_reported", "trial_started"})
"""Events that a crash may cost: a report is repeated from the trial's own state."""

_BUFFER = 1 << 16
"""Bytes read at once: by the usual few lines, reading would take twice the checksums' time."""


class Ledger:
    """Appends events, one checksummed JSON line each, and tells every subscriber of them.

    A decisive event is on disk (fsync) before `append` returns. Opening takes an exclusive lock,
    so that two commands never write one sweep, and reads what is there; raises `InputError` when
    another one holds the lock and `LedgerError` when a line inside the file is damaged. A torn last
    line is cut off.
    """

    def __init__(self, path: Path, *, subscribers: Iterable[Subscriber] = ()) -> None:
        self._subscribers = list(subscribers)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = path.open("a+b", buffering=_BUFFER)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise InputError(
                f"{path.parent} is being written by another bertsweep command. "
                "Wait for it, stop it, or give this one another --name."
            ) from error
        try:
            self._state, self._count = accumulate(decode(self._file, path))
        except LedgerError:
            self._file.close()
            raise
        whole = self._file.tell()
        self.torn = self._file.seek(0, os.SEEK_END) > whole
        if self.torn:
            self._file.truncate(whole)

    @property
    def state(self) -> SweepState:
        """What the events so far fold into. Raises `LedgerError` before the first one."""
        if self._state is None:
            raise LedgerError("the ledger holds no event; the sweep ended before it began")
        return self._state

    def subscribe(self, subscriber: Subscriber) -> None:
        self._subscribers.append(subscriber)

    def append(self, event: str, **fields: Any) -> Event:
        """Writes one event and returns it; numbers that are not finite are written as null."""
        line, record = encode({"seq": self._count, "time": time.time(), "event": event, **fields})
        self._file.write(line)
        self._file.flush()
        if event not in _UNHURRIED:
            os.fsync(self._file.fileno())
        self._count += 1
        self._state = apply(self._state, record)
        for subscriber in self._subscribers:
            subscriber(record)
        return record

    def close(self) -> None:
        self._file.close()


def read(path: Path) -> list[Event]:
    """The events of a ledger, in order; a torn last line is left out.

    Raises `LedgerError` naming the first damaged line, or a file that cannot be read.
    """
    return list(_events(path))


def load(path: Path) -> SweepState:
    """What the events of a ledger fold into, without holding them all: `fold(read(path))`.

    Raises what `read` and `fold` raise.
    """
    return fold(_events(path))


def _events(path: Path) -> Iterator[Event]:
    try:
        with path.open("rb", buffering=_BUFFER) as file:
            yield from decode(file, path)
    except OSError as error:
        raise LedgerError(f"{path} cannot be read: {error.strerror}") from error
