"""The Pareto front and the rules that pick from it, as functions of numbers."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsweep.direction import Direction
from bertsweep.pareto import Goal, Preference, Values, front, pick

SCORE, COST = Goal("val_ap", Direction.MAX), Goal("latency_ms", Direction.MIN)
TWO = (SCORE, COST)

# The example of docs/search-space.md.
TRIALS: dict[str, Values] = {
    "a": (0.750, 12.0),
    "b": (0.745, 9.0),
    "c": (0.735, 6.0),
    "d": (0.680, 5.0),
    "e": (0.730, 9.5),
}


def picked(prefer: object, trials: dict[str, Values] = TRIALS) -> str:
    return pick(trials, TWO, Preference.of_plain(prefer)).name


def test_the_front_is_what_no_other_beats_best_by_the_first_objective_first() -> None:
    assert front(TRIALS, TWO) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("prefer", "name"),
    [("best_first", "a"), ({"within": 0.01}, "b"), ({"within": 0.02}, "c"), ("knee", "c")],
)
def test_the_documented_example_is_picked_as_it_says(prefer: object, name: str) -> None:
    assert picked(prefer) == name


def test_within_counts_the_margin_that_the_file_names() -> None:
    """0.75 - 0.74 is more than 0.01 in binary numbers."""
    assert picked({"within": 0.01}, {"a": (0.75, 2.0), "b": (0.74, 1.0)}) == "b"
    assert picked({"within": 0.01}, {"a": (0.75, 2.0), "b": (0.7399, 1.0)}) == "a"


def test_a_first_objective_that_is_better_when_small_is_preferred_small() -> None:
    goals = (Goal("val_loss", Direction.MIN), COST)
    trials = {"a": (0.40, 9.0), "b": (0.45, 3.0), "c": (0.60, 1.0)}
    assert pick(trials, goals, Preference("best_first")).name == "a"
    found = pick(trials, goals, Preference("within", 0.1))
    assert found.name == "b"
    assert found.reason == (
        "b has the lowest latency_ms of 2 trials within 0.1 of the best val_loss, 0.4000 "
        "(prefer: within 0.1)"
    )


@pytest.mark.parametrize("prefer", ["best_first", "knee", {"within": 0.5}])
def test_of_equals_the_earlier_trial_is_picked(prefer: object) -> None:
    equal = {"t1": (0.5, 2.0), "t0": (0.5, 2.0), "t2": (0.4, 2.0)}
    assert front(equal, TWO) == ["t1", "t0"]
    assert picked(prefer, equal) == "t1"


def test_an_objective_that_is_the_same_for_all_changes_nothing() -> None:
    goals = (SCORE, COST, Goal("parameters", Direction.MIN))
    same = {name: (*values, 7.0) for name, values in TRIALS.items()}
    assert front(same, goals) == front(TRIALS, TWO)
    for prefer in ("best_first", "knee", {"within": 0.01}):
        rule = Preference.of_plain(prefer)
        assert pick(same, goals, rule).name == pick(TRIALS, TWO, rule).name


def test_nothing_can_be_picked_of_nothing() -> None:
    assert front({}, TWO) == []
    with pytest.raises(ValueError, match="at least one candidate"):
        pick({}, TWO, Preference())


VALUES = st.tuples(*[st.integers(0, 4).map(float)] * 3)
GOALS = (SCORE, COST, Goal("val_recall", Direction.MAX))


@given(st.lists(VALUES, min_size=1, max_size=12), st.sampled_from(["best_first", "knee", 1.0]))
def test_every_rule_picks_from_the_front_which_beats_all_others(
    rows: list[Values], rule: str | float
) -> None:
    trials = {f"t{n}": row for n, row in enumerate(rows)}
    found = front(trials, GOALS)

    def beats(one: str, other: str) -> bool:
        turned = [
            [goal.direction.sign * v for goal, v in zip(GOALS, trials[name], strict=True)]
            for name in (one, other)
        ]
        return turned[0] != turned[1] and all(a >= b for a, b in zip(*turned, strict=True))

    assert not any(beats(one, other) for one, other in itertools.product(trials, found))
    for name in set(trials) - set(found):
        assert any(beats(other, name) for other in found)
    prefer = {"within": rule} if isinstance(rule, float) else rule
    assert pick(trials, GOALS, Preference.of_plain(prefer)).name in found
