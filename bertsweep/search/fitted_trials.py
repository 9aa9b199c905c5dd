"""The trials that a sampler's model is fitted to, so that no proposal waits for thousands."""

from __future__ import annotations

import bisect
import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from optuna.trial import FrozenTrial

from bertsweep import ledger
from bertsweep.direction import Direction
from bertsweep.space import Point

FITTED = 250
"""Ended trials that a sampler's model is fitted to, so that the cost of a proposal stays bounded.

TPE divides the trials into the best tenth, but at most 25, and the others, which it weighs by age.
The best 25 and the latest 225 are the good part of all trials, and of the other part the trials
with the most weight. A Gaussian process takes time with the cube of its trials.
"""


@dataclass
class StudyTrial:
    """A trial as the study was told of it: finite values of the first objective by report number,
    and of further ones as it ended, None where one of them is missing.
    """

    number: int
    point: Point
    status: str = ledger.RUNNING
    values: dict[int, float] = field(default_factory=dict)
    others: tuple[float, ...] | None = ()
    frozen: FrozenTrial | None = None
    """The trial in Optuna's words, once it has ended."""

    @property
    def finished(self) -> bool:
        return self.status == ledger.FINISHED

    @property
    def instructive(self) -> bool:
        """Whether a model can learn from it: a failed trial says nothing of its point's worth."""
        ended = self.status in (ledger.FINISHED, ledger.STOPPED)
        return ended and bool(self.values) and self.others is not None

    @cached_property
    def last(self) -> int:
        """The number of its last report that has a value. Read once it has ended."""
        return max(self.values)


class FittedTrials:
    """Ended trials in order of number: the best tenth of `most`, and the latest.

    With several objectives, that tenth is shared: the best by each of them. Which ones depends on
    all trials that were added, not on the order in which they were: one that is left out stays out,
    because others stay better and newer.
    """

    def __init__(self, *, most: int, directions: Sequence[Direction]) -> None:
        self._most = most
        self._direction, *self._further = directions
        self._trials: list[StudyTrial] = []

    def add(self, trial: StudyTrial) -> None:
        bisect.insort(self._trials, trial, key=lambda t: t.number)
        if len(self._trials) > 2 * self._most:  # not at every trial: a resume adds thousands
            self._leave_out()

    def __iter__(self) -> Iterator[StudyTrial]:
        self._leave_out()
        return iter(self._trials)

    def __len__(self) -> int:
        return min(len(self._trials), self._most)

    def _leave_out(self) -> None:
        if len(self._trials) <= self._most:
            return
        share = self._most // 10 // (1 + len(self._further))
        best = heapq.nsmallest(share, self._trials, key=self._rank)
        kept = {trial.number for trial in best}
        for place, direction in enumerate(self._further):
            best = heapq.nsmallest(share, self._trials, key=_by_other(place, direction))
            kept.update(trial.number for trial in best)
        latest = [trial for trial in self._trials if trial.number not in kept]
        kept.update(trial.number for trial in latest[len(self._trials) - self._most :])
        self._trials = [trial for trial in self._trials if trial.number in kept]

    def _rank(self, trial: StudyTrial) -> tuple[bool, int, float]:
        """Smaller is better, in TPE's order: finished trials by value, stopped ones by how far."""
        sign = self._direction.sign
        if trial.finished:
            best = self._direction.best(trial.values.values()) or 0.0
            return (False, 0, -sign * best)
        return (True, -trial.last, -sign * trial.values[trial.last])


def _by_other(place: int, direction: Direction) -> Callable[[StudyTrial], tuple[float, int]]:
    """The order of trials by one of their further objectives, the better and earlier first."""

    def rank(trial: StudyTrial) -> tuple[float, int]:
        return (-direction.sign * (trial.others or ())[place], trial.number)

    return rank
