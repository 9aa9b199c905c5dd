"""One question to an Optuna sampler: what it proposes after these trials."""

from __future__ import annotations

from collections.abc import Container, Sequence

import optuna
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from bertsweep.direction import Direction
from bertsweep.space import Choice, Float, Int, Parameter, Point, Scalar, Space


def ask(
    sampler: BaseSampler,
    space: Space,
    trials: Sequence[FrozenTrial],
    *,
    directions: Sequence[Direction],
) -> Point:
    """The point of the space that a sampler proposes when it has seen `trials`, oldest first.

    `directions` has one for each value of a trial. Nothing is kept: the same
    sampler, seed and trials propose the same point again.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # every new study is news to Optuna
    study = optuna.create_study(
        storage=_Snapshot(trials),
        sampler=sampler,
        directions=named(directions),
    )
    trial = study.ask()
    point: Point = {}
    for parameter in space.parameters:
        if parameter.active(point):
            point[parameter.name] = _suggest(trial, parameter)
    return point


def named(directions: Sequence[Direction]) -> list[str]:
    """The directions in Optuna's words."""
    return ["maximize" if one is Direction.MAX else "minimize" for one in directions]


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
