"""Splits that are drawn from the same rows are alike, others are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bertsweep.data import Dataset
from bertsweep.exploration.likeness import Comparison, compare, verdict


def compared(test_share: float, test_length: float) -> list[Comparison]:
    rng = np.random.default_rng(7)
    rows = {"train": 4000, "validation": 500, "test": 500}
    shares = {"train": 0.2, "validation": 0.2, "test": test_share}
    frames, lengths = {}, {}
    for name, count in rows.items():
        ones = round(shares[name] * count)
        frames[name] = pd.DataFrame({"text": "x", "label": np.repeat([1, 0], [ones, count - ones])})
        lengths[name] = rng.poisson(test_length if name == "test" else 10.0, count)
    return compare(Dataset(frames, (0, 1), "", ()), {"words": lengths})


def test_what_is_drawn_alike_is_alike() -> None:
    found = compared(0.2, 10.0)
    assert all(one.alike for one in found)
    assert {(one.what, one.splits[1]) for one in found} == {
        (what, split) for what in ("labels", "words") for split in ("validation", "test")
    }
    assert verdict(found).startswith("The splits look alike")


def test_what_differs_is_named() -> None:
    said = verdict(compared(0.4, 10.0))
    assert "differ in labels (train against test)" in said
    said = verdict(compared(0.2, 14.0))
    assert "differ in words (train against test)" in said


def test_the_distance_of_labels_is_cramers_v() -> None:
    found = next(
        one for one in compared(0.4, 10.0) if (one.what, one.splits[1]) == ("labels", "test")
    )
    table = np.array([[3200, 800], [300, 200]])
    assert found.distance == pytest.approx(stats.contingency.association(table, method="cramer"))
    assert "clearly" in found.told
