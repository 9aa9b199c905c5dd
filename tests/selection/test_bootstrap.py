"""The bootstrap of the choice: exact scores of resamples, and what they say of the trials."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bertsweep import metrics
from bertsweep.errors import DataError
from bertsweep.selection import Selection, select
from bertsweep.selection.bootstrap import (
    out_of_bag_scores,
    probability_best,
    resampled_scores,
)
from bertsweep.selection.resampling import draws

ROWS, TRIALS = 300, 4


def two_classes(seed=0, rows=ROWS, signal=(2.0,) * TRIALS):
    """Labels and, for each trial, probabilities with ties, 0, 1 and exactly 0.5 among them."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(rows) < 0.2).astype(np.int64)
    trials = []
    for strength in signal:
        logits = strength * labels - 1 + rng.normal(size=rows)
        trials.append(np.round(1 / (1 + np.exp(-2 * logits)), 2).astype(np.float32))
    return labels, trials


def many_classes(seed=0, rows=ROWS):
    """Four classes, the last with three rows: many resamples have none of it."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, size=rows)
    labels[:3] = 3
    logits = rng.normal(size=(TRIALS, rows, 4)) + 2 * np.eye(4)[labels]
    trials = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    return labels, list(trials.astype(np.float32))


@pytest.mark.parametrize("data", [two_classes, many_classes])
def test_scores_are_those_of_the_materialised_resample(data):
    labels, trials = data()
    counts = np.concatenate(list(draws(labels, resamples=12, seed=3)), axis=1)
    expected = []
    for column in counts.T:
        rows = np.repeat(np.arange(ROWS), column.astype(int))
        assert len(rows) == ROWS
        expected.append([metrics.scores(labels[rows], trial[rows], loss=0.0) for trial in trials])
    for metric in set(metrics.METRICS) - {"loss"}:
        found = resampled_scores(labels, trials, f"val_{metric}", resamples=12, seed=3)
        wanted = [[scores[metric] for scores in each] for each in expected]
        np.testing.assert_allclose(found, wanted, rtol=1e-6, err_msg=metric)


@pytest.mark.parametrize("data", [two_classes, many_classes])
def test_loss_is_the_cross_entropy_of_the_resample(data):
    labels, trials = data()
    found = resampled_scores(labels, trials, "loss", resamples=5, seed=3)
    counts = np.concatenate(list(draws(labels, resamples=5, seed=3)), axis=1)
    for trial, probabilities in enumerate(trials):
        every = probabilities
        if every.ndim == 1:
            every = np.stack([1 - every.astype(np.float64), every], axis=1)
        right = np.clip(every[np.arange(ROWS), labels], 1.2e-7, 1)
        expected = -(np.log(right) @ counts) / ROWS
        np.testing.assert_allclose(found[:, trial], expected, rtol=1e-4)


def test_a_metric_without_a_fast_way_is_computed_all_the_same(monkeypatch):
    labels, trials = two_classes()
    scores = metrics.scores

    def with_another(*arguments, **options):
        found = scores(*arguments, **options)
        return {**found, "twice": 2 * found["f1"]}

    monkeypatch.setattr(metrics, "scores", with_another)
    monkeypatch.setattr(
        metrics, "METRICS", {**metrics.METRICS, "twice": metrics.Metric("twice", "max", "")}
    )
    twice = resampled_scores(labels, trials, "twice", resamples=5, seed=1)
    np.testing.assert_allclose(
        twice, 2 * resampled_scores(labels, trials, "f1", resamples=5, seed=1), rtol=1e-6
    )


def test_resamples_of_rare_classes_hold_two_classes_in_and_out_of_the_bag():
    labels = np.zeros(50, dtype=np.int64)
    labels[:2] = 1
    for counts in draws(labels, resamples=200, seed=0):
        assert ((counts[:2] > 0).sum(axis=0) == 1).all()


@pytest.mark.parametrize("positives", [0, 1])
def test_rows_that_allow_no_resamples_are_refused(positives):
    labels = np.zeros(50, dtype=np.int64)
    labels[:positives] = 1
    with pytest.raises(DataError, match="several of each"):
        select(labels, [np.linspace(0, 1, 50)], "average_precision", resamples=10)


def test_the_better_trial_is_the_likelier_best_and_told_from_the_worse():
    labels, trials = two_classes(rows=2000, signal=(1.0, 3.0, 2.9, 0.5))
    found = select(labels, trials, "average_precision", names=["a", "b", "c", "d"], resamples=300)
    assert {found.first.name, found.trials[1].name} == {"b", "c"}
    assert [trial.name for trial in found.trials[2:]] == ["a", "d"]
    assert sum(trial.probability_best for trial in found.trials) == pytest.approx(1)
    assert found.first.probability_best > 0.5
    assert set(found.not_distinguishable) == {"b", "c"}
    assert found.trials[2].high < 0
    assert found.best_score == found.first.score


def test_a_loss_is_best_where_it_is_least():
    labels, trials = two_classes(rows=2000, signal=(3.0, 0.1))
    found = select(labels, trials, "val_loss", resamples=100)
    assert found.first.name == "0"
    assert found.trials[1].low > 0
    assert found.trials[1].distinguishable


def test_the_correction_takes_the_luck_of_equal_trials_out():
    """Trials that guess: whoever is best is so by luck, and the truth is an AUC of 0.5."""
    rng = np.random.default_rng(5)
    plain, corrected = [], []
    for seed in range(20):
        labels = (rng.random(200) < 0.5).astype(np.int64)
        trials = list(rng.random((20, 200)))
        found = select(labels, trials, "roc_auc", resamples=100, seed=seed)
        plain.append(found.best_score)
        corrected.append(found.corrected_score)
    assert np.mean(plain) > 0.56
    assert abs(np.mean(corrected) - 0.5) < 0.02


def test_the_parts_agree_with_the_whole():
    labels, trials = two_classes()
    whole = select(labels, trials, "f1", resamples=50, seed=9)
    scores = resampled_scores(labels, trials, "f1", resamples=50, seed=9)
    outside = out_of_bag_scores(labels, trials, "f1", resamples=50, seed=9)
    assert outside.mean() == whole.corrected_score
    best = probability_best(scores, "f1")
    assert [best[int(trial.name)] for trial in whole.trials] == [
        trial.probability_best for trial in whole.trials
    ]
    differences = scores - scores[:, [int(whole.first.name)]]
    low, high = np.percentile(differences, [2.5, 97.5], axis=0)
    assert {int(name) for name in whole.not_distinguishable} == set(
        np.flatnonzero((low <= 0) & (high >= 0))
    )


def test_equal_trials_share_and_the_earlier_is_first():
    labels, trials = two_classes()
    found = select(labels, [trials[0], trials[0]], "average_precision", resamples=20)
    assert [trial.name for trial in found.trials] == ["0", "1"]
    assert [trial.probability_best for trial in found.trials] == [0.5, 0.5]
    assert not found.trials[1].distinguishable


def test_a_selection_is_plain_json_and_repeats():
    labels, trials = two_classes()
    one, same = (select(labels, trials, "f1", resamples=30, seed=2) for _ in range(2))
    assert isinstance(one, Selection)
    assert one == same
    assert select(labels, trials, "f1", resamples=30, seed=3) != one
    plain = json.loads(json.dumps(one.to_plain(), allow_nan=False))
    assert plain["trials"][0]["name"] == one.first.name


def test_what_does_not_match_is_refused():
    labels, trials = two_classes()
    with pytest.raises(ValueError, match="must match"):
        select(labels, [trials[0], trials[1][:-1]], "f1")
    with pytest.raises(ValueError, match="finite"):
        select(labels, [trials[0], np.full(ROWS, np.nan)], "f1")
    with pytest.raises(KeyError):
        select(labels, trials, "fame")
    with pytest.raises(ValueError, match="name"):
        select(labels, trials, "f1", names=["a"], resamples=5)
