"""Values of stopped trials, carried on to a full training."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsweep import ledger
from bertsweep.direction import Direction
from bertsweep.search.comparable import full_values
from bertsweep.search.fitted_trials import StudyTrial

UP = Direction.MAX


def trials(
    *curves: tuple[str, Mapping[int, float]], status: str = ledger.STOPPED
) -> list[StudyTrial]:
    return [
        StudyTrial(number, {}, ledger.FINISHED if how == "finished" else status, dict(values))
        for number, (how, values) in enumerate(curves)
    ]


A = ("finished", {1: 0.50, 3: 0.70, 9: 0.80})
B = ("stopped", {1: 0.45, 3: 0.60})
C = ("stopped", {1: 0.40})


def test_a_stopped_trial_is_carried_on_by_what_others_gained() -> None:
    values = full_values(trials(A, B, C), UP)
    assert values == pytest.approx({0: 0.80, 1: 0.70, 2: 0.675})


def test_losses_are_carried_down() -> None:
    losses = [(how, {r: 1 - v for r, v in curve.items()}) for how, curve in (A, B, C)]
    values = full_values(trials(*losses), Direction.MIN)
    assert values == pytest.approx({0: 0.20, 1: 0.30, 2: 0.325})


def test_the_nearest_of_those_that_trained_further_count() -> None:
    fast = [("finished", {1: 0.5 + n / 100, 9: 0.9 + n / 100}) for n in range(5)]
    slow = [("finished", {1: 0.1 + n / 100, 9: 0.2 + n / 100}) for n in range(3)]
    values = full_values(trials(*fast, *slow, ("stopped", {1: 0.15}), ("stopped", {1: 0.4})), UP)
    assert values[8] == pytest.approx(0.25)
    assert values[9] == pytest.approx(0.8)


def test_the_best_report_counts_and_not_the_last() -> None:
    values = full_values(trials(("finished", {1: 0.5, 2: 0.9, 3: 0.7}), ("stopped", {1: 0.3})), UP)
    assert values == pytest.approx({0: 0.9, 1: 0.7})


def test_no_trial_is_carried_on_beyond_the_best_measured_value() -> None:
    late = ("finished", {1: 0.1, 9: 0.8})
    assert full_values(trials(late, ("stopped", {1: 0.7})), UP) == {0: 0.8, 1: 0.8}


@pytest.mark.parametrize("worth", [-1.0, 0.0])
def test_a_best_value_of_nought_or_below_is_a_value(worth: float) -> None:
    late = ("finished", {1: worth - 1, 9: worth})
    assert full_values(trials(late, ("stopped", {1: worth - 0.5})), UP) == {0: worth, 1: worth}


def test_where_none_trained_further_the_values_stand_as_they_are() -> None:
    same = [("stopped", {1: 0.2}), ("stopped", {1: 0.3}), ("finished", {1: 0.4})]
    assert full_values(trials(*same), UP) == {0: 0.2, 1: 0.3, 2: 0.4}
    assert full_values([], UP) == {}


def test_a_trial_whose_first_reports_had_no_value_tells_nothing_of_them() -> None:
    late = ("finished", {3: 0.7, 9: 0.9})
    values = full_values(trials(A, late, ("stopped", {1: 0.4})), UP)
    assert values[2] == pytest.approx(0.4 + 0.3)


CURVES = st.lists(
    st.tuples(
        st.sampled_from(["finished", "stopped"]),
        st.dictionaries(st.integers(1, 6), st.floats(-1, 1), min_size=1),
    ),
    min_size=1,
    max_size=12,
)


@given(curves=CURVES, mode=st.sampled_from(Direction))
def test_values_lie_between_a_trials_own_best_and_the_best_of_all(
    curves: list[tuple[str, dict[int, float]]], mode: Direction
) -> None:
    told = trials(*curves)
    values = full_values(told, mode)
    own = {trial.number: mode.best(trial.values.values()) for trial in told}
    best = mode.best(value for value in own.values() if value is not None)
    for trial in told:
        assert not mode.better(values[trial.number], best)
        assert not mode.better(own[trial.number] or 0.0, values[trial.number])
        assert not trial.finished or values[trial.number] == own[trial.number]
