"""Moments at which the end of a sweep is killed: drawn at random, recognised from its ledger."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bertsweep import ledger
from bertsweep.ledger import Event

STAGES: Mapping[str, tuple[str, ...]] = {
    "confirmation": ("sweep_resumed",),
    "test": ("sweep_ended", "test_opened"),
    "export": ("test_scored",),
}
"""Stage → kinds of events from which on it goes; a kill comes some time after one of them."""

_ENDS = {"confirmation": "confirmation_ended", "test": "test_scored"}
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Moment:
    """So many ledger lines, then so many seconds, after an event: then all of it, or the driver."""

    stage: str
    after: str
    lines: int
    seconds: float
    group: bool

    def __str__(self) -> str:
        more = f" and {self.lines} lines" if self.lines else ""
        return f"{self.seconds:.1f} s after {self.after}{more}"


@dataclass(frozen=True)
class Kill:
    """What was in the ledger when the command was killed; `late` where it had ended before."""

    events: int
    last: str
    late: bool


def draw(stage: str, reference: Sequence[Event], ended: float, chance: random.Random) -> Moment:
    """A moment within a stage, as long as it took in a run that nothing interrupted.

    `ended` is when that one's command ended (unix seconds).
    """
    after = chance.choice(STAGES[stage])
    group = chance.random() < 0.5
    if stage == "confirmation":
        kinds = [event.kind for event in reference]
        lines = kinds.index(_ENDS[stage]) - kinds.index("confirmation_started")
        return Moment(stage, after, chance.randrange(lines), 0.5 * chance.random(), group)
    times = {event.kind: event.time for event in reference}
    span = times.get(_ENDS.get(stage, ""), ended) - times[after]
    return Moment(stage, after, 0, span * chance.random(), group)


def start(*arguments: str, log: Path) -> subprocess.Popen[bytes]:
    """Starts bertsweep in a process group of its own."""
    with log.open("ab") as stream:
        return subprocess.Popen(
            [sys.executable, "-m", "bertsweep", *arguments],
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )


def kill_at(moment: Moment, process: subprocess.Popen[bytes], sweep: Path, *, since: int) -> Kill:
    """Kills the command at its moment, counted in what it wrote to the ledger from line `since`."""
    target = None
    while process.poll() is None:
        events = read(sweep)
        if target is None:
            target = _line_of(moment, events, since)
        if target is not None and len(events) > target + moment.lines:
            break
        time.sleep(_POLL_SECONDS)
    try:
        process.wait(moment.seconds)
    except subprocess.TimeoutExpired:
        (os.killpg if moment.group else os.kill)(process.pid, signal.SIGKILL)
        process.wait()
        late = False
    else:
        late = True
    events = read(sweep)
    return Kill(len(events), events[-1].kind, late)


def _line_of(moment: Moment, events: Sequence[Event], since: int) -> int | None:
    """Where the event of a moment stands; one of before is not written again by a resume."""
    after = moment.after
    if any(event.kind == after for event in events[:since]) and moment.stage != "confirmation":
        after = "sweep_ended"
    return next((event.seq for event in events[since:] if event.kind == after), None)


def read(sweep: Path) -> list[Event]:
    """The events so far; none before there is a ledger."""
    path = sweep / "ledger.jsonl"
    return ledger.read(path) if path.is_file() and path.stat().st_size else []
