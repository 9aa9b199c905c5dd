"""The samplers: each proposes a point from a seed and from the trials that it has seen."""

from __future__ import annotations

import copy
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
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

    def __init__(
        self, space: Space, *, section: Sampler, directions: Sequence[Direction], seed: int
    ) -> None:
        self.space, self.section = space, section
        self.directions, self.direction = directions, directions[0]

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
        return ask(sampler, self.space, list(trials), directions=self.directions)


class _Fitted(RandomPoints, ABC):
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
            others=trial.others,
        )

    def _carried_on(self, trials: list[StudyTrial]) -> dict[int, FrozenTrial]:
        """Trials as if all had finished, the first objective of stopped ones carried on."""
        values = full_values(trials, self.direction)
        return {
            trial.number: _completed(trial.frozen, [values[trial.number], *(trial.others or ())])
            for trial in trials
            if trial.frozen is not None
        }

    @abstractmethod
    def _sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        """Optuna's sampler, which is asked once with this seed."""


class Tpe(_Fitted):
    """Tree-structured Parzen estimator. Ranks stopped trials behind finished ones, by how far.

    With several objectives, Optuna's has no place for stopped trials: it sees them as finished, the
    first objective carried on to the end (Ozaki et al. 2022, "Multiobjective tree-structured Parzen
    estimator", JAIR 73).
    """

    def _ended(self, trials: list[StudyTrial]) -> dict[int, FrozenTrial]:
        frozen = super()._ended(trials)
        return frozen if len(self.directions) == 1 else self._carried_on(trials)

    def _sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        with warnings.catch_warnings():
            # `group` is marked experimental; without it conditional spaces are sampled at random.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.samplers.TPESampler(
                n_startup_trials=self.section.startup,
                multivariate=True,
                group=True,
                constant_liar=True,
                seed=seed,
            )


class GaussianProcess(_Fitted):
    """A Gaussian process. Sees stopped trials as finished, their values carried on to the end."""

    def _ended(self, trials: list[StudyTrial]) -> dict[int, FrozenTrial]:
        super()._ended(trials)
        return self._carried_on(trials)

    def _sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        return optuna.samplers.GPSampler(
            n_startup_trials=self.section.startup, seed=seed, warn_independent_sampling=False
        )


class CmaEs(RandomPoints):
    """CMA-ES over the ranges of a space; the other parameters are drawn at random. It moves towards
    one objective.

    Recorded are the number of the trial that it begins at, `begun`; with a proposal its
    `generation`; and with the first one after a generation was complete the numbers of its trials,
    best first, `told`.
    """

    def __init__(
        self, space: Space, *, section: Sampler, directions: Sequence[Direction], seed: int
    ) -> None:
        super().__init__(space, section=section, directions=directions, seed=seed)
        self._evolution = Evolution(evolved_ranges(space), seed=seed)
        self._points: dict[int, Point] = {}

    def observe(self, ended: FittedTrials, running: Iterable[StudyTrial]) -> SamplerState:
        values = full_values(ended, self.direction)
        state: dict[str, Any] = {}
        if not self._evolution.begun and len(ended) >= self.section.startup:
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
    section: Sampler, space: Space, *, directions: Sequence[Direction], seed: int
) -> RandomPoints:
    """The sampler of a section; `directions` has one for each objective. `seed` is that of a
    model which lasts, not of a proposal.

    A grid is none: `Study` walks it.
    """
    kinds: dict[str, type[RandomPoints]] = {"tpe": Tpe, "gp": GaussianProcess}
    if section.kind == "cmaes" and evolved_ranges(space):
        kinds["cmaes"] = CmaEs
    return kinds.get(section.kind, RandomPoints)(
        space, section=section, directions=directions, seed=seed
    )


def _completed(trial: FrozenTrial, values: Sequence[float]) -> FrozenTrial:
    """The trial as one that finished with these values, one for each objective."""
    completed = copy.copy(trial)
    completed.state, completed.values = TrialState.COMPLETE, list(values)
    return completed
