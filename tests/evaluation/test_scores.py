"""Scores, intervals and comparisons agree with scikit-learn, scipy and what can be counted."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom
from sklearn import metrics as sk

from bertsweep import metrics
from bertsweep.evaluation import Answers, Rows, assess
from bertsweep.evaluation.comparison import McNemar
from bertsweep.evaluation.resampling import Interval, resampled
from bertsweep.evaluation.scores import class_scores, confusion, scores_of


def answers(
    rows: int, classes: int = 2, *, seed: int = 0, skill: float = 1.2
) -> tuple[Any, Answers]:
    """Labels, and answers that are right more often than not; many probabilities are equal."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, rows)
    logits = random.normal(size=(rows, classes)) + skill * np.eye(classes)[labels]
    each = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if classes == 2:
        return labels, Answers(each[:, 1].round(2), 0.4)
    return labels, Answers(each, None)


def rows_of(labels: Any, classes: int = 2, texts: list[str] | None = None) -> Rows:
    lengths = np.arange(len(labels)) % 20 + 3
    return Rows(labels, tuple(range(classes)), texts or ["a text"] * len(labels), lengths)


@pytest.mark.parametrize("classes", [2, 4])
def test_scores_at_the_threshold_are_scikit_learns(classes: int) -> None:
    labels, said = answers(300, classes)
    found = scores_of(labels, said)
    assert found["matthews_correlation"] == pytest.approx(
        sk.matthews_corrcoef(labels, said.predicted)
    )
    assert found["balanced_accuracy"] == pytest.approx(
        sk.balanced_accuracy_score(labels, said.predicted)
    )
    assert found["loss"] == pytest.approx(sk.log_loss(labels, said.each), rel=1e-6)
    if classes == 2:
        given = said.probabilities >= 0.4
        assert found["f1_at_threshold"] == pytest.approx(sk.f1_score(labels, given))
        assert found["precision_at_threshold"] == pytest.approx(sk.precision_score(labels, given))
    assert metrics.METRICS.keys() <= found.keys()
    for index, one in enumerate(class_scores(rows_of(labels, classes), said)):
        assert one.f1 == pytest.approx(sk.f1_score(labels == index, said.predicted == index))
        assert one.rows == np.count_nonzero(labels == index)
    table = np.array(confusion(rows_of(labels, classes), said))
    np.testing.assert_array_equal(table, sk.confusion_matrix(labels, said.predicted))


@pytest.mark.parametrize("classes", [2, 3])
def test_the_score_of_every_sample_is_that_of_the_drawn_rows(classes: int) -> None:
    labels, said = answers(60, classes)
    (found,) = resampled(labels, [said], classes=classes, seed=5, resamples=12)
    drawn = np.random.default_rng(5).integers(0, 60, size=(60, 12)).T
    assert set(found) == set(scores_of(labels, said))
    for sample, rows in enumerate(drawn):
        some = Answers(said.probabilities[rows], said.threshold)
        for name, value in scores_of(labels[rows], some).items():
            assert found[name][sample] == pytest.approx(value, rel=1e-5), (name, sample)


def test_a_single_metric_is_the_one_of_all() -> None:
    labels, said = answers(80)
    (every,) = resampled(labels, [said], classes=2, seed=1, resamples=20)
    for name in every:
        (one,) = resampled(labels, [said], classes=2, seed=1, resamples=20, only=name)
        np.testing.assert_array_equal(one[name], every[name])


def test_the_interval_of_an_accuracy_is_the_binomials() -> None:
    labels = np.array([1] * 160 + [0] * 40)
    said = Answers(np.ones(200), 0.5)  # right in 160 of 200
    (found,) = resampled(labels, [said], classes=2, seed=0, resamples=4000)
    interval = Interval.of(found["accuracy"])
    low, high = binom.ppf([0.025, 0.975], 200, 0.8) / 200
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=0.006)


def test_samples_of_one_class_are_left_out_of_an_interval() -> None:
    interval = Interval.of(np.array([math.nan, 0.25, 0.25]))
    assert (interval.low, interval.high) == (0.25, 0.25)
    assert Interval.of(np.array([math.nan])).to_plain() == {"low": None, "high": None}


def test_mcnemar_is_the_exact_binomial_test() -> None:
    labels = np.zeros(20, dtype=int)
    right, wrong = 0.0, 1.0
    ours = np.array([right] * 9 + [wrong] * 2 + [right] * 9)
    theirs = np.array([wrong] * 9 + [right] * 2 + [right] * 9)
    found = McNemar.of(labels, Answers(ours, 0.5), Answers(theirs, 0.5))
    assert (found.only_winner_right, found.only_baseline_right) == (9, 2)
    assert found.p_value == pytest.approx(2 * binom.cdf(2, 11, 0.5))
    assert McNemar.of(labels, Answers(ours, 0.5), Answers(ours, 0.5)).p_value == 1.0


@pytest.mark.parametrize(
    ("metric", "skill", "word"),
    [
        ("average_precision", 3.0, "better"),
        ("loss", 3.0, "better"),
        ("average_precision", 0.0, "worse"),
        ("average_precision", 1.2, "told apart"),
    ],
)
def test_the_verdict_follows_the_interval_of_the_paired_difference(
    metric: str, skill: float, word: str
) -> None:
    labels, baseline = answers(400, seed=1)
    random = np.random.default_rng(2)
    logits = random.normal(size=400) + skill * (labels - 0.5) * 2
    winner = baseline if skill == 1.2 else Answers(1 / (1 + np.exp(-logits)), 0.5)
    found = assess(rows_of(labels), winner, metric=metric, baseline=baseline, resamples=300)
    assert found.against_baseline is not None
    assert word in found.against_baseline.verdict
    difference = found.against_baseline.differences[metric]
    points = (scores_of(labels, winner)[metric], scores_of(labels, baseline)[metric])
    assert difference.value == points[0] - points[1]
    assert difference.interval.low <= difference.value <= difference.interval.high


def test_a_paired_difference_is_narrower_than_that_of_separate_samples() -> None:
    labels, baseline = answers(400)
    nudged = baseline.probabilities * 0.98 + 0.02 * labels
    found = assess(rows_of(labels), Answers(nudged, 0.4), metric="accuracy", baseline=baseline)
    assert found.against_baseline is not None
    paired = found.against_baseline.differences["average_precision"].interval
    alone = found.intervals["average_precision"]
    assert paired.high - paired.low < (alone.high - alone.low) / 3


def test_rows_of_one_class_have_no_score_and_no_verdict() -> None:
    labels = np.zeros(12, dtype=int)
    said = Answers(np.linspace(0, 1, 12), 0.5)
    found = assess(rows_of(labels), said, metric="average_precision", baseline=said)
    plain = found.to_plain()
    assert plain["metrics"]["average_precision"] is None
    assert plain["intervals"]["average_precision"] == {"low": None, "high": None}
    assert plain["metrics"]["accuracy_at_threshold"] == pytest.approx(0.5)
    assert "not defined" in plain["against_baseline"]["verdict"]
