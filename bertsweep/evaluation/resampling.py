"""Scores of many bootstrap samples of the rows at once, and the intervals that follow from them.

A bootstrap sample draws as many rows as there are, with replacement; it is told by how often each
row was drawn, so that a score of a sample is a weighted score of the rows. Percentile intervals:
Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bertsweep.evaluation.rows import Answers, Floats, Ints, plain_number, row_losses
from bertsweep.metrics import RECALL

RESAMPLES = 1000
LEVEL = 0.95
"""Share of the samples whose scores lie in an interval."""

_CURVE = ("roc_auc", "average_precision", "f1", "precision_at_recall", "f1_at_half")
_AT_ONCE = 2_000_000
"""Weights that are computed with at once, which bounds the memory (about 200 MB)."""


@dataclass(frozen=True)
class Interval:
    """The range that holds the score in 95 of 100 samples; NaN where it is never defined."""

    low: float
    high: float

    @classmethod
    def of(cls, scores: Floats) -> Interval:
        """The percentile interval of the scores of samples; those not defined are left out."""
        known = scores[np.isfinite(scores)]
        if not len(known):
            return cls(float("nan"), float("nan"))
        low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return cls(float(low), float(high))

    def to_plain(self) -> dict[str, float | None]:
        return {"low": plain_number(self.low), "high": plain_number(self.high)}


def resampled(
    labels: Ints,
    each: Sequence[Answers],
    *,
    classes: int,
    seed: int,
    only: str | None = None,
    resamples: int = RESAMPLES,
) -> list[dict[str, Floats]]:
    """Metric → its value in every sample [resamples], for each of several answers on equal rows.

    All of `each` are scored on the same samples, so that their scores can be subtracted. The names
    are those of `assessment.scores_of`, all but those of no use here, or `only` one.
    """
    scorers = [_Weighted(labels, answers, classes=classes, only=only) for answers in each]
    parts: list[list[dict[str, Floats]]] = [[] for _ in each]
    for weights in _samples(len(labels), resamples=resamples, seed=seed):
        for scorer, part in zip(scorers, parts, strict=True):
            part.append(scorer(weights))
    return [
        {name: np.concatenate([one[name] for one in part]) for name in part[0]} for part in parts
    ]


def intervals(scores: Mapping[str, Floats]) -> dict[str, Interval]:
    """The interval of every metric that `resampled` returned."""
    return {name: Interval.of(values) for name, values in scores.items()}


def _samples(rows: int, *, resamples: int, seed: int) -> Iterator[Floats]:
    """How often each row was drawn [some samples, rows], until there are `resamples`."""
    rng = np.random.default_rng(seed)
    step = max(1, _AT_ONCE // rows)
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        drawn = rng.integers(0, rows, size=(count, rows)) + rows * np.arange(count)[:, None]
        counted = np.bincount(drawn.ravel(), minlength=count * rows)
        yield counted.reshape(count, rows).astype(np.float64)


class _Weighted:
    """Scores rows by weights [samples, rows]; what does not depend on them is computed once."""

    def __init__(self, labels: Ints, answers: Answers, *, classes: int, only: str | None) -> None:
        self._only, self._classes = only, classes
        self._losses = row_losses(labels, answers)
        two = answers.threshold is not None
        self._two = two
        predicted = {"": answers.predicted}
        if two:
            predicted["at_half"] = (answers.probabilities >= 0.5).astype(np.int64)
        self._cells = {
            name: np.eye(classes * classes)[labels * classes + found]
            for name, found in predicted.items()
        }
        self._curves: list[_Order] = []
        if only is None or only in _CURVE:
            ones = [1] if two else np.unique(labels).tolist()
            self._curves = [_Order.of(labels == one, answers.each[:, one]) for one in ones]

    def __call__(self, weights: Floats) -> dict[str, Floats]:
        found = {"loss": weights @ self._losses / weights.sum(axis=1)}
        tables = {
            name: (weights @ cells).reshape(-1, self._classes, self._classes)
            for name, cells in self._cells.items()
        }
        found |= _two_at(tables) if self._two else _many_at(tables[""])
        if self._curves:
            curves = [curve.scores(weights) for curve in self._curves]
            # With more classes the F1 of a report is that of the labels, which `found` has.
            names = [name for name in curves[0] if self._two or name != "f1"]
            found |= {name: _mean([one[name] for one in curves]) for name in names}
        return found if self._only is None else {self._only: found[self._only]}


@dataclass(frozen=True)
class _Order:
    """One class against the rest, rows from the highest probability down.

    `last` are the places where a run of equal probabilities ends, `half` the number of rows with at
    least 0.5.
    """

    order: Ints
    positive: Floats
    last: Ints
    half: int

    @classmethod
    def of(cls, positive: Ints, probabilities: Floats) -> _Order:
        order = np.argsort(-probabilities, kind="stable")
        ranked = probabilities[order]
        last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
        half = int(np.count_nonzero(ranked >= 0.5))
        return cls(order, positive[order].astype(np.float64), last, half)

    def scores(self, weights: Floats) -> dict[str, Floats]:
        """The metrics of a curve [samples], NaN in samples of one class only."""
        ranked = weights[:, self.order]
        hits = np.cumsum(ranked * self.positive, axis=1)
        caught = np.cumsum(ranked, axis=1)
        at_half = (hits[:, self.half - 1], caught[:, self.half - 1]) if self.half else (0.0, 0.0)
        hits, caught = hits[:, self.last], caught[:, self.last]
        positives, total = hits[:, -1:], caught[:, -1:]
        with np.errstate(divide="ignore", invalid="ignore"):
            recall = hits / positives
            precision = hits / np.maximum(caught, 1)
            fallout = (caught - hits) / (total - positives)
            found = {
                "roc_auc": np.sum(_steps(fallout) * (_shifted(recall) + recall) / 2, axis=1),
                "average_precision": np.sum(_steps(recall) * precision, axis=1),
                "f1": np.max(2 * hits / (caught + positives), axis=1),
                "precision_at_recall": np.max(np.where(recall >= RECALL, precision, 0), axis=1),
                "f1_at_half": 2 * at_half[0] / (at_half[1] + positives[:, 0]),
            }
        one_class = (positives[:, 0] == 0) | (positives[:, 0] == total[:, 0])
        return {name: np.where(one_class, np.nan, values) for name, values in found.items()}


def _shifted(curve: Floats) -> Floats:
    return np.concatenate([np.zeros_like(curve[:, :1]), curve[:, :-1]], axis=1)


def _steps(curve: Floats) -> Floats:
    return curve - _shifted(curve)


def _mean(values: Sequence[Floats]) -> Floats:
    """The mean over the classes in which a sample is defined."""
    stacked = np.array(values)
    known = np.isfinite(stacked)
    sums = np.where(known, stacked, 0).sum(axis=0)
    with np.errstate(invalid="ignore"):
        return np.asarray(sums / known.sum(axis=0))


def _two_at(tables: Mapping[str, Floats]) -> dict[str, Floats]:
    """Scores of two classes at the threshold and at 0.5, of confusion matrices [samples, 2, 2]."""
    chosen, half = _rates(tables[""]), _rates(tables["at_half"])
    found = {f"{name}_at_threshold": chosen[name] for name in _SINGLE}
    found |= {name: half[name] for name in ("accuracy", "precision", "recall")}
    return found | {name: chosen[name] for name in _JOINT}


def _many_at(table: Floats) -> dict[str, Floats]:
    """Scores of the likeliest class, of confusion matrices [samples, classes, classes]."""
    return _rates(table)


_SINGLE = ("accuracy", "precision", "recall", "f1")
_JOINT = ("balanced_accuracy", "matthews_correlation")


def _rates(table: Floats) -> dict[str, Floats]:
    """Scores of confusion matrices [samples, true class, predicted class].

    Of two classes precision, recall and F1 are those of the second; of more the mean over classes.
    They are NaN in samples without the class. The Matthews correlation of several classes:
    Gorodkin 2004, "Comparing two K-category assignments by a K-category correlation coefficient".
    """
    right = np.diagonal(table, axis1=1, axis2=2)
    true, given = table.sum(axis=2), table.sum(axis=1)
    total = table.sum(axis=(1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = right / np.maximum(given, 1)
        recall = right / true
        f1 = 2 * right / (true + given)
        spread = (total**2 - (given**2).sum(axis=1)) * (total**2 - (true**2).sum(axis=1))
        together = right.sum(axis=1) * total - (true * given).sum(axis=1)
        matthews = np.where(spread > 0, together / np.sqrt(np.maximum(spread, 1)), 0.0)
    one_class = (true > 0).sum(axis=1) < 2
    present = (true > 0) | (given > 0)

    def joined(each: Floats) -> Floats:
        value = each[:, 1] if each.shape[1] == 2 else _mean(list(np.where(present, each, np.nan).T))
        return np.where(one_class, np.nan, value)

    recall_or_none = np.where(true > 0, recall, 0.0)
    return {
        "accuracy": right.sum(axis=1) / total,
        "precision": joined(precision),
        "recall": joined(recall_or_none),
        "f1": joined(f1),
        "balanced_accuracy": np.where(one_class, np.nan, _mean(list(recall.T))),
        "matthews_correlation": np.where(one_class, np.nan, matthews),
    }
