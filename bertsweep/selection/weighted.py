"""Scores of many resamples at once: rows are weighted by how often they were drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from bertsweep import metrics
from bertsweep.selection.resampling import Floats, Ints

Bools = npt.NDArray[np.bool_]

Scorer = Callable[[Floats], Floats]
"""Counts [rows, resamples] → scores [resamples]."""

_HALF = 0.5


def scorer(metric: str, labels: Ints, probabilities: Floats) -> Scorer:
    """What scores resamples of one trial's probabilities, which it has sorted once.

    `metric` is a name of `bertsweep.metrics.METRICS` without prefix, `labels` are class indices
    [rows], `probabilities` those of class 1 [rows] or of every class [rows, classes]. The scores
    equal `bertsweep.metrics.scores` of the materialised resample, to rounding; "loss", which that
    function is told, is the mean negative logarithm of the right class's probability, cut at the
    precision of float32 as scikit-learn does. Probabilities must be finite, and resamples have rows
    of two classes.

    A metric that has no fast way here is computed by `bertsweep.metrics.scores`, one resample after
    the other.
    """
    if probabilities.ndim == 2 and probabilities.shape[1] == 2:
        probabilities = probabilities[:, 1]
    if metric == "loss":
        return _mean(_losses(labels, probabilities))
    if metric == "accuracy":
        return _mean((_predicted(probabilities) == labels).astype(np.float32))
    if probabilities.ndim == 1 and metric in _SINGLE:
        return _SINGLE[metric](labels == 1, probabilities)
    if probabilities.ndim == 2 and metric in _MACRO:
        return _macro(_MACRO[metric], labels, probabilities)
    if probabilities.ndim == 2 and metric in _SINGLE:
        return _each_against_rest(_SINGLE[metric], labels, probabilities)
    return _materialised(metric, labels, probabilities)


def _predicted(probabilities: Floats) -> Ints:
    if probabilities.ndim == 1:
        return (probabilities >= _HALF).astype(np.int64)
    return np.asarray(probabilities.argmax(axis=1))


def _losses(labels: Ints, probabilities: Floats) -> Floats:
    if probabilities.ndim == 1:
        right = np.where(labels == 1, probabilities, 1 - probabilities.astype(np.float64))
    else:
        right = probabilities[np.arange(len(labels)), labels]
    least = float(np.finfo(np.float32).eps)
    return np.asarray(-np.log(np.clip(right, least, 1 - least)), dtype=np.float32)


def _mean(values: Floats) -> Scorer:
    return lambda counts: (values @ counts).astype(np.float64) / counts.sum(axis=0)


@dataclass(frozen=True)
class _Ranked:
    """Rows of one trial from the highest probability down, cut after each that is positive.

    Only there can a curve rise, so no other threshold matters to an area or a maximum. Rows with
    equal probabilities are one group. `rows`, `hits` and `tied` are 0-1 matrices [groups, rows]:
    the rows since the group before, the positive ones among them, and the negative ones that tie
    with those.
    """

    rows: Any
    hits: Any
    tied: Any
    positive: Floats

    @classmethod
    def of(cls, positive: Bools, probabilities: Floats) -> _Ranked:
        order = np.argsort(-probabilities, kind="stable")
        ranked, hit = probabilities[order], positive[order]
        equal = np.append(0, np.cumsum(np.diff(ranked) != 0))
        groups = np.unique(equal[hit])
        group = np.searchsorted(groups, equal)
        above = group < len(groups)
        tied = above & ~hit
        tied[above] &= groups[group[above]] == equal[above]

        def matrix(chosen: Bools) -> Any:
            ends = np.searchsorted(group[chosen], np.arange(len(groups) + 1))
            ones = np.ones(int(ends[-1]), dtype=np.float32)
            parts = (ones, order[chosen], ends)
            return sparse.csr_matrix(parts, shape=(len(groups), len(positive)))

        return cls(matrix(above), matrix(hit), matrix(tied), positive.astype(np.float32))

    def curve(self, counts: Floats) -> tuple[Floats, Floats, Floats]:
        """New hits, hits and rows caught at each cut [groups, resamples]."""
        fresh = self.hits @ counts
        return fresh, fresh.cumsum(axis=0), (self.rows @ counts).cumsum(axis=0)


def _average_precision(positive: Bools, probabilities: Floats) -> Scorer:
    ranked = _Ranked.of(positive, probabilities)

    def score(counts: Floats) -> Floats:
        fresh, hits, caught = ranked.curve(counts)
        summed = np.einsum("ij,ij->j", fresh, hits / np.maximum(caught, 1), dtype=np.float64)
        return np.asarray(summed / (ranked.positive @ counts))

    return score


def _roc_auc(positive: Bools, probabilities: Floats) -> Scorer:
    """The share of pairs of a positive and a negative row that are in order, ties as a half."""
    ranked = _Ranked.of(positive, probabilities)

    def score(counts: Floats) -> Floats:
        fresh, hits, caught = ranked.curve(counts)
        positives = (ranked.positive @ counts).astype(np.float64)
        negatives = counts.sum(axis=0) - positives
        below = negatives - (caught - hits) + (ranked.tied @ counts) / 2
        ordered = np.einsum("ij,ij->j", fresh, below, dtype=np.float64)
        return np.asarray(ordered / (positives * negatives))

    return score


def _best_f1(positive: Bools, probabilities: Floats) -> Scorer:
    ranked = _Ranked.of(positive, probabilities)

    def score(counts: Floats) -> Floats:
        _, hits, caught = ranked.curve(counts)
        f1 = 2 * hits.astype(np.float64) / (caught + ranked.positive @ counts)
        return np.asarray(f1.max(axis=0))

    return score


def _precision_at_recall(positive: Bools, probabilities: Floats) -> Scorer:
    ranked = _Ranked.of(positive, probabilities)

    def score(counts: Floats) -> Floats:
        _, hits, caught = ranked.curve(counts)
        enough = hits >= metrics.RECALL * (ranked.positive @ counts)
        precision = hits.astype(np.float64) / np.maximum(caught, 1)
        return np.asarray(np.where(enough, precision, -1.0).max(axis=0))

    return score


def _at_half(formula: Callable[[Floats, Floats, Floats], Floats]) -> Any:
    """A score of the labels at 0.5, from hits, predicted and positive rows."""

    def build(positive: Bools, probabilities: Floats) -> Scorer:
        return _counted(formula, positive, probabilities >= _HALF)

    return build


def _counted(
    formula: Callable[[Floats, Floats, Floats], Floats], positive: Bools, predicted: Bools
) -> Scorer:
    kinds = np.stack([positive & predicted, predicted, positive]).astype(np.float32)

    def score(counts: Floats) -> Floats:
        hits, caught, positives = (kinds @ counts).astype(np.float64)
        return formula(hits, caught, positives)

    return score


def _precision(hits: Floats, caught: Floats, positives: Floats) -> Floats:
    return hits / np.maximum(caught, 1)


def _recall(hits: Floats, caught: Floats, positives: Floats) -> Floats:
    return hits / np.maximum(positives, 1)


def _f1(hits: Floats, caught: Floats, positives: Floats) -> Floats:
    return 2 * hits / np.maximum(caught + positives, 1)


_SINGLE: dict[str, Callable[[Bools, Floats], Scorer]] = {
    "average_precision": _average_precision,
    "roc_auc": _roc_auc,
    "f1": _best_f1,
    "precision_at_recall": _precision_at_recall,
    "precision": _at_half(_precision),
    "recall": _at_half(_recall),
    "f1_at_half": _at_half(_f1),
}
"""Scores of one class against the rest."""

_MACRO = {"precision": _precision, "recall": _recall, "f1": _f1}
"""Scores that many classes average over the likeliest class of each row."""


def _macro(
    formula: Callable[[Floats, Floats, Floats], Floats], labels: Ints, probabilities: Floats
) -> Scorer:
    """The average over the classes that a resample has among its labels or its predictions."""
    predicted = _predicted(probabilities)
    classes = [(labels == label, predicted == label) for label in range(probabilities.shape[1])]
    values = [_counted(formula, *pair) for pair in classes]
    held = np.stack([actual | found for actual, found in classes]).astype(np.float32)

    def score(counts: Floats) -> Floats:
        return _average(np.stack([one(counts) for one in values]), held @ counts > 0)

    return score


def _each_against_rest(
    build: Callable[[Bools, Floats], Scorer], labels: Ints, probabilities: Floats
) -> Scorer:
    """The average over the classes that a resample has rows of."""
    present = np.unique(labels)
    values = [build(labels == label, probabilities[:, label]) for label in present]
    held = np.stack([labels == label for label in present]).astype(np.float32)

    def score(counts: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):  # a class without rows: left out
            each = np.stack([one(counts) for one in values])
        return _average(each, held @ counts > 0)

    return score


def _average(values: Floats, counted: Bools) -> Floats:
    kept = np.where(counted, values, 0.0).sum(axis=0)
    return np.asarray(kept / counted.sum(axis=0))


def _materialised(metric: str, labels: Ints, probabilities: Floats) -> Scorer:
    rows = np.arange(len(labels))

    def score(counts: Floats) -> Floats:
        drawn = [np.repeat(rows, column.astype(np.int64)) for column in counts.T]
        found = [
            metrics.scores(labels[some], probabilities[some], loss=float("nan"))[metric]
            for some in drawn
        ]
        return np.array(found)

    return score
