"""What differs between a sweep that was killed and resumed, and one that nothing interrupted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks._moments import read
from bertsweep.ledger import Event, SweepState, TrialState, fold
from bertsweep.ledger.events import TrialEnded, TrialEvent, TrialReported, TrialStarted
from bertsweep.results import Sweep

_RATE = "examples_per_second"
_OF_THE_CLOCK = {"sweep": ("hours", "trial_hours", "gpu_hours"), "validation": (_RATE,)}
"""Section of metrics.json → what differs in it from run to run."""
_TOLD_IN_WORDS = "README.md"
"""A model card: what it says is in metrics.json, hours included."""


def differences(reference: Path, sweep: Path) -> Iterator[str]:
    """A sentence for each thing that is not as in the reference, none where all is."""
    events = read(sweep)
    one, other = fold(read(reference)), fold(events)
    if other.status != one.status:
        yield f"it is {other.status}"
    yield from _confirmed(one, other)
    yield from _trained(one, other)
    yield from _run_twice(events)
    yield from _tested(one, other)
    yield from _exported(reference / "export", sweep / "export")
    left = [str(path.relative_to(sweep)) for path in sweep.rglob(".*~*")]
    if left:
        yield f"drafts are left: {', '.join(left)}"
    damaged: list[str] = []
    Sweep.open(sweep).usable(notify=damaged.append)
    yield from damaged


def _confirmed(one: SweepState, other: SweepState) -> Iterator[str]:
    if one.confirmation is None or other.confirmation is None:
        yield "nothing was confirmed"
    elif one.confirmation.outcome != other.confirmation.outcome:
        yield "the outcome of the confirmation differs"
    elif one.confirmation.delivered != other.confirmation.delivered:
        yield "another checkpoint is delivered"


def _trained(one: SweepState, other: SweepState) -> Iterator[str]:
    before, after = _scores(one), _scores(other)
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield f"the scores of {name} differ"


def _scores(state: SweepState) -> dict[str, list[Any]]:
    trials: list[TrialState] = [*state.trials.values(), *state.repeats.values()]
    return {
        trial.id: [
            (r["report"], {k: v for k, v in r["metrics"].items() if k != _RATE})
            for r in trial.reports
        ]
        for trial in trials
    }


def _run_twice(events: list[Event]) -> Iterator[str]:
    ended, reported = set[str](), set[tuple[str, int]]()
    for event in events:
        if isinstance(event, TrialStarted | TrialReported) and event.trial in ended:
            yield f"{event.trial} had ended and ran again"
        if isinstance(event, TrialReported):
            if (event.trial, event.report) in reported:
                yield f"report {event.report} of {event.trial} was recorded twice"
            reported.add((event.trial, event.report))
        if isinstance(event, TrialEvent) and isinstance(event, TrialEnded):
            ended.add(event.trial)


def _tested(one: SweepState, other: SweepState) -> Iterator[str]:
    if len(other.tests) != 1:
        yield f"the test split was opened {len(other.tests)} times"
    if one.test is None or other.test is None or one.test.result != other.test.result:
        yield "the test scores differ"


def _exported(reference: Path, export: Path) -> Iterator[str]:
    before, after = _files(reference), _files(export)
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield f"the export's {name} differs"


def _files(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.name == "metrics.json":
            found[name] = told = json.loads(path.read_text(encoding="utf-8"))
            for section, keys in _OF_THE_CLOCK.items():
                for key in keys:
                    told[section].pop(key, None)
        elif path.is_file() and path.name != _TOLD_IN_WORDS:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            found[name] = None
    return found
