"""Ray Tune's OptunaSearch with its ASHA, and Optuna's own samplers with its Hyperband pruner."""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import optuna

from benchmarks._peers import Setting
from benchmarks._recorded import Axis, Point, Task

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)


class Ray:
    """Ray's searcher and scheduler as Tune's controller calls them, without its actors.

    The result that ends a trial reaches the searcher through `on_trial_complete` alone. Of a trial
    that is stopped, as of one that finishes, that is the last value.
    """

    def __init__(self, task: Task, setting: Setting) -> None:
        from ray.tune.schedulers import ASHAScheduler
        from ray.tune.search.optuna import OptunaSearch

        self._task = task
        self._search = OptunaSearch(
            space={axis.name: _distribution(axis) for axis in task.axes},
            metric="value",
            mode="max",
            seed=setting.seed,
            points_to_evaluate=[_typed(task, setting.start)],
        )
        self._asha = ASHAScheduler(metric="value", mode="max", max_t=task.reports)
        self._results: dict[int, dict[str, Any]] = {}

    def propose(self) -> tuple[int, Point] | None:
        trial = len(self._results) + 1
        self._results[trial] = {}
        point = self._search.suggest(str(trial))
        self._asha.on_trial_add(None, SimpleNamespace(trial_id=str(trial)))
        return trial, {axis.name: float(point[axis.name]) for axis in self._task.axes}

    def report(self, trial: int, report: int, value: float) -> bool:
        result = {"value": value, "training_iteration": report}
        self._results[trial] = result
        if report == self._task.reports:
            return True
        stands_for = SimpleNamespace(trial_id=str(trial))
        decision = self._asha.on_trial_result(None, stands_for, result)
        if decision == "STOP":
            return True
        self._search.on_trial_result(str(trial), result)
        return False

    def told(self, trial: int, *, finished: bool) -> None:
        stands_for = SimpleNamespace(trial_id=str(trial))
        self._asha.on_trial_complete(None, stands_for, self._results[trial])
        self._search.on_trial_complete(str(trial), self._results[trial])


class OptunaTpe:
    """Optuna's TPE as it is by default, with `HyperbandPruner`."""

    def __init__(self, task: Task, setting: Setting) -> None:
        self._task = task
        self._study = optuna.create_study(
            direction="maximize",
            sampler=self.sampler(setting.seed),
            pruner=optuna.pruners.HyperbandPruner(min_resource=1, max_resource=task.reports),
        )
        self._study.enqueue_trial(_typed(task, setting.start))
        self._space = {axis.name: _distribution(axis) for axis in task.axes}
        self._trials: dict[int, optuna.Trial] = {}
        self._best: dict[int, float] = {}

    def sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        return optuna.samplers.TPESampler(seed=seed)

    def propose(self) -> tuple[int, Point] | None:
        trial = self._study.ask(self._space)
        self._trials[trial.number] = trial
        return trial.number, {a.name: float(trial.params[a.name]) for a in self._task.axes}

    def report(self, trial: int, report: int, value: float) -> bool:
        self._best[trial] = max(value, self._best.get(trial, value))
        self._trials[trial].report(value, report)
        return report < self._task.reports and self._trials[trial].should_prune()

    def told(self, trial: int, *, finished: bool) -> None:
        if finished:
            self._study.tell(self._trials[trial], self._best[trial])
        else:
            self._study.tell(self._trials[trial], state=optuna.trial.TrialState.PRUNED)


class OptunaGp(OptunaTpe):
    """Optuna's Gaussian process, which needs torch, with `HyperbandPruner`."""

    def sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        import torch

        torch.set_num_threads(1)
        return optuna.samplers.GPSampler(seed=seed)


def _distribution(axis: Axis) -> optuna.distributions.BaseDistribution:
    if axis.whole:
        return optuna.distributions.IntDistribution(int(axis.low), int(axis.high), log=axis.log)
    return optuna.distributions.FloatDistribution(axis.low, axis.high, log=axis.log)


def _typed(task: Task, point: Point) -> dict[str, Any]:
    return {a.name: int(point[a.name]) if a.whole else point[a.name] for a in task.axes}
