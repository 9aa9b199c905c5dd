"""Plays a search on recorded curves in simulated time: no training, no processes, no waiting."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks._recorded import Point, Task, Values


class Search(Protocol):
    """What bertsweep and each peer is played through."""

    def propose(self) -> tuple[int, Point] | None:
        """A trial and its point; None where nothing can run until another report is in.

        A trial that was proposed before goes on where it paused.
        """

    def report(self, trial: int, report: int, value: float) -> bool:
        """Hears the value of a trial's report, counted from 1; whether the trial stops here."""

    def told(self, trial: int, *, finished: bool) -> None:
        """A trial has stopped, or `finished` all its reports."""


@dataclass
class Outcome:
    """What became of a play: the best value when so many trainings were spent, and the trials."""

    best: dict[float, float]
    trials: int = 0
    finished: int = 0


@dataclass
class _Clock:
    """Which report of which trial is next; time is counted in full trainings."""

    workers: int
    order: itertools.count[int] = field(default_factory=itertools.count)
    events: list[tuple[float, int, int, int]] = field(default_factory=list)

    def begin(self, now: float, trial: int, report: int, step: float) -> None:
        heapq.heappush(self.events, (now + step, next(self.order), trial, report))


def play(search: Search, task: Task, *, workers: int, budgets: Sequence[float]) -> Outcome:
    """Runs a search until the largest budget, in full trainings of all workers, is spent.

    Every report takes the same time. What is read at a budget is the best of all reports by then,
    which is what the tool hands its user.
    """
    clock, step, best = _Clock(workers), 1 / task.reports, float("-inf")
    outcome, curves = Outcome({}), dict[int, Values]()
    idle, reports, now, waiting = workers, dict[int, int](), 0.0, sorted(budgets)
    while True:
        while idle and (proposed := search.propose()) is not None:
            trial, point = proposed
            if trial not in curves:
                curves[trial] = task.curve(point)
            idle -= 1
            clock.begin(now, trial, reports.get(trial, 0) + 1, step)
        if not clock.events:
            break
        now, _, trial, report = heapq.heappop(clock.events)
        while waiting and now * workers > waiting[0] + 1e-9:
            outcome.best[waiting.pop(0)] = best
        if not waiting:
            break
        value = float(curves[trial][report - 1])
        reports[trial], best = report, max(best, value)
        finished = report == task.reports
        if search.report(trial, report, value) or finished:
            search.told(trial, finished=finished)
            outcome.finished += finished
            idle += 1
        else:
            clock.begin(now, trial, report + 1, step)
    outcome.best |= dict.fromkeys(waiting, best)
    outcome.trials = len(curves)
    return outcome
