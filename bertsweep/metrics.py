"""Scores of labels and probabilities, and the thresholds that turn probabilities into labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Bools = npt.NDArray[np.bool_]
    Ints = npt.NDArray[np.integer[Any]]
    Floats = npt.NDArray[np.floating[Any]]

Mode = Literal["max", "min"]

ThresholdRule = float | str
"""How the threshold between two classes is set: a number, or a name of `THRESHOLDS`."""

AUTO = "auto"
"""In place of a rule: the one that belongs to the metric."""

RECALL = 0.5
"""The recall that `precision_at_recall` asks for."""

_HALF = 0.5
_PREFIX = "val_"


@dataclass(frozen=True)
class Metric:
    """A score of the validation rows.

    `mode` says which direction is better. `threshold` is the rule of the threshold at which two
    classes are scored, None where the score needs none.
    """

    name: str
    mode: Mode
    title: str
    threshold: ThresholdRule | None = None


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("loss", "min", "cross-entropy"),
        Metric("accuracy", "max", "share of rows labelled rightly", _HALF),
        Metric("precision", "max", "precision", _HALF),
        Metric("recall", "max", "recall", _HALF),
        Metric(
            "precision_at_recall",
            "max",
            "highest precision where recall is at least 0.5",
            "precision_at_recall",
        ),
        Metric("roc_auc", "max", "area under the ROC curve"),
        Metric("average_precision", "max", "average precision (area under precision-recall)"),
        Metric("f1", "max", "highest F1 of any threshold", "f1"),
        Metric("f1_at_half", "max", "F1", _HALF),
    )
}
"""Every score by its name, which reports carry with the prefix `val_`."""


def mode_of(name: str) -> Mode:
    """The better direction of a metric, with or without `val_`. Raises `KeyError` if unknown."""
    return METRICS[name.removeprefix(_PREFIX)].mode


def threshold_rule(name: str, stated: ThresholdRule = AUTO) -> ThresholdRule:
    """The rule behind the labels of a sweep that is ranked by a metric, with or without `val_`.

    It is `stated` unless that is "auto", else the metric's own, and best F1 where the metric needs
    no threshold. Raises `KeyError` for an unknown metric.
    """
    own = METRICS[name.removeprefix(_PREFIX)].threshold
    if stated != AUTO:
        return stated
    return "f1" if own is None else own


def describe_rule(rule: ThresholdRule) -> str:
    """A rule in words: "best F1", "0.5"."""
    return THRESHOLDS[rule].title if isinstance(rule, str) else f"{rule:g}"


def scores(labels: Ints, probabilities: Floats, *, loss: float) -> dict[str, float]:
    """Every metric of `METRICS`, by name without prefix.

    `labels` are class indices [rows]. `probabilities` are those of class 1 [rows], or of every
    class [rows, classes]; two columns count as two classes. Of two classes index 1 is the positive
    one. With more classes the predicted one is the likeliest, precision, recall and f1 are averages
    over the classes (macro), and precision_at_recall, roc_auc, average_precision and f1_at_half are
    averages of each class against the rest, over the classes that have rows. Precision without any
    predicted row is 0.

    What is not defined is NaN: all but loss and accuracy where the rows are of one class only, and
    all but loss where a probability is not finite.
    """
    import numpy as np

    labels, probabilities = _checked(labels, probabilities)
    undefined = {name: float("nan") for name in METRICS} | {"loss": float(loss)}
    if len(labels) == 0 or not np.isfinite(probabilities).all():
        return undefined
    if probabilities.ndim == 1:
        predicted = (probabilities >= _HALF).astype(np.int64)
    else:
        predicted = probabilities.argmax(axis=1)
    accuracy = {"accuracy": float(np.mean(predicted == labels))}
    if (labels == labels[0]).all():
        return undefined | accuracy
    if probabilities.ndim == 1:
        return undefined | accuracy | _two_class(labels == 1, probabilities)
    return undefined | accuracy | _many_class(labels, probabilities, predicted)


def _two_class(positive: Bools, probabilities: Floats) -> dict[str, float]:
    """Scores of one class against the rest, all but loss and accuracy; both must have rows.

    Formulas of the areas: scikit-learn's user guide, "Metrics and scoring".
    """
    import numpy as np

    curve = Curve.of(positive, probabilities)
    precision, recall, f1 = curve.precision, curve.recall, _f1(curve)
    fallout = (curve.caught - curve.hits) / curve.negatives
    half = np.count_nonzero(curve.thresholds >= _HALF) - 1  # the last threshold not below 0.5
    found = {
        "precision": precision[half],
        "recall": recall[half],
        "precision_at_recall": _precision_at_recall(curve).max(),
        "roc_auc": np.sum(np.diff(fallout) * (recall[:-1] + recall[1:]) / 2),
        "average_precision": np.sum(np.diff(recall) * precision[1:]),
        "f1": f1.max(),
        "f1_at_half": f1[half],
    }
    return {name: float(value) for name, value in found.items()}


def _many_class(labels: Ints, probabilities: Floats, predicted: Ints) -> dict[str, float]:
    import numpy as np
    from sklearn.metrics import precision_recall_fscore_support

    each = [_two_class(labels == index, probabilities[:, index]) for index in np.unique(labels)]
    averages = {name: float(np.mean([one[name] for one in each])) for name in each[0]}
    precision, recall, f1, _ = precision_recall_fscore_support(
        labels, predicted, average="macro", zero_division=0
    )
    return averages | {"precision": float(precision), "recall": float(recall), "f1": float(f1)}


def threshold_for(rule: ThresholdRule, labels: Ints, probabilities: Floats) -> float:
    """The threshold of two classes that a rule asks for, to be applied as `p >= threshold`.

    A number is itself. A name of `THRESHOLDS` asks for the threshold at which that value is
    highest; it lies halfway between two neighbouring probabilities, so that rounding on the way to
    a file changes nothing, and of equally good ones it is the nearest to 0.5. It may lie between
    the highest probability and 1, so that no row is positive. Where the value is not defined (one
    class only, a probability that is not finite) it is 0.5. `labels` and `probabilities` as in
    `scores`.

    Raises `ValueError` for more than two classes and `KeyError` for an unknown name.
    """
    if not isinstance(rule, str):
        _two_classes(labels, probabilities)
        return float(rule)
    return best_threshold(THRESHOLDS[rule].values, labels, probabilities)


def best_threshold(
    values: Callable[[Curve], Floats | Ints], labels: Ints, probabilities: Floats
) -> float:
    """The threshold at which `values`, one number for each of a curve's thresholds, is highest.

    Where it lies, and what it raises, is said of `threshold_for`.
    """
    import numpy as np

    labels, probabilities = _two_classes(labels, probabilities)
    if len(labels) == 0 or not np.isfinite(probabilities).all() or (labels == labels[0]).all():
        return _HALF
    curve = Curve.of(labels == 1, probabilities)
    # A threshold of at most 1 always catches a probability of 1.
    first = 1 if curve.thresholds[1] >= 1 else 0
    found = values(curve)[first:]
    best = first + np.flatnonzero(found == found.max())
    thresholds = [_between(curve.thresholds, int(index)) for index in best]
    return min(thresholds, key=lambda threshold: abs(threshold - _HALF))


def _two_classes(labels: Ints, probabilities: Floats) -> tuple[Ints, Floats]:
    labels, probabilities = _checked(labels, probabilities)
    if probabilities.ndim != 1:
        raise ValueError(
            f"a threshold needs two classes, but got probabilities of {probabilities.shape[1]}"
        )
    return labels, probabilities


@dataclass(frozen=True)
class Curve:
    """What every threshold catches, from the highest down, equal probabilities taken together.

    `hits` and `caught` [thresholds] are the positive rows and all rows with probability >=
    threshold. The first threshold is infinite and catches none.
    """

    thresholds: Floats
    hits: Ints
    caught: Ints
    positives: int
    negatives: int

    @classmethod
    def of(cls, positive: Bools, probabilities: Floats) -> Curve:
        import numpy as np

        order = np.argsort(-probabilities, kind="stable")
        ranked = probabilities[order]
        last_of_ties = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
        hits = np.cumsum(positive[order], dtype=np.int64)
        return cls(
            thresholds=np.append(np.inf, ranked[last_of_ties]),
            hits=np.append(0, hits[last_of_ties]),
            caught=np.append(0, last_of_ties + 1),
            positives=int(hits[-1]),
            negatives=len(ranked) - int(hits[-1]),
        )

    @property
    def precision(self) -> Floats:
        """0 where nothing is caught."""
        import numpy as np

        return self.hits / np.maximum(self.caught, 1)

    @property
    def recall(self) -> Floats:
        return self.hits / self.positives


def _f1(curve: Curve) -> Floats:
    return 2 * curve.hits / (curve.caught + curve.positives)


def _right(curve: Curve) -> Ints:
    """Rows labelled rightly, but for the number of negative ones, which is always the same."""
    return 2 * curve.hits - curve.caught


def _balanced_accuracy(curve: Curve) -> Ints:
    """Mean recall of the two classes times a constant: in whole numbers, so that equals tie."""
    missed = curve.negatives - (curve.caught - curve.hits)
    return curve.hits * curve.negatives + missed * curve.positives


def _precision_at_recall(curve: Curve) -> Floats:
    """Precision, and -1 where the recall is too low."""
    import numpy as np

    return np.where(curve.recall >= RECALL, curve.precision, -1.0)


@dataclass(frozen=True)
class _Threshold:
    """A rule that has a name: what it is called, and what it makes as high as can be."""

    title: str
    values: Callable[[Curve], Floats | Ints]


THRESHOLDS: Mapping[str, _Threshold] = {
    "f1": _Threshold("best F1", _f1),
    "accuracy": _Threshold("best accuracy", _right),
    "balanced_accuracy": _Threshold("best balanced accuracy", _balanced_accuracy),
    "precision_at_recall": _Threshold(
        f"highest precision at a recall of {RECALL:g}", _precision_at_recall
    ),
}
"""Rules that look for a threshold on the validation rows, by name."""


def _between(thresholds: Floats, index: int) -> float:
    """A number above the next lower probability and not above `thresholds[index]`."""
    import numpy as np

    upper = min(float(thresholds[index]), 1.0)
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
