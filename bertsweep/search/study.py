"""The study of a sweep: asked for points, told what became of them, refilled from a ledger."""

from __future__ import annotations

import copy
import math
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from bertsweep.direction import Direction
from bertsweep.ledger import BASELINE, SAMPLER, WARM_START
from bertsweep.search.comparable import full_values
from bertsweep.search.evolution import Evolution, evolved_ranges
from bertsweep.search.fitted_trials import FITTED, FittedTrials, StudyTrial
from bertsweep.search.frozen import frozen_trial
from bertsweep.search.samplers import build_sampler, propose
from bertsweep.seeds import derive
from bertsweep.space import Point, Space
from bertsweep.spec.models import Sampler

TRIES = 5
"""Proposals that a sampler may make before the point of a trial is drawn at random."""

_RANDOM_TRIES = 20

SamplerState = Mapping[str, Any]
"""What a later proposal needs to know of an earlier one beside its point, as plain JSON."""


@dataclass(frozen=True)
class Asked:
    """A point to try, and where it comes from; `point` holds the active parameters alone.

    `sampler_state` is given back to `Study.refill` or `Study.reopen` when the sweep is resumed.
    """

    number: int
    point: Point
    origin: str
    sampler_state: SamplerState | None = None


class Study:
    """Proposes points and learns from what became of them; numbers trials as they are asked for.

    First come the `baseline` and the points of `warm_start`. One that does not lie in the space is
    run all the same, but the sampler cannot learn from it. No two trials are equal: two points are
    the same trial where `key` of them is equal, and as all trials of a sweep have one seed, the
    second would repeat the first bit for bit.

    A proposal depends on the seed, its number, the trials that have ended and those that run, and
    on nothing else, so that a resumed sweep proposes what an uninterrupted one would have. A
    sampler that fits a model takes the running trials and `fitted` ended ones: the best tenth and
    the latest.
    """

    def __init__(
        self,
        space: Space,
        *,
        sampler: Sampler,
        seed: int,
        mode: str,
        baseline: Point,
        key: Callable[[Point], Hashable],
        warm_start: Sequence[Point] = (),
        fitted: int = FITTED,
    ) -> None:
        self.space = space
        self._sampler, self._seed, self._key = sampler, seed, key
        self._direction = Direction.of(mode)
        self._queue = deque([(BASELINE, baseline), *((WARM_START, point) for point in warm_start)])
        self._grid = iter(()) if space.size is None else space.grid()
        self._evolution = _evolution(sampler, space, seed)
        most = max(fitted, sampler.startup_trials)
        self._ended = FittedTrials(most=most, direction=self._direction)
        self._running: dict[int, StudyTrial] = {}
        self._count = 0
        self._seen: set[Hashable] = set()

    def ask(self) -> Asked | None:
        """A point that no earlier trial had; None when the space has no other."""
        while self._queue:
            origin, point = self._queue.popleft()
            if self._new(point):
                return self._start(point, origin)
        if self._sampler.kind == "grid":
            found, state = next(self._untried(), None), None
        else:
            found, state = self._sampled()
        return None if found is None else self._start(found, SAMPLER, state)

    def report(self, number: int, report: int, value: float) -> None:
        """An intermediate objective value, by report number; passed over where it is not finite."""
        trial = self._running.get(number)
        if trial is not None and math.isfinite(value):
            trial.values[report] = value

    def tell(self, number: int, status: str) -> None:
        """How a trial ended: finished, stopped or failed."""
        trial = self._running.pop(number, None)
        if trial is not None:
            trial.status = status
            self._learn(trial)

    def refill(
        self,
        number: int,
        point: Point,
        *,
        status: str,
        values: Mapping[int, float],
        sampler_state: SamplerState | None = None,
    ) -> None:
        """Puts back a trial of an earlier run that has ended; call in order of number.

        `values` are its objective values by report number, and `sampler_state` is what it was
        asked for with.
        """
        self.reopen(number, point, sampler_state=sampler_state)
        for report, value in values.items():
            self.report(number, report, value)
        self.tell(number, status)

    def reopen(
        self, number: int, point: Point, *, sampler_state: SamplerState | None = None
    ) -> None:
        """Puts back a trial that is to go on; it can be reported and told like one just asked."""
        if number != self._count:
            raise ValueError(f"trial {self._count} must come next, but got {number}")
        state = sampler_state or {}
        if self._evolution is not None and state.get("told"):
            self._evolution.tell(state["told"])
        self._start(point, SAMPLER, sampler_state)

    def _start(self, point: Point, origin: str, state: SamplerState | None = None) -> Asked:
        number = self._count
        self._count += 1
        self._seen.add(self._key(point))
        if not self.space.outside(point):
            self._running[number] = StudyTrial(number, point)
        if self._evolution is not None and state and "generation" in state:
            self._evolution.join(number, point)
        return Asked(number, point, origin, state)

    def _learn(self, trial: StudyTrial) -> None:
        if trial.instructive:
            self._ended.add(trial)

    def _new(self, point: Point) -> bool:
        return self._key(point) not in self._seen

    def _untried(self) -> Iterator[Point]:
        """The points of a finite space that no trial had, one after the other."""
        return filter(self._new, self._grid)

    def _sampled(self) -> tuple[Point | None, SamplerState | None]:
        """A new point from the sampler, else one drawn at random, else the first untried one."""
        number, told = self._count, self._next_generation()
        shown = [*self._shown()]
        for seed in self._seeds(number, TRIES):
            fixed = self._evolved(seed)
            sampler = build_sampler(self._sampler, seed=seed, fixed=fixed)
            point = propose(self.space, sampler, shown, direction=self._direction)
            if self._new(point):
                return point, self._state(told, member=fixed is not None)
            # Shown as running for the rest of this proposal, so that a model looks elsewhere.
            shown.append(self._frozen(StudyTrial(number, point)))
        at_random = Sampler(kind="random")
        for seed in self._seeds(number, _RANDOM_TRIES, "random"):
            sampler = build_sampler(at_random, seed=seed)
            point = propose(self.space, sampler, (), direction=self._direction)
            if self._new(point):
                return point, self._state(told, member=False)
        return next(self._untried(), None), self._state(told, member=False)

    def _seeds(self, number: int, tries: int, *purpose: str) -> Iterator[int]:
        # A sampler's stream of random numbers would begin anew in a resumed sweep and propose the
        # same points again. Seeded by number, it proposes what an uninterrupted one would have.
        for attempt in range(tries):
            again = (attempt,) if attempt else ()
            yield derive(self._seed, number, *purpose, *again)

    def _shown(self) -> Iterable[FrozenTrial]:
        """The trials that the sampler's model is fitted to, oldest first."""
        if self._sampler.kind not in ("tpe", "gp"):
            return ()
        ended = list(self._ended)
        for trial in ended:
            trial.frozen = trial.frozen or self._frozen(trial)
        frozen = {trial.number: trial.frozen for trial in ended if trial.frozen is not None}
        if self._sampler.kind == "gp":
            values = full_values(ended, self._direction)
            frozen = {number: _completed(frozen[number], values[number]) for number in frozen}
        frozen |= {number: self._frozen(trial) for number, trial in self._running.items()}
        return [frozen[number] for number in sorted(frozen)]

    def _frozen(self, trial: StudyTrial) -> FrozenTrial:
        return frozen_trial(
            self.space,
            trial.point,
            status=trial.status,
            values=trial.values,
            mode=self._direction.value,
        )

    def _next_generation(self) -> list[int]:
        """Tells CMA-ES a generation that is complete; the trials that it was told, best first."""
        if self._evolution is None:
            return []
        told = self._evolution.complete(full_values(self._ended, self._direction), self._direction)
        if told:
            self._evolution.tell(told)
        return told

    def _evolved(self, seed: int) -> Point | None:
        if self._evolution is None or len(self._ended) < self._sampler.startup_trials:
            return None
        return self._evolution.sample(seed)

    def _state(self, told: Sequence[int], *, member: bool) -> SamplerState | None:
        if self._evolution is None:
            return None
        state: dict[str, Any] = {"told": list(told)} if told else {}
        if member:
            state["generation"] = self._evolution.generation
        return state or None


def _evolution(sampler: Sampler, space: Space, seed: int) -> Evolution | None:
    ranges = evolved_ranges(space) if sampler.kind == "cmaes" else []
    return Evolution(ranges, seed=seed) if ranges else None


def _completed(trial: FrozenTrial, value: float) -> FrozenTrial:
    """The trial as one that finished with this value: Optuna's GP fits no others."""
    completed = copy.copy(trial)
    completed.state, completed.value = TrialState.COMPLETE, value
    return completed
