"""Optuna's samplers, each asked for one point at a time from the trials that it is shown."""

from __future__ import annotations

import warnings
from collections.abc import Container, Sequence

import optuna
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from bertsweep.direction import Direction
from bertsweep.space import Choice, Float, Int, Parameter, Point, Scalar, Space
from bertsweep.spec.models import Sampler


def build_sampler(section: Sampler, *, seed: int, fixed: Point | None = None) -> BaseSampler:
    """The Optuna sampler of a section, each option that matters set by name.

    Parameters in `fixed` have those values. Neither a grid nor CMA-ES is among Optuna's here:
    `Study` walks a grid itself, conditions heeded, and what `evolution.py` samples comes in by
    `fixed`; the parameters that are left are drawn at random.
    """
    with warnings.catch_warnings():
        # `group` and `PartialFixedSampler` are marked experimental. Without `group`, TPE samples
        # conditional spaces at random.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if section.kind == "tpe":
            return optuna.samplers.TPESampler(
                n_startup_trials=section.startup_trials,
                multivariate=True,
                group=True,
                constant_liar=True,
                seed=seed,
            )
        if section.kind == "gp":
            return optuna.samplers.GPSampler(
                n_startup_trials=section.startup_trials, seed=seed, warn_independent_sampling=False
            )
        at_random = optuna.samplers.RandomSampler(seed=seed)
        return optuna.samplers.PartialFixedSampler(fixed, at_random) if fixed else at_random


def propose(
    space: Space, sampler: BaseSampler, trials: Sequence[FrozenTrial], *, direction: Direction
) -> Point:
    """The point of the space that a sampler proposes when it has seen `trials`, oldest first.

    Nothing is kept: the same sampler, seed and trials propose the same point again.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # a new study is news to Optuna
    study = optuna.create_study(
        storage=_Snapshot(trials),
        sampler=sampler,
        direction="maximize" if direction is Direction.MAX else "minimize",
    )
    trial = study.ask()
    point: Point = {}
    for parameter in space.parameters:
        if parameter.active(point):
            point[parameter.name] = _suggest(trial, parameter)
    return point


class _Snapshot(optuna.storages.InMemoryStorage):
    """A storage that shows `trials` before the one that is asked for; it does not copy them."""

    def __init__(self, trials: Sequence[FrozenTrial]) -> None:
        super().__init__()
        self._shown = trials
        for number, trial in enumerate(trials, start=1):
            trial.number = number  # in order of age; 0 is the trial that is asked for

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,  # noqa: FBT001, FBT002 - Optuna's signature
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        asked = super().get_all_trials(study_id, deepcopy, states)
        return [t for t in self._shown if states is None or t.state in states] + asked


def _suggest(trial: optuna.trial.Trial, parameter: Parameter) -> Scalar:
    name, domain = parameter.name, parameter.domain
    if isinstance(domain, Float):
        low, high, step = domain.low, domain.high, domain.step
        return domain.nearest(trial.suggest_float(name, low, high, log=domain.log, step=step))
    if isinstance(domain, Int):
        return trial.suggest_int(name, domain.low, domain.high, log=domain.log, step=domain.step)
    if isinstance(domain, Choice):
        return trial.suggest_categorical(name, domain.options)
    return domain.value
