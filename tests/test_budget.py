"""Bounds of a search in the units that a person counts in."""

from __future__ import annotations

from bertsweep.budget import Bounds, Spent


def test_nothing_given_is_twenty_trials() -> None:
    assert Bounds.of({}) == Bounds.of({"trials": None, "hours": None}) == Bounds(trials=20)
    assert Bounds.of({"hours": 3.0}) == Bounds(hours=3.0)


def test_the_bound_that_is_reached_first_counts() -> None:
    bounds = Bounds(trials=10, trainings=4, hours=2)
    assert bounds.reached(Spent(trials=9, trainings=3.9, hours=1.9)) is None
    assert bounds.reached(Spent(trials=9, trainings=4.0, hours=1.9)) == "trainings"
    assert bounds.reached(Spent(trials=10, trainings=1.0, hours=0.1)) == "trials"
    assert bounds.reached(Spent(gpu_hours=1000)) is None


def test_new_bounds_replace_those_of_their_unit_alone() -> None:
    assert Bounds(trials=10, hours=2).changed({"trials": 30}) == Bounds(trials=30, hours=2)
    assert Bounds(trials=10).changed({"gpu_hours": 5.0}) == Bounds(trials=10, gpu_hours=5.0)


def test_bounds_and_what_is_used_in_words() -> None:
    bounds = Bounds(trainings=8, hours=1)
    assert bounds.told() == "8 trainings or 1 hour, whichever comes first"
    assert Bounds(gpu_hours=2.5).told() == "2.5 GPU-hours"
    spent = Spent(trials=12, trainings=3.5, hours=0.25)
    assert bounds.told_beside(spent) == "3.5 of 8 trainings, 0.25 of 1 hour"
    assert bounds.used(spent) == "12 trials, 3.5 of 8 trainings, 0.25 of 1 hour"
