"""What a live view knows of a sweep: the latest snapshots, counts, and an estimate of the end."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bertsweep.budget import Bounds, Spent
from bertsweep.errors import SpecError
from bertsweep.ledger import (
    FAILED,
    FINISHED,
    RUNNING,
    STOPPED,
    SweepSnapshot,
    TrialSnapshot,
    Update,
    spent_by,
)
from bertsweep.ledger.events import Recalled, SweepStarted, TrialEvent, TrialReported
from bertsweep.results import longest_training


@dataclass
class Watch:
    """Feed it every update through `handle`; ask it from any thread while holding `lock`."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    sweep: SweepSnapshot | None = None
    trials: dict[str, TrialSnapshot] = field(default_factory=dict)
    most_at_once: int = 1
    """Trials that ran at the same time in this session."""
    last_event: float | None = None
    """When the latest event came (unix seconds)."""
    memory: dict[str, float] = field(default_factory=dict)
    """Trial → MB that its worker used when it last reported."""
    _values: dict[str, set[str]] = field(default_factory=dict)
    _since: float = math.inf
    """When this session began (unix seconds): what began earlier does not run any more."""
    _full: float | None = None
    _rungs: list[float] | None = None

    def handle(self, update: Update) -> bool:
        """Takes an update; returns whether it is news rather than the past of a resumed sweep."""
        event, trial = update.event, update.trial
        with self.lock:
            self.sweep = update.sweep
            if trial is not None:
                if trial.id not in self.trials:
                    for parameter, value in trial.params.items():
                        self._values.setdefault(parameter, set()).add(repr(value))
                self.trials[trial.id] = trial
            if isinstance(event, Recalled):
                return False
            self._since = update.sweep.session_began
            self.last_event = event.time
            if isinstance(event, TrialReported) and "memory_mb" in event.system:
                self.memory[event.trial] = event.system["memory_mb"]
            if isinstance(event, TrialEvent):
                self.most_at_once = max(self.most_at_once, len(self.running()))
            return True

    @property
    def confirming(self) -> bool:
        """Whether finalists are being repeated."""
        confirmation = None if self.sweep is None else self.sweep.confirmation
        return confirmation is not None and confirmation.outcome is None

    def repeats(self) -> list[TrialSnapshot]:
        """The repeats of this confirmation so far."""
        confirmation = None if self.sweep is None else self.sweep.confirmation
        if confirmation is None:
            return []
        return [
            trial
            for trial in self.trials.values()
            if trial.repeats in confirmation.finalists and trial.seed in confirmation.seeds
        ]

    def repeats_planned(self) -> int:
        """How many repeats there will be, a refit counted, as far as is known now."""
        confirmation = None if self.sweep is None else self.sweep.confirmation
        if confirmation is None:
            return 0
        begun = [trial.repeats for trial in self.repeats()]
        refits = int(confirmation.settings.get("refit", "none") != "none")
        return refits + sum(
            begun.count(name) if name in confirmation.dropped else len(confirmation.seeds)
            for name in confirmation.finalists
        )

    def running(self) -> list[TrialSnapshot]:
        """The trials that a worker has now."""
        return [
            trial
            for trial in self.trials.values()
            if trial.status == RUNNING
            and trial.started is not None
            and trial.started >= self._since
        ]

    def waiting(self) -> int:
        """How many trials are proposed and have not begun."""
        return sum(t.status == RUNNING and not t.attempts for t in self.trials.values())

    def count(self, status: str) -> int:
        return 0 if self.sweep is None else self.sweep.statuses.get(status, 0)

    def ended(self) -> int:
        return sum(self.count(status) for status in (FINISHED, STOPPED, FAILED))

    @property
    def bounds(self) -> Bounds:
        """What the search may use."""
        return Bounds() if self.sweep is None else self.sweep.bounds

    def spent(self, now: float) -> Spent:
        """What the search has used by `now` (unix seconds)."""
        if self.sweep is None:
            return Spent()
        session = now - self.sweep.session_began
        return spent_by(
            self._trials(),
            longest=self._longest(),
            seconds=self.sweep.earlier_seconds + session,
            now=now,
        )

    def rungs(self) -> list[float]:
        """The epochs at which trials may be stopped, [] where none are or that cannot be told."""
        if self.sweep is None:
            return []
        if self._rungs is None:
            self._rungs = _rungs(self.sweep.started)
        return self._rungs

    def searched(self) -> list[str]:
        """Names of the parameters that differ between the trials so far, or that will."""
        space = {} if self.sweep is None else self.sweep.started.spec.get("space") or {}
        return [
            name
            for name, seen in self._values.items()
            if len(seen) > 1 or isinstance(space.get(name), (list, dict))
        ]

    def rate(self) -> float | None:
        """Training examples a second over all running trials; None before the first report."""
        rates = [rate for trial in self.running() if (rate := rate_of(trial)) is not None]
        return sum(rates) if rates else None

    def seconds_left(self, now: float) -> float | None:
        """An estimate from the mean time of trials that ended; None before the first one did.

        Every running trial still needs the mean less what it had, every waiting one the mean, and
        as many run at once as ever did in this session. How many wait follows from the bound that
        is reached first. `budget.hours` caps when trials begin, so it caps this. While finalists
        are repeated, it is of their repeats; before, the repeats to come are not in it.
        """
        if self.sweep is None:
            return None
        if self.confirming:
            kin = self.repeats()
            # Before the first repeat has ended, a trial that trained all its epochs tells.
            done = [t.spent for t in kin if t.status == FINISHED] or self._finished()
            waiting: float = (
                self.repeats_planned() - sum(t.ended for t in kin) - len(self.running())
            )
        else:
            done = [t.spent for t in self._trials() if t.status in (FINISHED, STOPPED)]
            waiting = self._trials_expected(now) - self.ended() - len(self.running())
        if not done:
            return None
        mean = sum(done) / len(done)
        running = [max(0.0, mean - trial.elapsed(now)) for trial in self.running()]
        left = max([(sum(running) + max(0, waiting) * mean) / self.most_at_once, *running])
        if self.confirming:
            return left
        if self.bounds.hours is not None:
            until_no_more = 3600 * max(0.0, self.bounds.hours - self.spent(now).hours)
            left = min(left, until_no_more + mean)
        return left if math.isfinite(left) else None

    def _trials_expected(self, now: float) -> float:
        """How many trials there will be when those to come use as much as those that ended."""
        ended = [trial for trial in self._trials() if trial.ended]
        used = spent_by(ended, longest=self._longest(), seconds=0.0, now=now)
        expected = math.inf if self.bounds.trials is None else float(self.bounds.trials)
        for unit in ("trainings", "gpu_hours"):
            bound, so_far = getattr(self.bounds, unit), getattr(used, unit)
            if bound is not None and so_far > 0:
                expected = min(expected, len(ended) * bound / so_far)
        return expected

    def _longest(self) -> float:
        """The epochs of a full training: the most that any trial of the space has."""
        if self.sweep is None:
            return 1.0
        if self._full is None:
            self._full = longest_training(self.sweep.started.spec)
        return self._full

    def _trials(self) -> list[TrialSnapshot]:
        """The trials of the search."""
        return [trial for trial in self.trials.values() if trial.repeats is None]

    def _finished(self) -> list[float]:
        return [trial.spent for trial in self._trials() if trial.status == FINISHED]


def _rungs(started: SweepStarted) -> list[float]:
    from bertsweep.search.stopping import rung_epochs
    from bertsweep.spec import from_plain
    from bertsweep.spec.search_checks import largest

    try:
        spec = from_plain(dict(started.spec))
        steps = math.ceil(started.data["rows"]["train"] / largest(spec.space, "batch_size"))
    except (SpecError, KeyError):  # of another version
        return []
    return rung_epochs(spec.search.scheduler, max_epochs=spec.longest, steps_per_epoch=steps)


def rate_of(trial: TrialSnapshot) -> float | None:
    """Training examples a second, as last reported."""
    return _last_metric(trial, "examples_per_second")


def epoch_of(trial: TrialSnapshot) -> float:
    """How far the trial is, in epochs, as last reported."""
    return trial.last["epoch"] if trial.last else 0.0


def value_of(trial: TrialSnapshot, metric: str) -> float | None:
    """The objective as last reported."""
    return _last_metric(trial, metric)


def _last_metric(trial: TrialSnapshot, name: str) -> float | None:
    metrics: Mapping[str, Any] = trial.last["metrics"] if trial.last else {}
    return metrics.get(name)
