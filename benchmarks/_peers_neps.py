"""NePS's PriorBand (Mallik et al. 2023), asked and told."""

from __future__ import annotations

from typing import Any

import neps
import numpy as np
import torch

from benchmarks._peers import Setting, drawn
from benchmarks._recorded import Axis, Point, Task

torch.set_num_threads(1)

_OWN = 10_000
"""The first number of trials that NePS did not propose, above those that it gives its own."""


class PriorBand:
    """PriorBand on asynchronous HyperBand. A trusted first configuration is its prior.

    Its trials pause at each rung, and the best go on. Where the first configuration is but one
    drawn at random, it has no prior.
    """

    def __init__(self, task: Task, setting: Setting) -> None:
        self._task = task
        torch.manual_seed(setting.seed)
        np.random.seed(setting.seed)
        self._random = np.random.default_rng(setting.seed)
        priors = setting.start if setting.trusted else {}
        space: dict[str, Any] = {a.name: _parameter(a, priors.get(a.name)) for a in task.axes}
        space["report"] = neps.HPOInteger(1, task.reports, is_fidelity=True)
        self._search = neps.AskAndTell(
            neps.algorithms.priorband(
                neps.SearchSpace(space), base="async_hb", sample_prior_first=setting.trusted
            )
        )
        self._asked: dict[int, tuple[Any, int]] = {}
        self._own: dict[int, Point] = {}

    def propose(self) -> tuple[int, Point] | None:
        try:
            asked = self._search.ask()
        except AssertionError:  # 0.17 where neither prior nor incumbent has any density
            trial = _OWN + len(self._own)
            self._own[trial] = drawn(self._task, self._random)
            return trial, self._own[trial]
        trial = int(asked.metadata.id.partition("_rung_")[0])
        self._asked[trial] = (asked, int(asked.config["report"]))
        return trial, {a.name: a.nearest(float(asked.config[a.name])) for a in self._task.axes}

    def report(self, trial: int, report: int, value: float) -> bool:
        if trial in self._own and trial not in self._asked:
            config = _typed(self._task, self._own[trial]) | {"report": 1}
            self._search.tell_custom(
                config_id=f"{trial}_rung_0", config=config, result={"objective_to_minimize": -value}
            )
            return True
        asked, until = self._asked[trial]
        if report < until:
            return False
        self._search.tell(asked, {"objective_to_minimize": -value})
        return True

    def told(self, trial: int, *, finished: bool) -> None:
        pass


def _parameter(axis: Axis, prior: float | None) -> Any:
    if axis.whole:
        whole = None if prior is None else int(prior)
        return neps.HPOInteger(int(axis.low), int(axis.high), log=axis.log, prior=whole)
    return neps.HPOFloat(axis.low, axis.high, log=axis.log, prior=prior)


def _typed(task: Task, point: Point) -> dict[str, Any]:
    return {a.name: int(point[a.name]) if a.whole else point[a.name] for a in task.axes}
