"""Syne Tune's multi-fidelity searches, driven as its tuner drives a scheduler."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from syne_tune import config_space
from syne_tune.backend.trial_status import Trial
from syne_tune.optimizer import baselines

from benchmarks._peers import Setting
from benchmarks._recorded import Point, Task


class Asha:
    """Random search with Syne Tune's ASHA."""

    scheduler = baselines.ASHA

    def __init__(self, task: Task, setting: Setting) -> None:
        self._task = task
        self._scheduler: Any = self.scheduler(
            config_space={axis.name: _domain(axis) for axis in task.axes},
            metric="value",
            time_attr="report",
            max_t=task.reports,
            do_minimize=False,
            random_seed=setting.seed,
            points_to_evaluate=[
                {
                    a.name: int(setting.start[a.name]) if a.whole else setting.start[a.name]
                    for a in task.axes
                }
            ],
        )
        self._trials: dict[int, Trial] = {}

    def propose(self) -> tuple[int, Point] | None:
        suggested = self._scheduler.suggest()
        if suggested is None:
            return None
        number = len(self._trials)
        trial = Trial(number, suggested.config, datetime.now())
        self._trials[number] = trial
        self._scheduler.on_trial_add(trial)
        return number, {a.name: float(suggested.config[a.name]) for a in self._task.axes}

    def report(self, trial: int, report: int, value: float) -> bool:
        result = {"value": value, "report": report}
        return bool(self._scheduler.on_trial_result(self._trials[trial], result) == "STOP")

    def told(self, trial: int, *, finished: bool) -> None:
        self._scheduler.on_trial_remove(self._trials[trial])


class Bohb(Asha):
    """Kernel density estimates (Falkner et al. 2018) with asynchronous successive halving."""

    scheduler = baselines.BOHB


class AshaBore(Asha):
    """A classifier of good and bad (Tiao et al. 2021) on each rung."""

    scheduler = baselines.ASHABORE


class AshaCqr(Asha):
    """Conformalised quantile regression (Salinas et al. 2023) on the last values."""

    scheduler = baselines.ASHACQR


def _domain(axis: Any) -> Any:
    if axis.whole:
        named = config_space.lograndint if axis.log else config_space.randint
        return named(int(axis.low), int(axis.high))
    named = config_space.loguniform if axis.log else config_space.uniform
    return named(axis.low, axis.high)
