"""Samplers: one contract for all, and for those with a model what they learn from."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from bertsweep import ledger
from bertsweep.direction import Direction
from bertsweep.ledger import BASELINE, SAMPLER
from bertsweep.search.fitted_trials import FittedTrials, StudyTrial
from bertsweep.search.frozen import distribution
from bertsweep.search.study import Asked, Study
from bertsweep.space import Choice, Float, Int, Parameter, Point, Space
from bertsweep.spec.models import Sampler
from tests.support.studies import (
    BASE,
    FINITE,
    FINITE_BASE,
    FULL,
    SPACE,
    FakeSweep,
    costs,
    key,
)

STARTUP = 4


def maker(
    kind: str,
    space: Space = SPACE,
    *,
    baseline: Point = BASE,
    seed: int = 0,
    startup: int = STARTUP,
    **rest: Any,
) -> Callable[[], Study]:
    section = Sampler(kind=kind, startup_trials=startup)  # type: ignore[arg-type]
    return lambda: Study(
        space, sampler=section, seed=seed, mode="max", baseline=baseline, key=key, **rest
    )


class SamplerContract:
    """What every sampler keeps to; `kind` names it, `space` is one that it can search."""

    kind: str
    needs: str | None = None
    space, baseline = SPACE, BASE
    trials = 14

    @pytest.fixture(autouse=True)
    def _package(self) -> None:
        if self.needs is not None:
            pytest.importorskip(self.needs, reason=f"{self.kind} needs the package {self.needs}")

    def make(self, **rest: Any) -> Callable[[], Study]:
        return maker(self.kind, self.space, baseline=self.baseline, **rest)

    def finite(self, **rest: Any) -> Callable[[], Study]:
        return maker(self.kind, FINITE, baseline=FINITE_BASE, **rest)

    def test_proposes_points_of_the_space_after_the_baseline(self) -> None:
        asked = FakeSweep(self.make()).run(self.trials).asked
        assert asked[0] == Asked(0, self.baseline, BASELINE)
        assert [a.number for a in asked] == list(range(self.trials))
        assert {a.origin for a in asked[1:]} == {SAMPLER}
        assert [self.space.outside(a.point) for a in asked] == [{}] * self.trials

    def test_proposes_the_same_points_for_the_same_seed(self) -> None:
        again = [FakeSweep(self.make(), side_by_side=3).run(self.trials).asked for _ in range(2)]
        assert again[0] == again[1]

    @pytest.mark.parametrize(("done", "side_by_side"), [(3, 1), (10, 1), (10, 3)])
    def test_goes_on_after_a_resume_as_if_never_interrupted(
        self, done: int, side_by_side: int
    ) -> None:
        sweep = FakeSweep(self.make(), side_by_side=side_by_side).run(done)
        resumed = sweep.resumed().run(self.trials - done)
        assert resumed.asked == sweep.run(self.trials - done).asked

    def test_runs_no_trial_twice_and_ends_a_finite_space(self) -> None:
        sweep = FakeSweep(self.finite()).run(100)
        keys = [key(point) for point in sweep.points]
        assert sorted(keys) == sorted(key(point) for point in FINITE.grid())
        assert sweep.study.ask() is None
        assert FakeSweep(self.finite(), trials=sweep.trials).study.ask() is None

    def test_goes_on_in_a_finite_space_as_if_never_interrupted(self) -> None:
        sweep = FakeSweep(self.finite(), side_by_side=2).run(8)
        resumed = sweep.resumed().run(9)
        assert resumed.asked == sweep.run(9).asked
        assert len(resumed.trials) == FINITE.size

    def test_runs_the_baseline_outside_a_finite_space_besides(self) -> None:
        outside: Point = {**FINITE_BASE, "warmup": 0.15}
        sweep = FakeSweep(maker(self.kind, FINITE, baseline=outside)).run(100)
        assert len(sweep.trials) == 1 + (FINITE.size or 0)


class ModelContract(SamplerContract):
    """What those keep to that fit a model."""

    improves_in = 40
    revalued = 4
    """A trial by whose value the proposals of the next ones are to change, or not."""

    def modelled(self, sweep: FakeSweep) -> list[int]:
        """Numbers of proposals that are not those of random search."""
        drawn = FakeSweep(maker("random", self.space, baseline=self.baseline)).run(
            len(sweep.trials)
        )
        pairs = zip(sweep.asked, drawn.asked, strict=True)
        return [ours.number for ours, at_random in pairs if ours.point != at_random.point]

    def test_the_model_proposes_when_but_the_baseline_is_stopped(self) -> None:
        def stopped(number: int) -> tuple[str, int]:
            return (ledger.STOPPED, 1 + number % 2) if number else (ledger.FINISHED, FULL)

        sweep = FakeSweep(self.make(), stopped).run(self.trials)
        assert self.modelled(sweep) == list(range(STARTUP, self.trials))

    @pytest.mark.parametrize("status", [ledger.STOPPED, ledger.FAILED])
    def test_the_value_of_a_stopped_trial_matters_that_of_a_failed_one_does_not(
        self, status: str
    ) -> None:
        def end(number: int) -> tuple[str, int]:
            if number == self.revalued:
                return status, 1
            return (ledger.STOPPED, 1) if number else (ledger.FINISHED, FULL)

        sweep = FakeSweep(self.make(), end).run(self.revalued + 3)
        resumed = []
        for value in (0.0, 2.0):
            sweep.trials[self.revalued].values = {1: value}
            resumed.append(sweep.resumed().run(self.trials - len(sweep.trials)).points)
        assert (resumed[0] != resumed[1]) == (status == ledger.STOPPED)

    def test_proposes_better_points_than_random_search(self) -> None:
        drawn = maker("random", self.space, baseline=self.baseline, seed=1)
        medians = []
        for make in (self.make(seed=1), drawn):
            sweep = FakeSweep(make).run(self.improves_in)
            worths = [sweep.worth(point) for point in sweep.points[STARTUP:]]
            medians.append(statistics.median(worths))
        assert medians[0] > medians[1] + 0.05


class TestRandom(SamplerContract):
    kind = "random"


class TestGrid(SamplerContract):
    kind = "grid"
    space, baseline = FINITE, FINITE_BASE
    trials = 12

    def test_walks_a_huge_grid_without_building_it(self) -> None:
        huge = Space((Parameter("a", Int(1, 10**12)), Parameter("b", Int(1, 10**12))))
        study = maker("grid", huge, baseline={"a": 1, "b": 2})()
        asked = [study.ask() for _ in range(4)]
        assert [a.point for a in asked if a] == [
            {"a": 1, "b": 2},
            {"a": 1, "b": 1},
            {"a": 1, "b": 3},
            {"a": 1, "b": 4},
        ]


class TestTpe(ModelContract):
    kind = "tpe"


class TestTpeOfSeveral:
    """The model counts every objective, and resumes as that of one does."""

    def make(self, **rest: Any) -> Callable[[], Study]:
        return maker("tpe", further=("min",), **rest)

    @pytest.mark.parametrize("side_by_side", [1, 3])
    def test_goes_on_after_a_resume_as_if_never_interrupted(self, side_by_side: int) -> None:
        sweep = FakeSweep(self.make(), side_by_side=side_by_side).run(10)
        resumed = sweep.resumed().run(4)
        assert resumed.asked == sweep.run(4).asked

    def test_beats_more_of_the_plane_than_random_search(self) -> None:
        drawn = maker("random", further=("min",), seed=1)
        areas = [beaten(FakeSweep(make).run(30)) for make in (self.make(seed=1), drawn)]
        assert areas[0] > areas[1] + 0.05

    def test_a_further_objective_changes_what_is_proposed(self) -> None:
        sweep = FakeSweep(self.make()).run(STARTUP + 2)
        proposed = []
        for factor in (1, -1):
            told = self.make()()
            for number, trial in enumerate(sweep.trials):
                others = [factor * cost for cost in costs(trial.asked.point, 1)]
                told.refill(
                    number,
                    trial.asked.point,
                    status=ledger.FINISHED,
                    values=trial.values,
                    others=others,
                )
            proposed.append([told.ask() for _ in range(3)])
        assert proposed[0] != proposed[1]

    def test_nothing_is_learnt_from_a_trial_that_lacks_an_objective(self) -> None:
        proposed = []
        for value in (0.0, 2.0):
            told = self.make()()
            for number in range(STARTUP + 3):
                point: Point = {**BASE, "learning_rate": 1e-5 * (number + 1)}
                given = (float(number),) if number else None
                values = {1: 0.5} if number else {1: value}
                told.refill(number, point, status=ledger.FINISHED, values=values, others=given)
            proposed.append(told.ask())
        assert proposed[0] == proposed[1]


def beaten(sweep: FakeSweep) -> float:
    """The area of worth against the logarithm of the length that the trials beat."""
    corners = sorted((math.log(float(p["max_seq_length"])), sweep.worth(p)) for p in sweep.points)
    area, best = 0.0, -1.0
    ends = [*(length for length, _ in corners[1:]), math.log(512)]
    for (length, worth), until in zip(corners, ends, strict=True):
        best = max(best, worth)
        area += (until - length) * (best + 1.0)
    return area


@pytest.mark.slow  # seconds a proposal
def test_gp_goes_by_several_objectives() -> None:
    pytest.importorskip("torch", reason="gp needs the package torch")
    proposed = []
    for sign in (1, -1):
        told = maker("gp", further=("min",))()
        for number in range(STARTUP + 1):
            point: Point = {**BASE, "learning_rate": 1e-5 * (number + 1)}
            status = (ledger.FINISHED, ledger.STOPPED)[number % 2]
            told.refill(
                number, point, status=status, values={1: 0.5}, others=[sign * float(number)]
            )
        proposed.append(told.ask())
    assert proposed[0] != proposed[1]


class TestCmaEs(ModelContract):
    kind = "cmaes"
    needs = "cmaes"

    # Whether a value matters shows once a generation is told: 4 + floor(3 ln 3) = 7 trials.
    trials = 24

    def test_what_moved_the_distribution_is_recorded_with_the_proposal_that_came_of_it(
        self,
    ) -> None:
        sweep = FakeSweep(self.make(), lambda _: (ledger.FINISHED, FULL)).run(self.trials)
        states = [asked.sampler_state for asked in sweep.asked]
        best = max(range(STARTUP), key=lambda number: sweep.worth(sweep.points[number]))
        assert [state["begun"] for state in states if state and "begun" in state] == [best]
        assert states[:STARTUP] == [None] * STARTUP
        told = [state["told"] for state in states if state and "told" in state]
        assert len(told) >= 2
        assert {len(numbers) for numbers in told} == {7}
        generations = [state["generation"] for state in states if state]
        assert generations == sorted(generations)
        assert max(generations) == len(told)

    def test_it_can_begin_at_the_end_of_a_range(self) -> None:
        rates = Parameter("learning_rate", Float(1e-6, 1e-3, log=True))
        space = Space((rates, Parameter("warmup", Float(0.0, 0.3))))
        for rate in (1e-6, 1e-3):
            baseline: Point = {"learning_rate": rate, "warmup": 0.3}
            make = maker("cmaes", space, baseline=baseline, startup=1)
            assert len(FakeSweep(make).run(9).trials) == 9

    def test_a_single_range_can_be_searched(self) -> None:
        space = Space((Parameter("warmup", Float(0.0, 0.3)), Parameter("a", Choice((1, 2)))))
        sweep = FakeSweep(maker("cmaes", space, baseline={"warmup": 0.3, "a": 1})).run(20)
        assert len(sweep.trials) == 20
        assert any(state for state in (asked.sampler_state for asked in sweep.asked))

    def test_a_space_without_ranges_is_searched_at_random(self) -> None:
        space = Space((Parameter("warmup", Choice((0.1, 0.2))), Parameter("a", Choice((1, 2, 3)))))
        sweep = FakeSweep(maker("cmaes", space, baseline={"warmup": 0.1, "a": 1})).run(20)
        assert len(sweep.trials) == 6


class TestGp(ModelContract):
    kind = "gp"
    needs = "torch"
    trials = 11
    improves_in = 16


def test_tpe_tries_as_many_points_of_a_small_space_as_it_has_trials() -> None:
    space = Space(
        (
            Parameter("warmup", Choice((0.0, 0.1, 0.2))),
            Parameter("batch_size", Choice((16, 32))),
            Parameter("epochs", Int(1, 4)),
        )
    )
    baseline: Point = {"warmup": 0.0, "batch_size": 16, "epochs": 1}
    make = maker("tpe", space, baseline=baseline, startup=10)
    points = FakeSweep(make, lambda _: (ledger.FINISHED, FULL)).run(20).points
    assert len({key(point) for point in points}) == 20


def test_a_stepped_value_is_proposed_in_one_spelling() -> None:
    space = Space((Parameter("warmup", Float(0.0, 0.9, step=0.1)),))
    listed = space["warmup"].domain.grid() or ()
    sweep = FakeSweep(maker("random", space, baseline={"warmup": 0.1 + 0.2 - 0.3 + 0.5})).run(99)
    assert sorted(float(point["warmup"]) for point in sweep.points) == list(listed)


class TestALongSweep:
    """Longer than what the sampler fits its model to."""

    def make(self, **rest: Any) -> Callable[[], Study]:
        return maker("tpe", fitted=30, **rest)

    def test_is_learnt_from(self) -> None:
        sweep = FakeSweep(self.make()).run(80)
        values = [sweep.worth(point) for point in sweep.points]
        assert statistics.fmean(values[60:]) > statistics.fmean(values[1:8]) + 0.05

    @pytest.mark.parametrize("side_by_side", [1, 4])
    def test_goes_on_after_a_resume_as_if_never_interrupted(self, side_by_side: int) -> None:
        sweep = FakeSweep(self.make(), side_by_side=side_by_side).run(75)
        assert sweep.resumed().run(5).asked == sweep.run(5).asked

    @pytest.mark.parametrize(
        ("changed", "matters"), [("old", False), ("best", True), ("new", True)]
    )
    def test_has_its_old_middling_trials_forgotten(self, changed: str, matters: bool) -> None:
        sweep = FakeSweep(maker("random"), lambda _: (ledger.FINISHED, FULL)).run(60)
        worst_first = sorted(range(1, 15), key=lambda n: sweep.worth(sweep.points[n]))
        numbers = {"old": worst_first[:8], "best": worst_first[-1:], "new": range(30, 59)}[changed]
        proposed = []
        for rate in (2e-5, 9e-4):
            told = maker("tpe", fitted=40)()
            for at, trial in enumerate(sweep.trials[:59]):
                point = trial.asked.point
                moved = {**point, "learning_rate": rate} if at in numbers else point
                told.refill(at, moved, status=trial.status, values=trial.values)
            proposed.append([told.ask() for _ in range(12)])
        assert (proposed[0] != proposed[1]) == matters


def test_the_best_by_each_objective_stay_whatever_the_order() -> None:
    def kept(numbers: Sequence[int]) -> list[int]:
        found = FittedTrials(most=40, directions=[Direction.MAX, Direction.MIN])
        for number in numbers:
            values = {1: 0.9 if number == 3 else 0.5}
            others = (1.0 if number == 4 else 5.0,)
            found.add(StudyTrial(number, BASE, ledger.FINISHED, values, others))
        return [trial.number for trial in found]

    forward = kept(range(200))
    assert kept(range(199, -1, -1)) == forward
    assert len(forward) == 40
    assert {3, 4} < set(forward)
    assert set(range(170, 200)) < set(forward)


def test_seeds_are_honoured_zero_included() -> None:
    points = [FakeSweep(maker("random", seed=seed)).run(4).points[-1] for seed in (0, 0, 1)]
    assert points[0] == points[1] != points[2]


@pytest.mark.parametrize(
    "domain", [Float(0.1, 1.0), Float(1e-5, 1.0, log=True), Float(0, 1, step=0.25), Int(1, 9)]
)
def test_a_distribution_holds_what_its_domain_holds(domain: Float | Int) -> None:
    of = distribution(domain)
    assert of._contains(of.to_internal_repr(domain.low))
    assert of._contains(of.to_internal_repr(domain.high))
    assert not of._contains(of.to_internal_repr(domain.high + 1))


@pytest.mark.parametrize(("kind", "usual"), [("tpe", 4), ("cmaes", 10)])
def test_a_model_begins_after_its_usual_number_of_trials_where_none_is_given(
    kind: str, usual: int
) -> None:
    def points(startup: int | None) -> list[Point]:
        section = Sampler(kind=kind, startup_trials=startup)  # type: ignore[arg-type]
        study = Study(SPACE, sampler=section, seed=0, mode="max", baseline=BASE, key=key)
        return FakeSweep(lambda: study, lambda _: (ledger.FINISHED, FULL)).run(14).points

    assert points(None) == points(usual) != points(14 - usual)
