"""The Optuna study behind a sweep: what it is asked, told, and refilled with."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from bertsweep import ledger
from bertsweep.ledger import BASELINE, SAMPLER, WARM_START
from bertsweep.search.study import Study
from bertsweep.space import Point
from bertsweep.spec import parse
from bertsweep.spec.models import Sampler
from tests.support.studies import BASE, FINITE, FINITE_BASE, SPACE, FakeSweep, key


def study(
    kind: str = "tpe", *, baseline: Point = BASE, warm_start: Sequence[Point] = (), seed: int = 0
) -> Study:
    sampler = Sampler.model_validate({"kind": kind, "startup_trials": 4})
    return Study(
        SPACE,
        sampler=sampler,
        seed=seed,
        mode="max",
        baseline=baseline,
        warm_start=warm_start,
        key=key,
    )


def test_conditional_parameters_stand_only_where_their_condition_holds() -> None:
    points = FakeSweep(lambda: study("random")).run(30).points
    assert {("weight_decay" in p, p["optimizer"]) for p in points} == {
        (True, "adamw"),
        (False, "adam"),
    }


def test_warm_starts_come_right_after_the_baseline() -> None:
    point: Point = {**BASE, "learning_rate": 5e-5}
    asked = FakeSweep(lambda: study(warm_start=[point])).run(3).asked
    assert [a.origin for a in asked] == [BASELINE, WARM_START, SAMPLER]
    assert asked[1].point == point


def test_a_baseline_outside_the_space_is_run_as_it_is() -> None:
    outside: Point = {**BASE, "learning_rate": 0.5}
    asked = FakeSweep(lambda: study(baseline=outside)).run(3).asked
    assert asked[0].point == outside
    assert SPACE.outside(asked[1].point) == {}


@pytest.mark.parametrize("done", range(5))
def test_a_warm_start_that_is_the_baseline_is_passed_over(done: int) -> None:
    point: Point = {**BASE, "learning_rate": 5e-5}
    make = lambda: study(warm_start=[BASE, point, BASE])  # noqa: E731
    asked = FakeSweep(make).run(4).asked
    assert [a.origin for a in asked] == [BASELINE, WARM_START, SAMPLER, SAMPLER]
    assert [a.number for a in asked] == [0, 1, 2, 3]
    assert FakeSweep(make).run(done).resumed().run(4 - done).points == [a.point for a in asked]


@pytest.mark.parametrize("kind", ["tpe", "random", "grid"])
def test_trials_are_equal_where_their_complete_hyperparameters_are(kind: str) -> None:
    """The baseline lies outside the space by a name, and yet runs as a point of it would."""
    spec = parse(
        "name: a\ndata: {source: builtin:questions}\nencoder: {source: builtin:tiny}\n"
        "space: {epochs: 3, dropout: [0.1, 0.5], optimizer: [adam, adamw],\n"
        "  weight_decay: {choices: [0.01, 0.1], when: {optimizer: adamw}}}\n",
        source="a test",
    )
    complete = spec.baseline.to_point()
    assert spec.space.outside(complete)
    made = Study(
        spec.space,
        sampler=Sampler.model_validate({"kind": kind}),
        seed=0,
        mode="max",
        baseline=complete,
        key=spec.hyperparameters,
    )
    points = []
    while (asked := made.ask()) is not None:
        points.append(asked.point)
    assert len(points) == spec.space.size == 6
    assert len({spec.hyperparameters(point) for point in points}) == 6


@pytest.mark.parametrize("status", [ledger.FAILED, ledger.RUNNING])
def test_a_point_is_not_tried_again_when_it_failed_or_runs(status: str) -> None:
    sampler = Sampler.model_validate({"kind": "random"})
    left = list(FINITE.grid())
    made = Study(FINITE, sampler=sampler, seed=0, mode="max", baseline=FINITE_BASE, key=key)
    for number, point in enumerate(left[:-1]):
        if status == ledger.RUNNING:
            made.reopen(number, point)
        else:
            made.refill(number, point, status=status, values={})
    asked = made.ask()
    assert asked is not None
    assert asked.point == left[-1]
    assert made.ask() is None


def test_values_that_are_not_finite_are_passed_over() -> None:
    proposed = []
    for strange in ({}, {2: math.nan, 3: math.inf}):
        told = study()
        for number in range(8):
            point: Point = {**BASE, "learning_rate": 1e-5 * (number + 1)}
            values = {1: number / 8, **strange}
            told.refill(number, point, status=ledger.STOPPED, values=values)
        proposed.append([told.ask() for _ in range(3)])
    assert proposed[0] == proposed[1]


def test_trials_come_back_in_order_of_number() -> None:
    with pytest.raises(ValueError, match="trial 0 must come next, but got 1"):
        study().refill(1, BASE, status=ledger.FAILED, values={})
