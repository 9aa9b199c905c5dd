"""The append-only event journal of a sweep, and the state that its events fold into."""

from __future__ import annotations

import fcntl
import json
import math
import os
import time
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from pydantic_core import from_json

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
        self._count, whole = 0, 0
        self._state: SweepState | None = None
        for event, length in _records(self._file, path):
            whole += length
            self._count += 1
            self._state = _apply(self._state, event)
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
    return list(_events(path))


def load(path: Path) -> SweepState:
    """What the events of a ledger fold into, without holding them all: `fold(read(path))`.

    Raises what `read` and `fold` raise.
    """
    return fold(_events(path))


def _events(path: Path) -> Iterator[Event]:
    try:
        with path.open("rb") as file:
            for event, _ in _records(file, path):
                yield event
    except OSError as error:
        raise LedgerError(f"{path} cannot be read: {error.strerror}") from error


class Report(Mapping[str, Any]):
    """What a state keeps of a `trial_reported` event: report, epoch, examples, seconds, metrics.

    The metrics are numbers, None where they were not finite. Held as one array, which takes a fifth
    of a dictionary's memory: a long sweep has hundreds of thousands of reports.
    """

    __slots__ = ("_names", "_numbers")

    _FIELDS = ("report", "epoch", "examples", "seconds")
    _WHOLE = frozenset({"report", "examples"})

    def __init__(self, event: Event, *, like: Report | None = None) -> None:
        """`like` is a report that may have metrics of the same names, which are then shared."""
        metrics = event["metrics"]
        names = tuple(metrics)
        self._names: tuple[str, ...] = (
            names if like is None or like._names != names else like._names
        )
        numbers = [event[field] for field in self._FIELDS]
        numbers += metrics.values()
        try:
            self._numbers = array("d", numbers)
        except TypeError:  # an array cannot hold None
            self._numbers = array("d", [math.nan if n is None else n for n in numbers])

    def value(self, metric: str) -> float | None:
        """One of the metrics; None where it was not finite or not measured."""
        try:
            place = len(self._FIELDS) + self._names.index(metric)
        except ValueError:
            return None
        number = self._numbers[place]
        return None if math.isnan(number) else number

    def __getitem__(self, key: str) -> Any:
        if key == "metrics":
            numbers = self._numbers.tolist()[len(self._FIELDS) :]
            named = zip(self._names, numbers, strict=True)
            return {name: None if math.isnan(number) else number for name, number in named}
        if key not in self._FIELDS:
            raise KeyError(key)
        number = self._numbers[self._FIELDS.index(key)]
        return int(number) if key in self._WHOLE else number

    def __iter__(self) -> Iterator[str]:
        return iter((*self._FIELDS, "metrics"))

    def __len__(self) -> int:
        return len(self._FIELDS) + 1

    def __repr__(self) -> str:
        return f"Report({dict(self)})"


@dataclass
class TrialState:
    """One trial as its events tell it.

    `best` is the report with the best objective value, the earlier of equals, None before there is
    a value.
    """

    id: str
    point: dict[str, Any]
    params: dict[str, Any]
    seed: int
    origin: str
    status: str = RUNNING
    reports: list[Report] = field(default_factory=list)
    attempts: int = 0
    gpus: float = 0.0
    best: Report | None = None
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

    @cached_property
    def metric(self) -> str:
        return str(self.started["objective"]["metric"])

    @cached_property
    def mode(self) -> str:
        return str(self.started["objective"]["mode"])

    def beats(self, report: Report, other: Report | None) -> bool:
        """Whether `report` has a value and it is better than that of `other`, if there is one."""
        value = report.value(self.metric)
        best = None if other is None else other.value(self.metric)
        if value is None or best is None:
            return value is not None
        return value > best if self.mode == "max" else value < best


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
        report = Report(event, like=trial.reports[-1] if trial.reports else None)
        trial.reports.append(report)
        if state.beats(report, trial.best):
            trial.best = report
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


def encode(record: Mapping[str, Any]) -> tuple[bytes, Event]:
    """The line that stands for an event in the file, and the event as it is read back from it."""
    plain = _finite(record)
    body = json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()
    return body[:-1] + b',"crc":"%08x"}\n' % zlib.crc32(body), plain


def _records(file: IO[bytes], path: Path) -> Iterator[tuple[Event, int]]:
    """Each event with the length of its line in bytes; not a torn last line."""
    file.seek(0)
    for number, line in enumerate(file, start=1):
        if not line.endswith(b"\n"):
            return
        # The checksum closes the line: ,"crc":"01234567"}
        body = line[:-19] + b"}"
        if line[-19:] != b',"crc":"%08x"}\n' % zlib.crc32(body):
            raise LedgerError(
                f"{path}, line {number}: the checksum does not match; the line was changed or "
                "damaged. Restore the file from a copy, or cut it off before this line."
            )
        # A quarter of the standard library's time.
        yield from_json(body, cache_strings="keys"), len(line)
