"""The Optuna study of a sweep: asked for points, told what became of them, refilled by a ledger."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState

from bertsweep import ledger
from bertsweep.ledger import BASELINE, SAMPLER, WARM_START
from bertsweep.search.fitted_trials import FITTED, Memory, rank, shown
from bertsweep.seeds import derive
from bertsweep.space import Choice, Domain, Float, Int, Parameter, Point, Scalar, Space
from bertsweep.spec.models import Sampler

_STATES = {
    ledger.RUNNING: TrialState.RUNNING,
    ledger.FINISHED: TrialState.COMPLETE,
    ledger.STOPPED: TrialState.PRUNED,
}


@dataclass(frozen=True)
class Asked:
    """A point to try, and where it comes from; `point` holds the active parameters alone."""

    number: int
    point: Point
    origin: str


def distribution(domain: Domain) -> BaseDistribution:
    """The Optuna distribution of a domain that is searched. Raises `TypeError` for a fixed one."""
    if isinstance(domain, Float):
        return FloatDistribution(domain.low, domain.high, log=domain.log, step=domain.step)
    if isinstance(domain, Int):
        return IntDistribution(domain.low, domain.high, log=domain.log, step=domain.step)
    if isinstance(domain, Choice):
        return CategoricalDistribution(domain.options)
    raise TypeError(f"a fixed value has no distribution, but got {domain}")


def build_sampler(sampler: Sampler, *, seed: int) -> optuna.samplers.BaseSampler:
    """The Optuna sampler of a section, each option that matters set by name.

    A grid is not among Optuna's here: `Study` walks it itself, conditions heeded.
    """
    startup = sampler.startup_trials
    if sampler.kind == "tpe":
        with warnings.catch_warnings():
            # `group` is marked experimental; without it TPE samples conditional spaces at random.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.samplers.TPESampler(
                n_startup_trials=startup,
                multivariate=True,
                group=True,
                constant_liar=True,
                seed=seed,
            )
    if sampler.kind == "gp":
        return optuna.samplers.GPSampler(n_startup_trials=startup, seed=seed)
    if sampler.kind == "cmaes":
        return optuna.samplers.CmaEsSampler(n_startup_trials=startup, seed=seed)
    return optuna.samplers.RandomSampler(seed=seed)


class _Past(NamedTuple):
    """A trial of an earlier run that has ended."""

    point: Point
    status: str
    values: Mapping[int, float]


class Study:
    """Asks and tells one in-memory Optuna study; numbers trials in the order they were asked.

    `baseline` is number 0 and `warm_start` the numbers after it. A point that does not lie in the
    space is run all the same, but the sampler cannot learn from it. A sampler that fits a model
    takes the running trials and `fitted` ended ones: the best tenth and the latest.
    """

    def __init__(
        self,
        space: Space,
        *,
        sampler: Sampler,
        seed: int,
        mode: str,
        baseline: Point,
        warm_start: Sequence[Point] = (),
        fitted: int = FITTED,
    ) -> None:
        self.space = space
        self._queue = [(BASELINE, baseline), *((WARM_START, point) for point in warm_start)]
        self._grid = list(space.grid()) if sampler.kind == "grid" else None
        self._sampler, self._seed = sampler, seed
        fits = sampler.kind in ("tpe", "gp")
        self._most = max(fitted, sampler.startup_trials) if fits else None
        self._sign = -1.0 if mode == "max" else 1.0
        self._memory = Memory(self._most, self._sign)
        self._study = optuna.create_study(
            storage=self._memory,
            sampler=build_sampler(sampler, seed=seed),
            direction="maximize" if mode == "max" else "minimize",
        )
        self._mode = mode
        self._asked: list[Point] = []
        self._open: dict[int, optuna.trial.Trial] = {}
        self._past: list[_Past] = []

    def ask(self) -> Asked | None:
        """The next point; None when a grid has no more."""
        number = len(self._asked)
        if number < len(self._queue):
            origin, point = self._queue[number]
            return self._give(number, point, origin)
        if self._grid is not None:
            untried = (p for p in self._grid if p not in self._asked)
            point = next(untried, {})
            return self._give(number, point, SAMPLER) if point else None
        # A sampler's stream of random numbers would begin anew in a resumed sweep and propose the
        # same points again. Seeded by number, it proposes what an uninterrupted one would have.
        self._study.sampler = build_sampler(self._sampler, seed=derive(self._seed, number))
        self._recall()
        self._memory.forget()
        trial = self._study.ask()
        self._open[number] = trial
        self._asked.append(self._suggest(trial))
        return Asked(number, self._asked[-1], SAMPLER)

    def report(self, number: int, report: int, value: float) -> None:
        """An intermediate objective value, by report number."""
        trial = self._open.get(number)
        if trial is not None and math.isfinite(value):
            trial.report(value, step=report)

    def tell(self, number: int, status: str, value: float | None) -> None:
        """How a trial ended: its best value when it finished, no value otherwise."""
        trial = self._open.pop(number, None)
        if trial is None:
            return
        if status == ledger.FINISHED and value is not None:
            self._study.tell(trial, value)
        elif status == ledger.STOPPED:
            self._study.tell(trial, state=TrialState.PRUNED)
        else:
            self._study.tell(trial, state=TrialState.FAIL)

    def refill(
        self, number: int, point: Point, *, status: str, values: Mapping[int, float]
    ) -> None:
        """Puts back a trial of an earlier run that has ended; call in order of number.

        `values` are its objective values by report number.
        """
        self._check_order(number)
        self._asked.append(point)
        if status in (ledger.FINISHED, ledger.STOPPED) and self._in_space(point):
            self._past.append(_Past(point, status, values))

    def reopen(self, number: int, point: Point) -> None:
        """Puts back a trial that is to go on; it can be reported and told like one just asked."""
        self._check_order(number)
        self._recall()
        self._give(number, point, SAMPLER)

    def _recall(self) -> None:
        """Puts into Optuna's study what `refill` was told, but only what it would show a sampler.

        The ten thousandth trial of a sweep would wait seconds for the others otherwise.
        """
        best = max if self._mode == "max" else min
        ranks = []
        for past in self._past:
            finished = past.status == ledger.FINISHED
            value = best(past.values.values(), default=None) if finished else None
            ranks.append(rank(value, past.values, self._sign))
        for at in shown(ranks, self._most or len(ranks)):
            point, status, values = self._past[at]
            self._study.add_trial(
                frozen_trial(self.space, point, status=status, values=values, mode=self._mode)
            )
        self._past.clear()

    def _give(self, number: int, point: Point, origin: str) -> Asked:
        self._asked.append(point)
        if self._in_space(point):
            searched = {p.name: point[p.name] for p in self.space.searched if p.name in point}
            self._study.enqueue_trial(searched)
            trial = self._study.ask()
            self._suggest(trial)
            self._open[number] = trial
        return Asked(number, point, origin)

    def _suggest(self, trial: optuna.trial.Trial) -> Point:
        point: Point = {}
        for parameter in self.space.parameters:
            if parameter.active(point):
                point[parameter.name] = _draw(trial, parameter)
        return point

    def _in_space(self, point: Point) -> bool:
        return not self.space.outside(point)

    def _check_order(self, number: int) -> None:
        if number != len(self._asked):
            raise ValueError(f"trial {len(self._asked)} must come next, but got {number}")


def frozen_trial(
    space: Space, point: Point, *, status: str, values: Mapping[int, float], mode: str
) -> FrozenTrial:
    """A trial as Optuna records it: state, parameters, and `values` by report number.

    A finished trial's value is its best one, not its last. A point outside the space has no
    parameters, which a study would refuse, but user attributes.
    """
    state = _STATES.get(status, TrialState.FAIL)
    if state == TrialState.COMPLETE and not values:
        state = TrialState.FAIL
    best = (max if mode == "max" else min)(values.values(), default=None)
    inside = not space.outside(point)
    searched = [p for p in space.searched if p.name in point] if inside else []
    return optuna.trial.create_trial(
        state=state,
        value=best if state == TrialState.COMPLETE else None,
        params={p.name: point[p.name] for p in searched},
        distributions={p.name: distribution(p.domain) for p in searched},
        intermediate_values=dict(values),
        user_attrs={} if inside else {"point": dict(point)},
    )


def _draw(trial: optuna.trial.Trial, parameter: Parameter) -> Scalar:
    name, domain = parameter.name, parameter.domain
    if isinstance(domain, Float):
        return trial.suggest_float(name, domain.low, domain.high, log=domain.log, step=domain.step)
    if isinstance(domain, Int):
        return trial.suggest_int(name, domain.low, domain.high, log=domain.log, step=domain.step)
    if isinstance(domain, Choice):
        return trial.suggest_categorical(name, domain.options)
    return domain.value
