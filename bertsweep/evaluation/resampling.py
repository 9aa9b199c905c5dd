"""Scores of many bootstrap samples of the rows at once, and the intervals that follow from them.

A bootstrap sample draws as many rows as there are, with replacement; it is told by how often each
row was drawn. Percentile intervals: Efron and Tibshirani 1993, "An Introduction to the Bootstrap",
chapter 13.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from bertsweep import metrics
from bertsweep.evaluation.rows import Answers, Bools, Floats, Ints, plain_number, row_losses
from bertsweep.progress import Progress
from bertsweep.selection.weighted import scorer

RESAMPLES = 1000
LEVEL = 0.95
"""Share of the samples whose scores lie in an interval."""

_AT_ONCE = 1_000_000
"""Counts that are computed with at once, so that they stay in the processor's cache."""

_ANY_ROWS = ("loss", "accuracy", "accuracy_at_threshold")
"""Scores that rows of one class have, too."""

_AT_THRESHOLD = ("accuracy", "precision", "recall", "f1")
_JOINT = ("balanced_accuracy", "matthews_correlation")


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
    progress: Progress | None = None,
) -> list[dict[str, Floats]]:
    """Metric → its value in every sample [resamples], for each of several answers on equal rows.

    All of `each` are scored on the same samples, so that their scores can be subtracted. The names
    are those of `scores.scores_of`, or `only` one of them. What is not defined in a sample is NaN.
    `progress` counts samples.
    """
    scorers = [_scorers(labels, answers, classes=classes, only=only) for answers in each]
    members = np.stack([labels == label for label in np.unique(labels)]).astype(np.float32)
    parts: list[list[dict[str, Floats]]] = [[] for _ in each]
    done = 0
    # These products are too small for several threads, which on a busy machine wait for each other
    # (measured: 15 times as long).
    with threadpool_limits(limits=1, user_api="blas"):
        for counts in _samples(len(labels), resamples=resamples, seed=seed):
            one_class = np.count_nonzero(members @ counts, axis=0) < 2
            for score, part in zip(scorers, parts, strict=True):
                part.append(_scored(score, counts, one_class, only=only))
            done += counts.shape[1]
            if progress is not None:
                progress("resampling the rows", done, resamples)
    return [
        {name: np.concatenate([one[name] for one in part]) for name in part[0]} for part in parts
    ]


def intervals(scores: Mapping[str, Floats]) -> dict[str, Interval]:
    """The interval of every metric that `resampled` returned."""
    return {name: Interval.of(values) for name, values in scores.items()}


def _samples(rows: int, *, resamples: int, seed: int) -> Iterator[Floats]:
    """How often each row was drawn [rows, some samples], until there are `resamples`."""
    rng = np.random.default_rng(seed)
    # Sums of counts are exact in 32 bits up to there.
    dtype: type[np.floating[Any]] = np.float32 if rows < 2**24 else np.float64
    step = max(1, _AT_ONCE // rows)
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        drawn = rng.integers(0, rows, size=(rows, count)) * count + np.arange(count)
        yield np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count).astype(dtype)


_Scorer = Callable[[Floats], Mapping[str, Floats]]
"""Counts [rows, samples] → metric → scores [samples]."""


def _scored(
    scorers: Sequence[_Scorer], counts: Floats, one_class: Bools, *, only: str | None
) -> dict[str, Floats]:
    found: dict[str, Floats] = {}
    with np.errstate(divide="ignore", invalid="ignore"):  # samples of one class: NaN, below
        for score in scorers:
            found |= score(counts)
    found = {
        name: values if name in _ANY_ROWS else np.where(one_class, np.nan, values)
        for name, values in found.items()
    }
    return found if only is None else {only: found[only]}


def _scorers(labels: Ints, answers: Answers, *, classes: int, only: str | None) -> list[_Scorer]:
    """What scores samples, each several metrics; what does not depend on them is computed once."""
    ranked = [name for name in metrics.METRICS if name != "loss" and only in (None, name)]
    made = [_ranked(name, labels, answers.probabilities) for name in ranked]
    if only in (None, "loss"):
        made.append(_loss(row_losses(labels, answers)))
    if only is None or only not in metrics.METRICS:
        made.append(_given(labels, answers, classes=classes))
    return made


def _ranked(name: str, labels: Ints, probabilities: Floats) -> _Scorer:
    """A metric of `metrics.METRICS` but for the loss."""
    if name not in _ANY_ROWS and (labels == labels[0]).all():
        return lambda counts: {name: np.full(counts.shape[1], np.nan)}
    score = scorer(name, labels, probabilities)
    return lambda counts: {name: score(counts)}


def _loss(losses: Floats) -> _Scorer:
    return lambda counts: {"loss": losses @ counts / len(losses)}


def _given(labels: Ints, answers: Answers, *, classes: int) -> _Scorer:
    """Scores of the labels that rows are given, from the confusion matrix of each sample."""
    cells = np.zeros((classes * classes, len(labels)), dtype=np.float32)
    cells[labels * classes + answers.predicted, np.arange(len(labels))] = 1
    two = answers.threshold is not None

    def score(counts: Floats) -> Mapping[str, Floats]:
        tables = (cells @ counts).astype(np.float64).reshape(classes, classes, -1)
        found = _joint(tables)
        return found | _at_threshold(tables) if two else found

    return score


def _at_threshold(tables: Floats) -> dict[str, Floats]:
    """Of the second of two classes, from tables [true class, predicted class, samples]."""
    hits, given, true = tables[1, 1], tables[:, 1].sum(axis=0), tables[1].sum(axis=0)
    values = (
        np.trace(tables) / tables.sum(axis=(0, 1)),
        hits / np.maximum(given, 1),
        hits / true,
        2 * hits / (true + given),
    )
    return {f"{name}_at_threshold": one for name, one in zip(_AT_THRESHOLD, values, strict=True)}


def _joint(tables: Floats) -> dict[str, Floats]:
    """The mean recall of the classes that have rows, and the Matthews correlation.

    That of several classes: Gorodkin 2004, "Comparing two K-category assignments by a K-category
    correlation coefficient"; 0 where all rows are given one class.
    """
    right, true, given = np.einsum("iij->ij", tables), tables.sum(axis=1), tables.sum(axis=0)
    total = true.sum(axis=0)
    recall = np.where(true > 0, right / np.maximum(true, 1), 0.0)
    spread = (total**2 - (given**2).sum(axis=0)) * (total**2 - (true**2).sum(axis=0))
    together = right.sum(axis=0) * total - (true * given).sum(axis=0)
    values = (
        recall.sum(axis=0) / (true > 0).sum(axis=0),
        np.where(spread > 0, together / np.sqrt(np.maximum(spread, 1)), 0.0),
    )
    return dict(zip(_JOINT, values, strict=True))
