"""The study of a sweep: asked for points, told what became of them, refilled from a ledger."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bertsweep.direction import Direction
from bertsweep.ledger import BASELINE, SAMPLER, WARM_START
from bertsweep.search.fitted_trials import FITTED, FittedTrials, StudyTrial
from bertsweep.search.samplers import RandomPoints, SamplerState, build_sampler
from bertsweep.seeds import derive
from bertsweep.space import Point, Space
from bertsweep.spec.models import Sampler

TRIES = 5
"""Proposals that a sampler may make before the point of a trial is drawn at random."""

RANDOM_TRIES = 20
"""Points drawn at random before the first untried one of a finite space is taken."""


@dataclass(frozen=True)
class Asked:
    """A point to try, and where it comes from; `point` holds the active parameters alone.

    A resumed sweep gives `sampler_state` back to `Study.refill` or `Study.reopen`.
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

    `mode` is the direction of the first objective, `further` those of the others. Of the first the
    study hears at each report, of the others when the trial has ended.
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
        further: Sequence[str] = (),
        fitted: int = FITTED,
    ) -> None:
        self.directions = directions = [Direction.of(one) for one in (mode, *further)]
        self.space = space
        self._seed, self._key = seed, key
        self._queue = deque([(BASELINE, baseline), *((WARM_START, point) for point in warm_start)])
        self._walks = sampler.kind == "grid"
        self._grid = iter(()) if space.size is None else space.grid()
        self._sampler = build_sampler(sampler, space, directions=directions, seed=seed)
        self._random = RandomPoints(space, section=sampler, directions=directions, seed=seed)
        most = max(fitted, sampler.startup)
        self._ended = FittedTrials(most=most, directions=directions)
        self._running: dict[int, StudyTrial] = {}
        self._count = 0
        self._seen: set[Hashable] = set()

    def ask(self) -> Asked | None:
        """A point that no earlier trial had; None when the space has no other."""
        while self._queue:
            origin, point = self._queue.popleft()
            if self._is_new(point):
                return self._start(point, origin)
        found, state = (self._untried(), None) if self._walks else self._sampled()
        return None if found is None else self._start(found, SAMPLER, state)

    def add(self, point: Point) -> bool:
        """Puts a point before all that the sampler proposes; False where a trial had it already."""
        waiting = any(self._key(point) == self._key(other) for _, other in self._queue)
        if waiting or not self._is_new(point):
            return False
        self._queue.append((WARM_START, point))
        return True

    def report(self, number: int, report: int, value: float) -> None:
        """A value of the first objective, by report number; passed over where it is not finite."""
        trial = self._running.get(number)
        if trial is not None and math.isfinite(value):
            trial.values[report] = value

    def tell(self, number: int, status: str, others: Sequence[float] | None = ()) -> None:
        """How a trial ended: finished, stopped or failed.

        `others` are its values of the further objectives, those of a stopped trial as for a full
        training; None where one is missing, and then nothing is learnt from it.
        """
        trial = self._running.pop(number, None)
        if trial is None:
            return
        trial.status, trial.others = status, None if others is None else tuple(others)
        if trial.instructive:
            self._ended.add(trial)

    def refill(
        self,
        number: int,
        point: Point,
        *,
        status: str,
        values: Mapping[int, float],
        others: Sequence[float] | None = (),
        sampler_state: SamplerState | None = None,
    ) -> None:
        """Puts back a trial of an earlier run that has ended; call in order of number.

        `values` are those of the first objective by report number, `others` as in `tell`.
        """
        self.reopen(number, point, sampler_state=sampler_state)
        for report, value in values.items():
            self.report(number, report, value)
        self.tell(number, status, others)

    def reopen(
        self, number: int, point: Point, *, sampler_state: SamplerState | None = None
    ) -> None:
        """Puts back a trial that is to go on; it can be reported and told like one just asked."""
        if number != self._count:
            raise ValueError(f"trial {self._count} must come next, but got {number}")
        self._sampler.recall(sampler_state or {})
        self._start(point, SAMPLER, sampler_state)

    def _start(self, point: Point, origin: str, state: SamplerState | None = None) -> Asked:
        number = self._count
        self._count += 1
        self._seen.add(self._key(point))
        if not self.space.outside(point):
            self._running[number] = StudyTrial(number, point)
            self._sampler.accepted(number, point, state or {})
        return Asked(number, point, origin, state or None)

    def _is_new(self, point: Point) -> bool:
        return self._key(point) not in self._seen

    def _sampled(self) -> tuple[Point | None, SamplerState]:
        """A new point from the sampler, else one drawn at random, else the first untried one."""
        learnt = self._sampler.observe(self._ended, self._running.values())
        for seed in self._seeds(TRIES):
            point, state = self._sampler.propose(seed)
            if self._is_new(point):
                return point, {**learnt, **state}
            self._sampler.passed_over(point)
        for seed in self._seeds(RANDOM_TRIES, "random"):
            point, _ = self._random.propose(seed)
            if self._is_new(point):
                return point, learnt
        return self._untried(), learnt

    def _seeds(self, tries: int, *purpose: str) -> Iterator[int]:
        # A sampler's stream of random numbers would begin anew in a resumed sweep and propose the
        # same points again. Seeded by number, it proposes what an uninterrupted one would have.
        for attempt in range(tries):
            yield derive(self._seed, self._count, *purpose, *([attempt] if attempt else []))

    def _untried(self) -> Point | None:
        """The next point of a finite space that no trial had; None when there is none."""
        return next((point for point in self._grid if self._is_new(point)), None)
