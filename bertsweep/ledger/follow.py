"""A ledger that another process writes, perhaps on another machine, followed by reading alone."""

from __future__ import annotations

import time
from pathlib import Path

from bertsweep.errors import LedgerError
from bertsweep.ledger.events import Event
from bertsweep.ledger.fold import EMPTY, apply
from bertsweep.ledger.journal import SIGN_OF_LIFE_SECONDS, Subscriber, recall, update
from bertsweep.ledger.lines import Reader
from bertsweep.ledger.state import SweepState

SILENT_SECONDS = 2 * SIGN_OF_LIFE_SECONDS


def silence(last_event: float | None, now: float | None = None) -> float | None:
    """Seconds since an event, where they are more than a running sweep ever lets pass; else None.

    Both times are unix seconds; without `now` it is that of this machine.
    """
    if last_event is None:
        return None
    passed = (time.time() if now is None else now) - last_event
    return passed if passed >= SILENT_SECONDS else None


class Follower:
    """Tells a subscriber of every event of a ledger as it comes.

    It takes no lock and writes nothing. A line that is not whole yet is read the next time.
    """

    def __init__(self, path: Path, subscriber: Subscriber) -> None:
        """Raises `LedgerError` for a file that cannot be read."""
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise LedgerError(f"{path} cannot be read: {error.strerror}") from error
        self._subscriber = subscriber
        self._reader = Reader(self._file, path)
        self._path = path
        self._state: SweepState | None = None

    def close(self) -> None:
        self._file.close()

    @property
    def begun(self) -> bool:
        """Whether an event was read."""
        return self._state is not None

    @property
    def state(self) -> SweepState:
        """What the events read so far fold into. Raises `LedgerError` before the first one."""
        if self._state is None:
            raise LedgerError(EMPTY)
        return self._state

    def read(self) -> int:
        """Reads what came since the last call; returns how many events that were.

        At first the subscriber is told how everything stands, by `Recalled` events and the last one
        itself. Raises `LedgerError` where a line is damaged or the file cannot be read any more.
        """
        try:
            return self._first() if self._state is None else self._further()
        except OSError as error:
            raise LedgerError(f"{self._path} cannot be read: {error.strerror}") from error

    def _first(self) -> int:
        last: Event | None = None
        for event in self._reader:
            self._state, last = apply(self._state, event), event
        if self._state is not None and last is not None:
            recall(self._state, self._subscriber)
            self._subscriber(update(self._state, last))
        return self._reader.count

    def _further(self) -> int:
        before = self._reader.count
        for event in self._reader:
            self._state = apply(self._state, event)
            self._subscriber(update(self._state, event))
        return self._reader.count - before
