"""Which trials to stop early: plain rules over (progress, value), which a ledger can refill."""

from __future__ import annotations

import bisect
import math
import statistics
from dataclasses import dataclass, field
from typing import Protocol

from bertsweep.seeds import derive
from bertsweep.spec.models import Scheduler

Curve = list[tuple[float, float]]


class StoppingRule(Protocol):
    """Sees every report of every trial, in any order of trials, and may stop a trial.

    `epoch` is progress in epochs, growing within a trial; `value` is the objective, larger is
    better. Telling a report twice changes nothing, so a resumed sweep tells the old ones again.
    """

    def observe(self, trial: str, epoch: float, value: float) -> str | None:
        """Why to stop the trial now, or None to let it go on."""


class NeverStop:
    """Every trial trains to its end."""

    def observe(self, trial: str, epoch: float, value: float) -> str | None:
        return None


@dataclass
class _Rung:
    """Who reached it, and their values in order: sorting anew for each would take ever longer."""

    epoch: float
    trials: set[str] = field(default_factory=set)
    values: list[float] = field(default_factory=list)


class SuccessiveHalving:
    """Asynchronous successive halving: of the trials at a rung, the best 1 in `factor` go on.

    Rungs stand at grace, grace × factor, grace × factor², … epochs, below `max_epochs`. With
    several `brackets`, trials are dealt by name to ones that begin at a later rung, which is
    asynchronous HyperBand. Source: Li et al. 2020, "A System for Massively Parallel
    Hyperparameter Tuning", algorithm 2, in the variant that stops a trial at its rung and never
    resumes it.
    """

    def __init__(
        self, *, grace: float, factor: float, max_epochs: float, brackets: int | None = 1
    ) -> None:
        count = math.ceil(math.log(max_epochs / grace, factor) - 1e-9)
        epochs = [grace * factor**rung for rung in range(max(count, 0))]
        turns = max(1, len(epochs)) if brackets is None else brackets
        self._brackets = [[_Rung(e) for e in epochs[first:]] for first in range(turns)]
        self._factor = factor
        self._dealt: dict[str, list[_Rung]] = {}

    def observe(self, trial: str, epoch: float, value: float) -> str | None:
        for rung in reversed(self._bracket(trial)):
            if epoch < rung.epoch - 1e-9:
                continue
            if trial in rung.trials:
                return None
            rung.trials.add(trial)
            bisect.insort(rung.values, value)
            return self._judge(rung, value)
        return None

    def _bracket(self, trial: str) -> list[_Rung]:
        if trial not in self._dealt:
            # By name, not by arrival, so that a refilled rule puts every trial where it was.
            self._dealt[trial] = self._brackets[derive(0, trial) % len(self._brackets)]
        return self._dealt[trial]

    def _judge(self, rung: _Rung, value: float) -> str | None:
        count = len(rung.values)
        passing = max(1, math.floor(count / self._factor))
        if count < self._factor or value >= rung.values[-passing]:
            return None
        place = count - bisect.bisect_right(rung.values, value) + 1
        return f"place {place} of {count} at {rung.epoch:g} epochs; the best {passing} go on"


class MedianStopping:
    """Stops a trial whose best value so far is below the median of the others' running means.

    Source: Golovin et al. 2017, "Google Vizier", section 3.2.2.
    """

    def __init__(self, *, grace: float, min_trials: int) -> None:
        self._grace, self._min_trials = grace, min_trials
        self._curves: dict[str, dict[float, float]] = {}

    def observe(self, trial: str, epoch: float, value: float) -> str | None:
        curve = self._curves.setdefault(trial, {})
        curve[epoch] = value
        if epoch < self._grace - 1e-9:
            return None
        others = [
            statistics.fmean(v for e, v in other.items() if e <= epoch)
            for name, other in self._curves.items()
            if name != trial and max(other) >= epoch
        ]
        if len(others) < self._min_trials:
            return None
        median, best = statistics.median(others), max(curve.values())
        if best >= median:
            return None
        return f"best {best:.4g} is below {median:.4g}, the median of {len(others)} trials"


def stops_nothing(scheduler: Scheduler, *, max_epochs: float, steps_per_epoch: int) -> bool:
    """Whether the longest trial ends within the steps in which none is stopped."""
    return scheduler.kind != "none" and scheduler.grace_steps >= max_epochs * steps_per_epoch


def build_rule(scheduler: Scheduler, *, max_epochs: float, steps_per_epoch: int) -> StoppingRule:
    """The rule a scheduler section describes.

    No trial has more than `max_epochs` epochs, and none fewer than `steps_per_epoch` optimizer
    steps in one.
    """
    if scheduler.kind == "none":
        return NeverStop()
    grace = max(scheduler.grace_epochs, scheduler.grace_steps / steps_per_epoch)
    if scheduler.kind == "median":
        return MedianStopping(grace=grace, min_trials=scheduler.min_trials)
    return SuccessiveHalving(
        grace=grace,
        factor=scheduler.reduction_factor,
        max_epochs=max_epochs,
        brackets=1 if scheduler.kind == "asha" else None,
    )
