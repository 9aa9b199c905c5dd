"""A miscalibration that is known is found, measured and undone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bertsweep.evaluation import Answers, Calibration, temperature_for
from bertsweep.evaluation.calibration import (
    BINS,
    Bin,
    calibration_error,
    reliability,
    tempered,
)


def too_sure(factor: float, *, classes: int = 2, rows: int = 20_000) -> tuple[Any, Answers]:
    """Labels drawn from the true probabilities, and those with logits `factor` times as large."""
    random = np.random.default_rng(3)
    if classes == 2:
        logits = random.normal(size=rows)
        labels = (random.random(rows) < 1 / (1 + np.exp(-logits))).astype(int)
        return labels, Answers(1 / (1 + np.exp(-factor * logits)), 0.5)
    logits = random.normal(size=(rows, classes))
    labels = (logits + random.gumbel(size=logits.shape)).argmax(axis=1)
    scaled = np.exp(factor * logits)
    return labels, Answers(scaled / scaled.sum(axis=1, keepdims=True), None)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_temperature_is_how_much_too_sure_it_was(classes: int, factor: float) -> None:
    labels, said = too_sure(factor, classes=classes)
    assert temperature_for(labels, said) == pytest.approx(factor, rel=0.06)


def test_the_temperature_undoes_what_the_error_measures() -> None:
    labels, said = too_sure(3.0)
    found = Calibration.of(labels, said, temperature=temperature_for(labels, said))
    assert found.error_before > 0.1
    assert found.error_after < 0.02
    assert found.loss_after < found.loss_before


@pytest.mark.parametrize("classes", [2, 3])
def test_a_temperature_changes_no_label(classes: int) -> None:
    _, said = too_sure(1.0, classes=classes, rows=500)
    said = Answers(said.probabilities, 0.31 if classes == 2 else None)
    np.testing.assert_array_equal(tempered(said, 2.5).predicted, said.predicted)


def test_rows_that_are_all_right_have_a_temperature() -> None:
    labels = np.array([0, 1, 1, 0])
    assert 0.02 <= temperature_for(labels, Answers(np.array([0.1, 0.9, 0.8, 0.2]), 0.5)) < 0.1
    assert temperature_for(labels, Answers(np.array([0.0, 1.0, 1.0, 0.0]), 0.5)) > 0


def test_bins_hold_equally_many_rows_and_equal_probabilities_stay_together() -> None:
    labels, said = too_sure(1.0, rows=3000)
    bins = reliability(labels, said)
    assert [one.rows for one in bins] == [3000 // BINS] * BINS
    same = Answers(np.array([0.2] * 50 + [0.7] * 50), 0.5)
    low, high = reliability(np.array([1] * 10 + [0] * 40 + [1] * 50), same)
    assert (low.rows, low.probability, low.share) == (50, pytest.approx(0.2), 0.2)
    assert (high.rows, high.share) == (50, 1.0)


def test_the_error_is_the_mean_gap_by_rows() -> None:
    bins = (Bin(0, 0.2, 30, 0.1, 0.2), Bin(0.8, 1, 10, 0.9, 0.5))
    assert calibration_error(bins) == pytest.approx((30 * 0.1 + 10 * 0.4) / 40)
