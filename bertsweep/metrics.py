"""Scores from labels and probabilities: one sort of the rows gives every threshold at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Ints = npt.NDArray[np.integer[Any]]
    Floats = npt.NDArray[np.floating[Any]]

Mode = Literal["max", "min"]

RECALL = 0.5
"""The recall that `precision_at_recall` asks for."""

_PREFIX = "val_"


@dataclass(frozen=True)
class Metric:
    """A score of the validation rows; `mode` says which direction is better."""

    name: str
    mode: Mode
    title: str


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("loss", "min", "cross-entropy"),
        Metric("accuracy", "max", "share of rows labelled rightly"),
        Metric("precision", "max", "precision at threshold 0.5"),
        Metric("recall", "max", "recall at threshold 0.5"),
        Metric("precision_at_recall", "max", "highest precision where recall is at least 0.5"),
        Metric("roc_auc", "max", "area under the ROC curve"),
        Metric("average_precision", "max", "average precision (area under precision-recall)"),
        Metric("f1", "max", "F1 at the best threshold"),
        Metric("f1_at_half", "max", "F1 at threshold 0.5"),
    )
}
"""Every score by its name, which reports carry with the prefix `val_`."""


def mode_of(name: str) -> Mode:
    """The better direction of a metric, with or without `val_`. Raises `KeyError` if unknown."""
    return METRICS[name.removeprefix(_PREFIX)].mode


def scores(labels: Ints, probabilities: Floats, *, loss: float) -> dict[str, float]:
    """Every metric of `METRICS`, by name without prefix.

    `labels` are class indices [rows]. `probabilities` are those of class 1 [rows], or of every
    class [rows, classes]; two columns count as two classes. With more classes the predicted one is
    the likeliest, precision, recall and f1 are averages over the classes (macro), and
    precision_at_recall, roc_auc, average_precision and f1_at_half are averages of each class
    against the rest, over the classes that have rows. Precision without any predicted row is 0.

    What is not defined is NaN: all but loss and accuracy where the rows are of one class only, and
    all but loss where a probability is not finite.
    """
    import numpy as np

    labels, probabilities = _checked(labels, probabilities)
    undefined = {name: float("nan") for name in METRICS} | {"loss": float(loss)}
    if len(labels) == 0 or not np.isfinite(probabilities).all():
        return undefined
    if probabilities.ndim == 1:
        accuracy = float(np.mean((probabilities >= 0.5) == (labels == 1)))
    else:
        accuracy = float(np.mean(probabilities.argmax(axis=1) == labels))
    if (labels == labels[0]).all():
        return undefined | {"accuracy": accuracy}
    chosen = _two_class if probabilities.ndim == 1 else _many_class
    return undefined | {"accuracy": accuracy} | chosen(labels, probabilities)


def best_threshold(labels: Ints, probabilities: Floats) -> float:
    """The threshold that gives two classes their highest F1 when applied as `p >= threshold`.

    It lies halfway between two neighbouring probabilities, so that rounding on the way to a file
    changes nothing; of equally good ones it is the nearest to 0.5. Where F1 is not defined (one
    class only, a probability that is not finite) it is 0.5. `probabilities` as in `scores`.
    Raises `ValueError` for more than two classes.
    """
    import numpy as np

    labels, probabilities = _checked(labels, probabilities)
    if probabilities.ndim != 1:
        raise ValueError(
            f"a threshold needs two classes, but got probabilities of {probabilities.shape[1]}"
        )
    if len(labels) == 0 or not np.isfinite(probabilities).all() or (labels == labels[0]).all():
        return 0.5
    counts = _count(labels == 1, probabilities)
    f1 = counts.f1
    best = np.flatnonzero(f1 == f1.max())
    thresholds = [_between(counts.thresholds, int(index)) for index in best]
    return min(thresholds, key=lambda threshold: abs(threshold - 0.5))


@dataclass(frozen=True)
class _Counts:
    """What each threshold catches, from the highest probability down, ties taken together.

    `hits` and `caught` [thresholds]: positive rows and rows with probability >= threshold.
    """

    thresholds: Floats
    hits: Ints
    caught: Ints
    positives: int
    rows: int

    @property
    def precision(self) -> Floats:
        return self.hits / self.caught

    @property
    def recall(self) -> Floats:
        return self.hits / self.positives

    @property
    def f1(self) -> Floats:
        return 2 * self.hits / (self.caught + self.positives)


def _count(positive: npt.NDArray[np.bool_], probabilities: Floats) -> _Counts:
    import numpy as np

    order = np.argsort(-probabilities, kind="stable")
    ranked = probabilities[order]
    last_of_ties = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    hits = np.cumsum(positive[order], dtype=np.int64)
    return _Counts(
        thresholds=ranked[last_of_ties],
        hits=hits[last_of_ties],
        caught=last_of_ties + 1,
        positives=int(hits[-1]),
        rows=len(ranked),
    )


def _curve_scores(counts: _Counts) -> dict[str, float]:
    """The scores that need the whole curve. Formulas: scikit-learn's user guide, "Metrics"."""
    import numpy as np

    precision, recall = counts.precision, counts.recall
    steps = np.diff(counts.caught - counts.hits, prepend=0)  # negatives caught at each threshold
    before = np.append(0.0, recall[:-1])
    return {
        "precision_at_recall": float(precision[recall >= RECALL].max()),
        "roc_auc": float(np.sum(steps * (before + recall) / 2) / (counts.rows - counts.positives)),
        "average_precision": float(np.sum(np.diff(recall, prepend=0.0) * precision)),
    }


