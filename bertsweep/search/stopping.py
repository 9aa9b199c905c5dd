"""Which trials to stop early: rules over (trial, epoch, value) that a ledger can refill."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bertsweep.seeds import derive
from bertsweep.spec.models import Scheduler

_EARLY = 1e-9
"""Epochs are quotients: a report that is this little short of an epoch is one at that epoch."""


class StoppingRule(Protocol):
    """Sees every report of every trial, in any order of trials, and may stop a trial.

    A rule's decisions depend on the reports that it has seen, not on the order in which trials
    took turns. Telling a report twice changes nothing. So a resumed sweep refills a rule by telling
    it the old reports again, trial by trial.
    """

    def observe(self, trial: str, epoch: float, value: float) -> str | None:
        """Why to stop the trial now, or None to let it go on.

        `epoch` is progress in epochs and grows within a trial. `value` is the objective, larger is
        better; NaN is passed over.
        """


class NeverStop:
    """Every trial trains to its end."""

    def observe(self, trial: str, epoch: float, value: float) -> str | None:
        return None


@dataclass
class _Rung:
    """The trials that reached an epoch, and their values there in ascending order."""

    epoch: float
    trials: set[str] = field(default_factory=set)
    values: list[float] = field(default_factory=list)

    def judge(self, value: float, factor: float) -> str | None:
        """Why a trial with this value goes no further, None where it is among the best."""
        count = len(self.values)
        passing = max(1, math.floor(count / factor))
        if count < factor or value >= self.values[-passing]:
            return None
        place = count - bisect.bisect_right(self.values, value) + 1
        return f"place {place} of {count} at {self.epoch:g} epochs; the best {passing} go on"


class SuccessiveHalving:
    """Asynchronous successive halving (ASHA): at every rung the best 1 in `factor` trials go on.

    `rungs` are epochs in ascending order. Source: Li et al. 2020, "A System for Massively Parallel
    Hyperparameter Tuning", algorithm 2, in the variant that stops a trial at its rung and never
    resumes it.
    """

    def __init__(self, *, rungs: Sequence[float], factor: float) -> None:
        self._rungs = [_Rung(epoch) for epoch in reversed(rungs)]
        self._factor = factor

    def observe(self, trial: str, epoch: float, value: float) -> str | None:
        if math.isnan(value):
            return None
        for rung in self._rungs:
            if epoch < rung.epoch - _EARLY:
                continue
            if trial in rung.trials:
                return None
            rung.trials.add(trial)
            bisect.insort(rung.values, value)
            return rung.judge(value, self._factor)
        return None


class HyperBand:
    """Asynchronous HyperBand: successive halving in brackets that begin at later and later rungs.

    Early rungs save the most, but stop a trial that starts slowly; HyperBand hedges. With R
    = `max_epochs` / `grace`, the paper has brackets s = s_max, …, 0 of which s reduces its trials s
    times, with s_max = log(R) / log(`factor`), and begins bracket s with

        n_s = ceil((s_max + 1) * factor ** s / (s + 1))

    trials. Trials are dealt to the brackets in these proportions: 9 : 5 for 9 times the grace
    period and a factor of 3. Two things differ. Bracket 0 stops nobody, so there is none. And
    s_max is rounded to the nearest whole number instead of down, because our trials train to their
    own end, not to a power of the factor: a bracket whose first rung is halfway still saves much,
    one whose first rung is at 9 of 10 epochs does not. Source: Li et al. 2018, "Hyperband", JMLR
    18(185), algorithm 1; Optuna's `HyperbandPruner` deals in the same proportions.
    """

    def __init__(self, *, grace: float, factor: float, max_epochs: float) -> None:
        epochs = rungs(grace=grace, factor=factor, max_epochs=max_epochs)
        most = max(1, round(_reductions(grace, factor, max_epochs)))
        self._brackets = [
            SuccessiveHalving(rungs=epochs[most - s :], factor=factor) for s in range(most, 0, -1)
        ]
        self._shares = [math.ceil((most + 1) * factor**s / (s + 1)) for s in range(most, 0, -1)]

    def observe(self, trial: str, epoch: float, value: float) -> str | None:
        return self._brackets[self._bracket(trial)].observe(trial, epoch, value)

    def _bracket(self, trial: str) -> int:
        """By name, not by arrival, so that a refilled rule puts every trial where it was."""
        turn = derive(0, trial) % sum(self._shares)
        bracket = 0
        while turn >= self._shares[bracket]:
            turn -= self._shares[bracket]
            bracket += 1
        return bracket


@dataclass
class _RunningMean:
    """What one trial reported so far: when, their sum, and the best."""

    epochs: set[float] = field(default_factory=set)
    total: float = 0.0
    best: float = -math.inf

    def add(self, epoch: float, value: float) -> float:
        """The mean with one more value."""
        self.epochs.add(epoch)
        self.total += value
        self.best = max(self.best, value)
        return self.total / len(self.epochs)


class MedianStopping:
    """Stops a trial whose best value so far is below the median of the others' running means.

    The others are those that reported at the same epoch; a running mean is that of a trial's values
    up to there. The means at each epoch are kept sorted, so that a report costs a search among
    them and not a pass over all trials. Source: Golovin et al. 2017, "Google Vizier", section
    3.2.2.
    """

    def __init__(self, *, grace: float, min_trials: int) -> None:
        self._grace, self._min_trials = grace, min_trials
        self._trials: dict[str, _RunningMean] = {}
        self._means: dict[float, list[float]] = {}

    def observe(self, trial: str, epoch: float, value: float) -> str | None:
        if math.isnan(value):
            return None
        so_far = self._trials.setdefault(trial, _RunningMean())
        means = self._means.setdefault(epoch, [])
        if epoch in so_far.epochs:
            return None
        mean = so_far.add(epoch, value)
        others = len(means)
        median = _middle(means)
        bisect.insort(means, mean)
        if epoch < self._grace - _EARLY or others < self._min_trials or so_far.best >= median:
            return None
        return f"best {so_far.best:.4g} is below {median:.4g}, the median of {others} trials"


def _middle(ascending: Sequence[float]) -> float:
    """The median of numbers in ascending order; NaN of none."""
    if not ascending:
        return math.nan
    half = len(ascending) // 2
    return ascending[half] if len(ascending) % 2 else (ascending[half - 1] + ascending[half]) / 2


def rungs(*, grace: float, factor: float, max_epochs: float) -> list[float]:
    """grace, grace * factor, grace * factor ** 2, … epochs, all below `max_epochs`."""
    count = math.ceil(_reductions(grace, factor, max_epochs) - _EARLY)
    return [grace * factor**rung for rung in range(max(count, 0))]


def _reductions(grace: float, factor: float, max_epochs: float) -> float:
    """How often the grace period can be lengthened by `factor` within `max_epochs`."""
    return math.log(max_epochs / grace, factor)


def stops_nothing(scheduler: Scheduler, *, max_epochs: float, steps_per_epoch: int) -> bool:
    """Whether the longest trial ends within the steps in which none is stopped."""
    return scheduler.kind != "none" and scheduler.grace_steps >= max_epochs * steps_per_epoch


def rung_epochs(scheduler: Scheduler, *, max_epochs: float, steps_per_epoch: int) -> list[float]:
    """When trials are compared and the weaker ones stopped, in ascending order; [] without rungs.

    In HyperBand's later brackets the first of them stop nobody.
    """
    if scheduler.kind not in ("asha", "hyperband"):
        return []
    grace, factor = _grace(scheduler, steps_per_epoch), scheduler.reduction_factor
    return rungs(grace=grace, factor=factor, max_epochs=max_epochs)


def _grace(scheduler: Scheduler, steps_per_epoch: int) -> float:
    """The epochs before which no trial is stopped."""
    return max(scheduler.grace_epochs, scheduler.grace_steps / steps_per_epoch)


def build_rule(scheduler: Scheduler, *, max_epochs: float, steps_per_epoch: int) -> StoppingRule:
    """The rule that a scheduler section describes.

    No trial has more than `max_epochs` epochs, and none fewer than `steps_per_epoch` optimizer
    steps in one.
    """
    if scheduler.kind == "none":
        return NeverStop()
    grace, factor = _grace(scheduler, steps_per_epoch), scheduler.reduction_factor
    if scheduler.kind == "median":
        return MedianStopping(grace=grace, min_trials=scheduler.min_trials)
    if scheduler.kind == "hyperband":
        return HyperBand(grace=grace, factor=factor, max_epochs=max_epochs)
    return SuccessiveHalving(
        rungs=rungs(grace=grace, factor=factor, max_epochs=max_epochs), factor=factor
    )
