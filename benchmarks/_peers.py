"""The peers of our search, each driven through its own classes, and how to build one by name.

Every peer gets the same: the space, the first configuration and every report. Where a peer has
settings, they are its defaults, with one report as the shortest training that it may stop.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks._played import Search
from benchmarks._recorded import Point, Task


@dataclass(frozen=True)
class Setting:
    """What a search is given besides the task; `start` is its first configuration.

    `trusted` says whether a peer that takes a prior may take `start` as one: not where it is drawn.
    `budget` is in full trainings, for searches that plan with it. `settings` are bertsweep's.
    """

    seed: int
    start: Point
    trusted: bool
    workers: int
    budget: float
    settings: Mapping[str, Any] = field(default_factory=dict)


class Asha:
    """Random search with asynchronous successive halving, stopping (Li et al. 2020)."""

    def __init__(self, task: Task, setting: Setting, *, factor: float = 3) -> None:
        self._task, self._start, self._count = task, setting.start, 0
        self._random = np.random.default_rng(setting.seed)
        count = math.ceil(math.log(task.reports, factor) - 1e-9)
        self._rungs = {round(factor**rung): list[float]() for rung in range(count)}
        self._factor = factor

    def propose(self) -> tuple[int, Point] | None:
        self._count += 1
        return self._count, self._start if self._count == 1 else drawn(self._task, self._random)

    def report(self, trial: int, report: int, value: float) -> bool:
        if report not in self._rungs:
            return False
        values = self._rungs[report]
        values.append(value)
        best = sorted(values, reverse=True)
        return len(best) >= self._factor and value < best[int(len(best) / self._factor) - 1]

    def told(self, trial: int, *, finished: bool) -> None:
        pass


class TopK:
    """Trains every random configuration for one report, then the best three to their end.

    Source: Egele et al. 2023, "Is one epoch all you need for multi-fidelity hyperparameter
    optimization?". So many are tried that all together use up the budget. It needs to know it.
    """

    KEPT = 3

    def __init__(self, task: Task, setting: Setting) -> None:
        self._task, self._random = task, np.random.default_rng(setting.seed)
        rest = math.ceil(self.KEPT / setting.workers) * (task.reports - 1)
        rounds = math.floor(setting.budget / setting.workers * task.reports + 1e-9) - rest
        self._tried = max(self.KEPT, rounds * setting.workers)
        self._points = [setting.start]
        self._points += [drawn(task, self._random) for _ in range(self._tried - 1)]
        self._next, self._values = 0, dict[int, float]()
        self._chosen: list[int] | None = None

    def propose(self) -> tuple[int, Point] | None:
        if self._next < self._tried:
            self._next += 1
            return self._next - 1, self._points[self._next - 1]
        if len(self._values) < self._tried:
            return None
        if self._chosen is None:
            order = sorted(self._values, key=lambda trial: -self._values[trial])
            self._chosen = order[: self.KEPT]
        if not self._chosen:
            return None
        trial = self._chosen.pop(0)
        return trial, self._points[trial]

    def report(self, trial: int, report: int, value: float) -> bool:
        if report > 1:
            return False
        self._values[trial] = value
        return True

    def told(self, trial: int, *, finished: bool) -> None:
        pass


PEERS = {
    "random+asha": ("benchmarks._peers", "Asha"),
    "briefly-top-3": ("benchmarks._peers", "TopK"),
    "ray": ("benchmarks._peers_optuna", "Ray"),
    "optuna-tpe": ("benchmarks._peers_optuna", "OptunaTpe"),
    "optuna-gp": ("benchmarks._peers_optuna", "OptunaGp"),
    "syne-asha": ("benchmarks._peers_syne", "Asha"),
    "syne-bohb": ("benchmarks._peers_syne", "Bohb"),
    "syne-ashabore": ("benchmarks._peers_syne", "AshaBore"),
    "syne-ashacqr": ("benchmarks._peers_syne", "AshaCqr"),
    "priorband": ("benchmarks._peers_neps", "PriorBand"),
}
"""Name → where its class is; imported when played, as each needs packages of its own."""

PLANNED = ("briefly-top-3",)
"""Searches that plan with their budget: played once for each."""


def build(name: str, task: Task, setting: Setting) -> Search:
    """The search of a name. Raises `ImportError` where this Python lacks its package."""
    module, found = PEERS.get(name, ("benchmarks._searched", "Bertsweep"))
    made: Search = getattr(importlib.import_module(module), found)(task, setting)
    return made


def drawn(task: Task, random: np.random.Generator) -> Point:
    """A configuration at random."""
    return {axis.name: axis.at(float(random.random())) for axis in task.axes}
