"""The samplers: each proposes a point from a seed and from the trials that it has seen."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from bertsweep.direction import Direction
from bertsweep.search.comparable import full_values
from bertsweep.search.evolution import Evolution, evolved_ranges
from bertsweep.search.fitted_trials import FittedTrials, StudyTrial
from bertsweep.search.frozen import frozen_trial
from bertsweep.search.optuna_ask import ask
from bertsweep.space import Point, Space
from bertsweep.spec.models import Sampler

SamplerState = Mapping[str, Any]
"""What later proposals need to know of one beside its point, as plain JSON."""


class RandomPoints:
    """Draws points at random, and is the base of the samplers that fit a model.

    For each trial, `observe` comes first, then `propose` with one seed after the other until a
    point is new, with `passed_over` in between, and `accepted` at last. When a sweep is resumed,
    `recall` and `accepted` take the place of all that, for each trial in order of number.
    """

    def __init__(self, space: Space, *, section: Sampler, direction: Direction, seed: int) -> None:
        self.space, self.section, self.direction = space, section, direction

    def observe(self, ended: FittedTrials, running: Iterable[StudyTrial]) -> SamplerState:
        """Takes the trials there are; what must be recorded with the proposal that follows."""
        return {}

    def propose(self, seed: int) -> tuple[Point, SamplerState]:
        """A point, and what must be recorded with it. Equal seeds propose equal points."""
        return self._ask(optuna.samplers.RandomSampler(seed=seed)), {}

    def passed_over(self, point: Point) -> None:
        """The point was tried before; the next proposal for this trial should be another."""

    def accepted(self, number: int, point: Point, state: SamplerState) -> None:
        """The point is that of the trial with this number, and `state` is recorded with it."""

    def recall(self, state: SamplerState) -> None:
        """What `observe` did to the model when it returned this."""

    def _ask(
        self, sampler: optuna.samplers.BaseSampler, trials: Iterable[FrozenTrial] = ()
    ) -> Point:
        return ask(sampler, self.space, list(trials), direction=self.direction)


class _Fitted(RandomPoints):
    """Shows ended and running trials to an Optuna sampler that keeps nothing itself."""

    _shown: list[FrozenTrial]

    def observe(self, ended: FittedTrials, running: Iterable[StudyTrial]) -> SamplerState:
        numbered = self._ended(list(ended)) | {t.number: self._frozen(t) for t in running}
        self._shown = [numbered[number] for number in sorted(numbered)]
        return {}

    def propose(self, seed: int) -> tuple[Point, SamplerState]:
        return self._ask(self._sampler(seed), self._shown), {}

    def passed_over(self, point: Point) -> None:
        # As if it were running, so that the model looks elsewhere; forgotten with this proposal.
        self._shown.append(self._frozen(StudyTrial(len(self._shown), point)))

    def _ended(self, trials: list[StudyTrial]) -> dict[int, FrozenTrial]:
        found = {}
        for trial in trials:
            trial.frozen = trial.frozen or self._frozen(trial)
            found[trial.number] = trial.frozen
        return found

    def _frozen(self, trial: StudyTrial) -> FrozenTrial:
        return frozen_trial(
            self.space,
            trial.point,
            status=trial.status,
            values=trial.values,
            mode=self.direction.value,
        )

    def _sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        raise NotImplementedError


class Tpe(_Fitted):
    """Tree-structured Parzen estimator. Ranks stopped trials behind finished ones, by how far."""

    def _sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        with warnings.catch_warnings():
            # `group` is marked experimental; without it conditional spaces are sampled at random.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.samplers.TPESampler(
                n_startup_trials=self.section.startup_trials,
                multivariate=True,
                group=True,
                constant_liar=True,
                seed=seed,
            )


class GaussianProcess(_Fitted):
    """A Gaussian process. Sees stopped trials as finished, their values carried on to the end."""

    def _ended(self, trials: list[StudyTrial]) -> dict[int, FrozenTrial]:
        values = full_values(trials, self.direction)
        frozen = super()._ended(trials)
        return {number: _completed(frozen[number], value) for number, value in values.items()}

    def _sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        return optuna.samplers.GPSampler(
            n_startup_trials=self.section.startup_trials, seed=seed, warn_independent_sampling=False
        )


class CmaEs(RandomPoints):
    """CMA-ES over the ranges of a space; the other parameters are drawn at random.

    Recorded are the number of the trial that it begins at, `begun`; with a proposal its
    `generation`; and with the first one after a generation was complete the numbers of its trials,
    best first, `told`.
    """

    def __init__(self, space: Space, *, section: Sampler, direction: Direction, seed: int) -> None:
        super().__init__(space, section=section, direction=direction, seed=seed)
        self._evolution = Evolution(evolved_ranges(space), seed=seed)
        self._points: dict[int, Point] = {}

    def observe(self, ended: FittedTrials, running: Iterable[StudyTrial]) -> SamplerState:
        values = full_values(ended, self.direction)
        state: dict[str, Any] = {}
        if not self._evolution.begun and len(ended) >= self.section.startup_trials:
            state["begun"] = max(values, key=lambda n: (self.direction.sign * values[n], -n))
        told = self._evolution.complete(values, self.direction)
        if told:
            state["told"] = told
        self.recall(state)
        return state

    def propose(self, seed: int) -> tuple[Point, SamplerState]:
        if not self._evolution.begun:
            return super().propose(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.PartialFixedSampler(
                self._evolution.sample(seed), optuna.samplers.RandomSampler(seed=seed)
            )
        return self._ask(sampler), {"generation": self._evolution.generation}

    def accepted(self, number: int, point: Point, state: SamplerState) -> None:
        if "generation" in state:
            self._evolution.join(number, point)
        elif not self._evolution.begun:
            self._points[number] = point

    def recall(self, state: SamplerState) -> None:
        if "begun" in state:
            self._evolution.begin(self._points[state["begun"]])
            self._points.clear()
        if "told" in state:
            self._evolution.tell(state["told"])


def build_sampler(
    section: Sampler, space: Space, *, direction: Direction, seed: int
) -> RandomPoints:
    """The sampler of a section. `seed` is that of a model which lasts, not of a proposal.

    A grid is none: `Study` walks it.
    """
    kinds: dict[str, type[RandomPoints]] = {"tpe": Tpe, "gp": GaussianProcess}
    if section.kind == "cmaes" and evolved_ranges(space):
        kinds["cmaes"] = CmaEs
    return kinds.get(section.kind, RandomPoints)(
        space, section=section, direction=direction, seed=seed
    )


def _completed(trial: FrozenTrial, value: float) -> FrozenTrial:
    """The trial as one that finished with this value: Optuna's GP fits no others."""
    completed = copy.copy(trial)
    completed.state, completed.value = TrialState.COMPLETE, value
    return completed