def _at_half(positive: npt.NDArray[np.bool_], probabilities: Floats) -> tuple[float, float, float]:
    """Precision, recall and F1 of `p >= 0.5`."""
    caught = probabilities >= 0.5
    return _rates(int((caught & positive).sum()), int(caught.sum()), int(positive.sum()))


def _rates(hits: int, caught: int, positives: int) -> tuple[float, float, float]:
    """Precision, recall and F1, each 0 where it would divide by 0."""
    return (
        hits / caught if caught else 0.0,
        hits / positives if positives else 0.0,
        2 * hits / (caught + positives) if caught + positives else 0.0,
    )


def _two_class(labels: Ints, probabilities: Floats) -> dict[str, float]:
    counts = _count(labels == 1, probabilities)
    precision, recall, f1 = _at_half(labels == 1, probabilities)
    return {
        **_curve_scores(counts),
        "precision": precision,
        "recall": recall,
        "f1": float(counts.f1.max()),
        "f1_at_half": f1,
    }


def _many_class(labels: Ints, probabilities: Floats) -> dict[str, float]:
    import numpy as np

    predicted = probabilities.argmax(axis=1)
    present = np.unique(labels)
    against_rest = []
    for index in present:
        positive, column = labels == index, probabilities[:, index]
        curve = _curve_scores(_count(positive, column))
        against_rest.append({**curve, "f1_at_half": _at_half(positive, column)[2]})
    # A class that is predicted without having rows counts as 0, as in scikit-learn.
    rates = np.array(
        [
            _rates(
                int(((predicted == index) & (labels == index)).sum()),
                int((predicted == index).sum()),
                int((labels == index).sum()),
            )
            for index in np.union1d(present, predicted)
        ]
    )
    macro = dict(zip(("precision", "recall", "f1"), rates.mean(axis=0).tolist(), strict=True))
    return macro | {
        name: float(np.mean([one[name] for one in against_rest])) for name in against_rest[0]
    }


def _between(thresholds: Floats, index: int) -> float:
    """A number above the next lower probability and not above `thresholds[index]`."""
    import numpy as np

    upper = float(thresholds[index])
    lower = float(thresholds[index + 1]) if index + 1 < len(thresholds) else 0.0
    middle = (lower + upper) / 2
    # Neighbours may lie so close that halfway rounds to the lower one, in the 32 bits that
    # probabilities are compared in if not in 64.
    return middle if lower < np.float32(middle) <= upper and lower < middle else upper


def _checked(labels: Ints, probabilities: Floats) -> tuple[Ints, Floats]:
    """Arrays of matching length, two columns made one. Raises `ValueError`."""
    import numpy as np

    labels, probabilities = np.asarray(labels), np.asarray(probabilities)
    if labels.ndim != 1 or probabilities.ndim not in (1, 2) or len(labels) != len(probabilities):
        raise ValueError(
            "labels [rows] and probabilities [rows] or [rows, classes] must match, "
            f"but got {labels.shape} and {probabilities.shape}"
        )
    if probabilities.ndim == 2 and probabilities.shape[1] == 2:
        probabilities = probabilities[:, 1]
    return labels, probabilities
