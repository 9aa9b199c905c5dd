"""The Optuna study behind a sweep: what it is asked, told, and refilled with."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bertsweep import ledger
from bertsweep.ledger import BASELINE, SAMPLER, WARM_START
from bertsweep.search.study import Asked, Study, distribution
from bertsweep.space import Choice, Fixed, Float, Int, Parameter, Point, Space
from bertsweep.spec.models import Sampler

SPACE = Space(
    (
        Parameter("learning_rate", Float(1e-5, 1e-3, log=True)),
        Parameter("batch_size", Choice((16, 32))),
        Parameter("weight_decay", Float(0.0, 0.1), when={"optimizer": ("adamw",)}),
        Parameter("optimizer", Choice(("adam", "adamw"))),
        Parameter("epochs", Fixed(3)),
    )
)
GRID = Space(
    (
        Parameter("batch_size", Choice((16, 32))),
        Parameter("optimizer", Choice(("adam", "adamw"))),
        Parameter("weight_decay", Float(0.0, 0.1, step=0.05), when={"optimizer": ("adamw",)}),
    )
)
BASE: Point = {"learning_rate": 2e-5, "batch_size": 32, "optimizer": "adam", "epochs": 3}


def study(
    kind: str = "tpe",
    *,
    space: Space = SPACE,
    seed: int = 0,
    baseline: Point = BASE,
    warm_start: Sequence[Point] = (),
    **options: int,
) -> Study:
    sampler = Sampler.model_validate({"kind": kind, "startup_trials": 4})
    return Study(
        space,
        sampler=sampler,
        seed=seed,
        mode="max",
        baseline=baseline,
        warm_start=warm_start,
        **options,
    )


def quality(point: Point) -> float:
    """Best at a learning rate of 1e-4."""
    return -abs(float(point["learning_rate"]) - 1e-4)


def drive(asked_of: Study, count: int) -> list[Asked]:
    """Asks and tells `count` trials."""
    asked: list[Asked] = []
    for _ in range(count):
        trial = asked_of.ask()
        if trial is None:
            break
        asked.append(trial)
        value = quality(trial.point) if "learning_rate" in trial.point else 0.5
        asked_of.report(trial.number, 1, value)
        asked_of.tell(trial.number, ledger.FINISHED, value)
    return asked


@pytest.mark.parametrize("kind", ["tpe", "random", "grid"])
class TestEverySampler:
    def test_gives_points_of_the_space_after_the_baseline(self, kind: str) -> None:
        space = GRID if kind == "grid" else SPACE
        baseline: Point = {"batch_size": 32, "optimizer": "adam"} if kind == "grid" else BASE
        asked = drive(study(kind, space=space, baseline=baseline), 6)
        assert asked[0] == Asked(0, baseline, BASELINE)
        assert [a.number for a in asked] == list(range(6))
        assert {a.origin for a in asked[1:]} == {SAMPLER}
        assert [space.outside(a.point) for a in asked] == [{}] * 6

    def test_gives_the_same_points_for_the_same_seed(self, kind: str) -> None:
        space = GRID if kind == "grid" else SPACE
        assert drive(study(kind, space=space), 6) == drive(study(kind, space=space), 6)

    def test_goes_on_after_a_refill_as_if_never_interrupted(self, kind: str) -> None:
        space = GRID if kind == "grid" else SPACE
        whole = drive(study(kind, space=space), 8)
        resumed = study(kind, space=space)
        for asked in whole[:5]:
            value = quality(asked.point) if "learning_rate" in asked.point else 0.5
            resumed.refill(asked.number, asked.point, status=ledger.FINISHED, values={1: value})
        assert drive(resumed, 3) == whole[5:]


def test_conditional_parameters_stand_only_where_their_condition_holds() -> None:
    points = [asked.point for asked in drive(study("random"), 30)]
    assert {("weight_decay" in p, p["optimizer"]) for p in points} == {
        (True, "adamw"),
        (False, "adam"),
    }


def test_a_grid_is_walked_once_whole_and_then_ends() -> None:
    asked = drive(study("grid", space=GRID, baseline={"batch_size": 32, "optimizer": "adam"}), 50)
    points = [tuple(sorted(a.point.items())) for a in asked]
    assert len(points) == len(set(points)) == 2 * (1 + 3)


def test_warm_starts_come_right_after_the_baseline() -> None:
    point: Point = {**BASE, "learning_rate": 5e-5}
    asked = drive(study(warm_start=[point]), 3)
    assert [a.origin for a in asked] == [BASELINE, WARM_START, SAMPLER]
    assert asked[1].point == point


def test_a_baseline_outside_the_space_is_run_as_it_is() -> None:
    outside: Point = {**BASE, "learning_rate": 0.5}
    asked = drive(study(baseline=outside), 3)
    assert asked[0].point == outside
    assert SPACE.outside(asked[1].point) == {}


def test_tpe_learns_from_what_it_is_told() -> None:
    values = [quality(asked.point) for asked in drive(study("tpe", seed=1), 40)]
    assert sum(values[25:]) / 15 > sum(values[1:8]) / 7


class TestALongSweep:
    """Longer than what the sampler fits its model to."""

    def test_is_learnt_from(self) -> None:
        values = [quality(asked.point) for asked in drive(study("tpe", fitted=30), 80)]
        assert sum(values[60:]) / 20 > sum(values[1:8]) / 7

    def test_goes_on_after_a_refill_as_if_never_interrupted(self) -> None:
        whole = drive(study("tpe", fitted=30), 50)
        resumed = study("tpe", fitted=30)
        for asked in whole[:45]:
            values = {1: quality(asked.point)}
            resumed.refill(asked.number, asked.point, status=ledger.FINISHED, values=values)
        assert drive(resumed, 5) == whole[45:]

    @pytest.mark.parametrize(
        ("changed", "matters"), [("old", False), ("best", True), ("new", True)]
    )
    def test_has_its_old_middling_trials_forgotten(self, changed: str, matters: bool) -> None:
        points = [asked.point for asked in drive(study("random"), 60)]
        worst_first = sorted(range(20), key=lambda number: quality(points[number]))
        number = {"old": worst_first[0], "best": worst_first[-1], "new": 58}[changed]
        proposed = []
        for factor in (1.0, 0.9):
            told = study("tpe", fitted=40)
            for at, point in enumerate(points):
                rate = float(point["learning_rate"]) * (factor if at == number else 1.0)
                moved = {**point, "learning_rate": rate}
                values = {1: quality(point)}
                told.refill(at, moved, status=ledger.FINISHED, values=values)
            proposed.append([told.ask() for _ in range(8)])
        assert (proposed[0] != proposed[1]) == matters


def test_seeds_are_honoured_zero_included() -> None:
    points = [drive(study("random", seed=seed), 4)[-1].point for seed in (0, 0, 1)]
    assert points[0] == points[1] != points[2]


@pytest.mark.parametrize(
    "domain", [Float(0.1, 1.0), Float(1e-5, 1.0, log=True), Float(0, 1, step=0.25), Int(1, 9)]
)
def test_a_distribution_holds_what_its_domain_holds(domain: Float | Int) -> None:
    of = distribution(domain)
    assert of._contains(of.to_internal_repr(domain.low))
    assert of._contains(of.to_internal_repr(domain.high))
    assert not of._contains(of.to_internal_repr(domain.high + 1))
