"""Scores and thresholds agree with scikit-learn, and with brute force over every threshold."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from bertsweep import metrics


def made(*, rows: int, classes: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities that are right more often than not."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, rows)
    logits = random.normal(size=(rows, classes)) + 1.2 * np.eye(classes)[labels]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return labels, probabilities[:, 1] if classes == 2 else probabilities


@st.composite
def two_class_rows(draw: Any) -> tuple[np.ndarray, np.ndarray]:
    """Few distinct probabilities, so that ties and both ends happen often."""
    rows = draw(st.integers(2, 25))
    probability = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.50000006, 0.75, 1.0]) | st.floats(0, 1)
    labels = draw(st.lists(st.integers(0, 1), min_size=rows, max_size=rows))
    probabilities = draw(st.lists(probability, min_size=rows, max_size=rows))
    kind = draw(st.sampled_from([np.float32, np.float64]))
    return np.array(labels), np.array(probabilities, dtype=kind)


def rates(labels: np.ndarray, caught: np.ndarray) -> tuple[float, float, float]:
    """Precision, recall and F1 by their definitions, 0 where nothing is caught."""
    hits, misses = sum(caught & (labels == 1)), sum(~caught & (labels == 1))
    false = sum(caught & (labels == 0))
    precision = hits / (hits + false) if hits + false else 0.0
    return precision, hits / (hits + misses), 2 * hits / (2 * hits + false + misses)


def f1_at(labels: np.ndarray, probabilities: np.ndarray, threshold: float) -> float:
    return rates(labels, probabilities >= threshold)[2]


@settings(max_examples=200, deadline=None)
@given(two_class_rows())
def test_two_classes_agree_with_brute_force_over_every_threshold(rows: Any) -> None:
    labels, probabilities = rows
    got = metrics.scores(labels, probabilities, loss=0.5)
    if len(set(labels.tolist())) == 1:
        defined = {name for name, value in got.items() if not math.isnan(value)}
        assert defined == {"loss", "accuracy"}
        return
    points = [rates(labels, probabilities >= threshold) for threshold in set(probabilities)]
    assert got["precision_at_recall"] == pytest.approx(max(p for p, r, _ in points if r >= 0.5))
    assert got["f1"] == pytest.approx(max(f1 for _, _, f1 in points))
    assert got["roc_auc"] == pytest.approx(sk.roc_auc_score(labels, probabilities))
    assert got["average_precision"] == pytest.approx(
        sk.average_precision_score(labels, probabilities)
    )
    half = probabilities >= 0.5
    assert got["accuracy"] == pytest.approx(float(np.mean(half == (labels == 1))))
    at_half = (got["precision"], got["recall"], got["f1_at_half"])
    assert at_half == pytest.approx(rates(labels, half))
    assert got["loss"] == 0.5


def precision_at_recall(labels: np.ndarray, caught: np.ndarray) -> float:
    precision, recall, _ = rates(labels, caught)
    return precision if recall >= 0.5 else -1.0


WANTED = {
    "f1": lambda labels, caught: rates(labels, caught)[2],
    "accuracy": lambda labels, caught: np.mean(caught == (labels == 1)),
    "balanced_accuracy": lambda labels, caught: (
        np.mean(caught[labels == 1]) + np.mean(~caught[labels == 0])
    ),
    "precision_at_recall": precision_at_recall,
}


def test_every_rule_is_tried_below() -> None:
    assert set(WANTED) == set(metrics.THRESHOLDS)


@pytest.mark.parametrize("rule", WANTED)
@settings(max_examples=100, deadline=None)
@given(rows=two_class_rows())
def test_no_threshold_is_better_than_the_one_that_a_rule_finds(rule: str, rows: Any) -> None:
    labels, probabilities = rows
    threshold = metrics.threshold_for(rule, labels, probabilities)
    assert 0 <= threshold <= 1
    if len(set(labels.tolist())) == 1:
        assert threshold == 0.5
        return
    wanted = WANTED[rule]
    best = max(wanted(labels, probabilities >= each) for each in {1.0, *probabilities})
    # As it is, as a model card or a JSON file returns it, and as 32-bit code rounds it.
    told: list[Any] = [threshold, float(repr(threshold))]
    told += [np.float32(threshold)] if probabilities.dtype == np.float32 else []
    for each in told:
        assert wanted(labels, probabilities >= each) == pytest.approx(best, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(two_class_rows())
def test_a_score_at_a_threshold_is_what_the_labels_of_its_rule_score(rows: Any) -> None:
    labels, probabilities = rows
    if len(set(labels.tolist())) == 1:
        return
    got = metrics.scores(labels, probabilities, loss=0.5)
    of_labels = {
        "accuracy": sk.accuracy_score,
        "precision": sk.precision_score,
        "recall": sk.recall_score,
        "f1_at_half": sk.f1_score,
        "f1": sk.f1_score,
        "precision_at_recall": sk.precision_score,
    }
    assert set(of_labels) == {m.name for m in metrics.METRICS.values() if m.threshold is not None}
    for name, score in of_labels.items():
        rule = metrics.threshold_rule(name)
        caught = probabilities >= metrics.threshold_for(rule, labels, probabilities)
        more = {} if name == "accuracy" else {"zero_division": 0}
        assert got[name] == score(labels, caught, **more), name


def test_the_threshold_lies_halfway_between_the_neighbours() -> None:
    labels, probabilities = np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.6, 0.9])
    assert metrics.threshold_for("f1", labels, probabilities) == pytest.approx(0.4)


def test_of_equally_good_thresholds_the_one_nearest_to_half_is_taken() -> None:
    labels, probabilities = np.array([1, 0, 0, 1]), np.array([0.95, 0.8, 0.6, 0.5])
    assert f1_at(labels, probabilities, 0.875) == f1_at(labels, probabilities, 0.25)
    assert metrics.threshold_for("f1", labels, probabilities) == pytest.approx(0.25)


def test_a_number_is_its_own_threshold() -> None:
    assert metrics.threshold_for(0.3, *made(rows=20)) == 0.3


@pytest.mark.parametrize("highest", [0.9, 0.99999994])
def test_the_best_accuracy_may_be_that_of_no_positive_row(highest: float) -> None:
    labels, probabilities = np.array([1, 0, 0, 0]), np.array([0.2, 0.4, 0.6, highest])
    threshold = metrics.threshold_for("accuracy", labels, probabilities)
    assert highest < threshold <= 1
    assert np.float32(threshold) > np.float32(highest)


def test_a_probability_of_one_is_always_positive() -> None:
    labels, probabilities = np.array([1, 0, 0, 0]), np.array([0.2, 0.4, 0.6, 1.0])
    assert metrics.threshold_for("accuracy", labels, probabilities) == pytest.approx(0.8)


def test_each_metric_has_its_rule_and_curves_the_one_that_is_stated() -> None:
    rules = {name: metrics.threshold_rule(f"val_{name}") for name in metrics.METRICS}
    assert rules == {
        "loss": "f1",
        "accuracy": 0.5,
        "precision": 0.5,
        "recall": 0.5,
        "precision_at_recall": "precision_at_recall",
        "roc_auc": "f1",
        "average_precision": "f1",
        "f1": "f1",
        "f1_at_half": 0.5,
    }
    assert metrics.threshold_rule("val_roc_auc", "accuracy") == "accuracy"
    assert metrics.threshold_rule("val_loss", 0.3) == 0.3
    assert metrics.describe_rule("f1") == "best F1"
    assert metrics.describe_rule(0.5) == "0.5"


@pytest.mark.parametrize("classes", [3, 6])
def test_more_classes_agree_with_scikit_learn(classes: int) -> None:
    labels, probabilities = made(rows=500, classes=classes)
    got = metrics.scores(labels, probabilities, loss=1.0)
    predicted = probabilities.argmax(axis=1)
    onehot = np.eye(classes)[labels]
    want = {
        "accuracy": sk.accuracy_score(labels, predicted),
        "precision": sk.precision_score(labels, predicted, average="macro"),
        "recall": sk.recall_score(labels, predicted, average="macro"),
        "f1": sk.f1_score(labels, predicted, average="macro"),
        "f1_at_half": sk.f1_score(onehot, probabilities >= 0.5, average="macro"),
        "roc_auc": sk.roc_auc_score(labels, probabilities, multi_class="ovr"),
        "average_precision": sk.average_precision_score(onehot, probabilities, average="macro"),
    }
    assert {name: got[name] for name in want} == pytest.approx(want)
    assert 0 < got["precision_at_recall"] <= 1


def test_a_class_without_rows_leaves_the_averages_defined() -> None:
    labels, probabilities = made(rows=200, classes=4)
    seen = labels != 3
    got = metrics.scores(labels[seen], probabilities[seen], loss=1.0)
    assert all(math.isfinite(value) for value in got.values())
    predicted = probabilities[seen].argmax(axis=1)
    want = sk.f1_score(labels[seen], predicted, average="macro", zero_division=0)
    assert got["f1"] == pytest.approx(want)


def test_two_columns_count_as_two_classes() -> None:
    labels, probabilities = made(rows=100)
    columns = np.stack([1 - probabilities, probabilities], axis=1)
    assert metrics.scores(labels, columns, loss=0.1) == metrics.scores(
        labels, probabilities, loss=0.1
    )
    assert metrics.threshold_for("f1", labels, columns) == metrics.threshold_for(
        "f1", labels, probabilities
    )


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_probability_that_is_not_finite_makes_all_but_the_loss_undefined(bad: float) -> None:
    labels, probabilities = made(rows=10)
    probabilities[3] = bad
    got = metrics.scores(labels, probabilities, loss=2.0)
    assert {name for name, value in got.items() if not math.isnan(value)} == {"loss"}
    assert metrics.threshold_for("accuracy", labels, probabilities) == 0.5


def test_no_rows_are_undefined() -> None:
    got = metrics.scores(np.array([], dtype=np.int32), np.array([]), loss=math.nan)
    assert all(math.isnan(value) for value in got.values())


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="must match"):
        metrics.scores(np.array([0, 1]), np.array([0.5]), loss=0.0)
    with pytest.raises(ValueError, match="needs two classes"):
        metrics.threshold_for("f1", *made(rows=10, classes=3))


def test_every_metric_is_scored_and_has_a_direction() -> None:
    labels, probabilities = made(rows=50)
    assert set(metrics.scores(labels, probabilities, loss=0.0)) == set(metrics.METRICS)
    assert metrics.mode_of("val_average_precision") == "max"
    assert metrics.mode_of("val_loss") == metrics.mode_of("loss") == "min"
    with pytest.raises(KeyError):
        metrics.mode_of("val_beauty")


def test_all_scores_take_less_time_than_two_of_them_from_scikit_learn() -> None:
    labels, probabilities = made(rows=12_000)

    def seconds(compute: Callable[[], object]) -> float:
        begun = time.perf_counter()
        compute()
        return time.perf_counter() - begun

    def theirs() -> None:
        sk.average_precision_score(labels, probabilities)
        sk.roc_auc_score(labels, probabilities)

    turns = [
        (seconds(lambda: metrics.scores(labels, probabilities, loss=0.0)), seconds(theirs))
        for _ in range(7)
    ]
    assert min(ours for ours, _ in turns) < min(other for _, other in turns)
