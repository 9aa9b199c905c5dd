"""Which of two objective values is better."""

from __future__ import annotations

import math

import pytest

from bertsweep.direction import Direction

UP, DOWN = Direction.of("max"), Direction.of("min")


def test_a_mode_is_max_or_min() -> None:
    assert (UP, DOWN) == (Direction.MAX, Direction.MIN)
    with pytest.raises(ValueError, match="max or min, but got 'auto'"):
        Direction.of("auto")


def test_a_value_times_the_sign_grows_with_its_worth() -> None:
    assert [UP.sign * 0.5, DOWN.sign * 0.5] == [0.5, -0.5]


@pytest.mark.parametrize(
    ("value", "than", "up", "down"),
    [
        (0.7, 0.5, True, False),
        (0.5, 0.5, False, False),
        (0.5, None, True, True),
        (0.5, math.nan, True, True),
        (math.nan, 0.5, False, False),
        (math.nan, None, False, False),
        (math.inf, 0.5, True, False),
    ],
)
def test_better(value: float, than: float | None, up: bool, down: bool) -> None:
    assert (UP.better(value, than), DOWN.better(value, than)) == (up, down)


def test_the_best_value_is_the_largest_or_the_smallest_number() -> None:
    values = (math.nan, 0.5, 0.9, math.nan, 0.2)
    assert (UP.best(values), DOWN.best(values)) == (0.9, 0.2)
    assert UP.best(iter(())) is None
    assert DOWN.best([math.nan]) is None
