"""The file of a sweep's events: written by one command at a time, read by any."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, TypeVar

from msgspec.structs import replace

from bertsweep.errors import InputError, LedgerError
from bertsweep.ledger.events import (
    FORMAT,
    Event,
    Recalled,
    SweepAlive,
    SweepStarted,
    TrialEvent,
    TrialReported,
    TrialStarted,
)
from bertsweep.ledger.fold import EMPTY, apply, fold
from bertsweep.ledger.lines import Reader, decode, encode
from bertsweep.ledger.lock import Locked, WriterLock, describe
from bertsweep.ledger.state import SweepState, TrialSnapshot, Update

Subscriber = Callable[[Update], None]

_Kind = TypeVar("_Kind", bound=Event)

SIGN_OF_LIFE_SECONDS = 60.0
"""A running sweep writes at least this often."""

_UNHURRIED = (TrialReported, TrialStarted, SweepAlive)
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
        self._subscribers: list[Subscriber] = []
        self._state: SweepState | None = None
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = path.open("a+b", buffering=_BUFFER)
        try:
            self._lock = WriterLock(self._file, path)
        except Locked as error:
            self._file.close()
            raise InputError(
                f"{path.parent} is being written by another bertsweep command{describe(error)}. "
                "Wait for it, stop it, or give this one another --name."
            ) from error
        self._reader = Reader(self._file, path)
        try:
            for event in self._reader:
                self._state = apply(self._state, event)
        except LedgerError:
            self.close()
            raise
        whole = self._file.tell()
        self.torn = self._file.seek(0, os.SEEK_END) > whole
        if self.torn:
            self._file.truncate(whole)
        for subscriber in subscribers:
            self.subscribe(subscriber)

    @property
    def begun(self) -> bool:
        """Whether the ledger holds an event."""
        return self._state is not None

    @property
    def state(self) -> SweepState:
        """What the events so far fold into. Raises `LedgerError` before the first one."""
        if self._state is None:
            raise LedgerError(EMPTY)
        return self._state

    def subscribe(self, subscriber: Subscriber) -> None:
        """Calls `subscriber` with an `Update` for every event from here on.

        Of a sweep that has begun it is told at once, by `Recalled` events: one for the sweep and
        one for each trial, in order, with their snapshots.
        """
        self._subscribers.append(subscriber)
        if self._state is not None:
            recall(self._state, subscriber)

    def append(self, event: _Kind) -> _Kind:
        """Writes an event and returns it as it is read back: numbered, timed, NaN made None."""
        reader = self._reader
        if isinstance(event, SweepStarted):
            event = replace(event, format=FORMAT)
        stamped = replace(event, seq=reader.count, time=time.time())
        line, checksum = encode(stamped, chain=reader.chain)
        self._file.write(line)
        self._file.flush()
        if not isinstance(event, _UNHURRIED):
            os.fsync(self._file.fileno())
        reader.count += 1
        reader.chain = checksum if reader.chained else 0
        written = decode(line)
        self._state = apply(self._state, written)
        if self._subscribers:
            news = update(self._state, written)
            for subscriber in self._subscribers:
                subscriber(news)
        return written  # type: ignore[return-value]

    def keep_alive(self) -> None:
        """Leaves a sign of life when there was none for `SIGN_OF_LIFE_SECONDS`."""
        if time.time() - self.state.last_event >= SIGN_OF_LIFE_SECONDS:
            self.append(SweepAlive())

    def close(self) -> None:
        self._lock.release()
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


def replay(events: Iterable[Event], subscriber: Subscriber) -> None:
    """Calls `subscriber` as a live ledger of these events would have. Raises `LedgerError`."""
    state: SweepState | None = None
    for event in events:
        state = apply(state, event)
        subscriber(update(state, event))


def recall(state: SweepState, subscriber: Subscriber) -> None:
    """Tells a subscriber how a sweep and each of its trials stand, by `Recalled` events."""
    event, sweep = Recalled(), state.snapshot()
    subscriber(Update(event, sweep, None))
    for trial in (*state.trials.values(), *state.repeats.values()):
        subscriber(Update(event, sweep, TrialSnapshot.of(trial)))


def update(state: SweepState, event: Event) -> Update:
    """What a subscriber receives for an event that the state has taken in."""
    trial = state.trial(event.trial) if isinstance(event, TrialEvent) else None
    return Update(event, state.snapshot(), None if trial is None else TrialSnapshot.of(trial))


def _events(path: Path) -> Iterator[Event]:
    try:
        with path.open("rb", buffering=_BUFFER) as file:
            yield from Reader(file, path)
    except OSError as error:
        raise LedgerError(f"{path} cannot be read: {error.strerror}") from error
