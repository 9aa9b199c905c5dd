"""The append-only event journal of a sweep, and the state that its events fold into."""

from __future__ import annotations

import fcntl
import json
import math
import os
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from bertsweep.errors import InputError, LedgerError

Event = Mapping[str, Any]
Subscriber = Callable[[Event], None]

RUNNING, FINISHED, STOPPED, FAILED = "running", "finished", "stopped", "failed"
INTERRUPTED = "interrupted"

_ENDS = {"trial_finished": FINISHED, "trial_stopped": STOPPED, "trial_failed": FAILED}
_UNHURRIED = frozenset({"trial_reported", "trial_started"})
"""Events that a crash may cost: a report is repeated from the trial's own state."""


class Ledger:
    """Appends events, one checksummed JSON line each, and tells every subscriber of them.

    A decisive event is on disk (fsync) before `append` returns. Opening takes an exclusive lock,
    so that two commands never write one sweep; raises `InputError` when another one holds it and
    `LedgerError` when a line inside the file is damaged. A torn last line is cut off.
    """

    def __init__(self, path: Path, *, subscribers: Iterable[Subscriber] = ()) -> None:
        self._subscribers = list(subscribers)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = path.open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise InputError(
                f"{path.parent} is being written by another bertsweep command. "
                "Wait for it, stop it, or give this one another --name."
            ) from error
        self._file.seek(0)
        events, torn = _parse(self._file.read(), path)
        if torn:
            self._file.truncate(self._file.tell() - torn)
        self._count = len(events)
        self.torn = torn > 0
        self._state = fold(events) if events else None

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
        record = {"seq": self._count, "time": time.time(), "event": event, **fields}
        line, record = _encode(record)
        self._file.write(line)
        self._file.flush()
        if event not in _UNHURRIED:
            os.fsync(self._file.fileno())
        self._count += 1
        self._state = _apply(self._state, record)
        for subscriber in self._subscribers:
            subscriber(record)
        return record

    def close(self) -> None:
        self._file.close()


def read(path: Path) -> list[Event]:
    """The events of a ledger, in order; a torn last line is left out.

    Raises `LedgerError` naming the first damaged line, or a file that cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LedgerError(f"{path} cannot be read: {error.strerror}") from error
    return _parse(data, path)[0]


@dataclass
class TrialState:
    """One trial as its events tell it.

    `reports` are the `trial_reported` events, in order; `best` is the one with the best objective
    value, the earlier of equals, None before there is a value.
    """

    id: str
    point: dict[str, Any]
    params: dict[str, Any]
    seed: int
    origin: str
    status: str = RUNNING
    reports: list[Event] = field(default_factory=list)
    attempts: int = 0
    gpus: float = 0.0
    best: Event | None = None
    error: str | None = None
    reason: str | None = None
    checkpoint: str | None = None
    checkpoint_report: int | None = None
    proposed: float = 0.0

    @property
    def ended(self) -> bool:
        return self.status in (FINISHED, STOPPED, FAILED)

    @property
    def seconds(self) -> float:
        """Time spent in the trial over all attempts, as last reported."""
        return float(self.reports[-1]["seconds"]) if self.reports else 0.0

    @property
    def gpu_hours(self) -> float:
        return self.seconds * self.gpus / 3600


@dataclass
class SweepState:
    """A sweep as its ledger tells it."""

    started: Event
    trials: dict[str, TrialState] = field(default_factory=dict)
    status: str = RUNNING
    reason: str | None = None

    @property
    def name(self) -> str:
        return str(self.started["name"])

    @property
    def uid(self) -> str:
        return str(self.started["sweep"])

    @property
    def metric(self) -> str:
        return str(self.started["objective"]["metric"])

    @property
    def mode(self) -> str:
        return str(self.started["objective"]["mode"])

    def beats(self, report: Event, other: Event | None) -> bool:
        """Whether `report` has a value and it is better than that of `other`, if there is one."""
        value = report["metrics"].get(self.metric)
        if value is None or other is None:
            return value is not None
        best = other["metrics"][self.metric]
        return bool(value > best if self.mode == "max" else value < best)


def fold(events: Iterable[Event]) -> SweepState:
    """The state that the events add up to. Raises `LedgerError` when they do not begin a sweep."""
    state: SweepState | None = None
    for event in events:
        state = _apply(state, event)
    if state is None:
        raise LedgerError("the ledger holds no event; the sweep ended before it began")
    return state


def _apply(state: SweepState | None, event: Event) -> SweepState:
    kind = event["event"]
    if kind == "sweep_started":
        return SweepState(started=event)
    if state is None:
        raise LedgerError(f"a ledger begins with sweep_started, but got {kind}")
    if "trial" in event:
        _apply_to_trial(state, kind, event)
    elif kind == "sweep_resumed":
        state.status, state.reason = RUNNING, None
    elif kind == "sweep_ended":
        state.status, state.reason = event["status"], event.get("reason")
    return state


def _apply_to_trial(state: SweepState, kind: str, event: Event) -> None:
    trials, name = state.trials, event["trial"]
    if kind == "trial_proposed":
        trials[name] = TrialState(
            id=name,
            point=event["point"],
            params=event["params"],
            seed=event["seed"],
            origin=event["origin"],
            proposed=event["time"],
        )
        return
    trial = trials[name]
    if kind == "trial_started":
        trial.status = RUNNING
        trial.attempts, trial.gpus = event["attempt"], event["gpus"]
    elif kind == "trial_reported":
        trial.reports.append(event)
        if state.beats(event, trial.best):
            trial.best = event
    elif kind == "checkpoint_saved":
        trial.checkpoint, trial.checkpoint_report = event["path"], event["report"]
    elif kind == "checkpoint_removed":
        trial.checkpoint = None
    elif kind == "trial_interrupted":
        trial.status = INTERRUPTED
    elif kind in _ENDS:
        trial.status = _ENDS[kind]
        trial.error, trial.reason = event.get("error"), event.get("reason")


def _finite(value: Any) -> Any:
    """`value` with every number that JSON cannot hold replaced by None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def _encode(record: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
    record = _finite(record)
    body = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
    return body[:-1] + b',"crc":"%08x"}\n' % zlib.crc32(body), record


def _parse(data: bytes, path: Path) -> tuple[list[Event], int]:
    """Events and the length in bytes of a torn last line (0 when whole)."""
    *lines, tail = data.split(b"\n")
    events: list[Event] = []
    for number, line in enumerate(lines, start=1):
        # The checksum closes the line: ,"crc":"01234567"}
        body, check = line[:-18] + b"}", line[-18:]
        if check != b',"crc":"%08x"}' % zlib.crc32(body):
            raise LedgerError(
                f"{path}, line {number}: the checksum does not match; the line was changed or "
                "damaged. Restore the file from a copy, or cut it off before this line."
            )
        events.append(json.loads(body))
    return events, len(tail)
