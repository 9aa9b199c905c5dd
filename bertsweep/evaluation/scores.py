"""Scores of labelled rows, and of each class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import (
    confusion_matrix,
    matthews_corrcoef,
    precision_recall_fscore_support,
    recall_score,
)

from bertsweep import metrics
from bertsweep.evaluation.rows import Answers, Ints, Rows, row_losses


@dataclass(frozen=True)
class ClassScore:
    """Precision, recall and F1 of one class as labelled, and how many rows it has."""

    label: Any
    precision: float
    recall: float
    f1: float
    rows: int

    def to_plain(self) -> dict[str, Any]:
        return dict(vars(self))


def scores_of(labels: Ints, answers: Answers) -> dict[str, float]:
    """Every metric of `metrics.METRICS`, and those of the labels that are given.

    They are `balanced_accuracy` and `matthews_correlation`, and with two classes `accuracy`,
    `precision`, `recall` and `f1` with the ending `_at_threshold`. NaN where not defined.
    """
    loss = float(row_losses(labels, answers).mean())
    found = metrics.scores(labels, answers.probabilities, loss=loss)
    predicted = answers.predicted
    one_class = bool((labels == labels[0]).all())
    if answers.threshold is not None:
        precision, recall, f1, _ = precision_recall_fscore_support(
            labels, predicted, average="binary", zero_division=0
        )
        found["accuracy_at_threshold"] = float(np.mean(predicted == labels))
        for name, value in (("precision", precision), ("recall", recall), ("f1", f1)):
            found[f"{name}_at_threshold"] = float("nan") if one_class else float(value)
    joint = (float("nan"), float("nan"))
    if not one_class:
        present = np.unique(labels)
        joint = (
            float(recall_score(labels, predicted, labels=present, average="macro")),
            float(matthews_corrcoef(labels, predicted)),
        )
    found["balanced_accuracy"], found["matthews_correlation"] = joint
    return found


def class_scores(rows: Rows, answers: Answers) -> tuple[ClassScore, ...]:
    """Each class by itself, in the order of its index; precision without a row given it is 0."""
    every = np.arange(len(rows.names))
    columns = precision_recall_fscore_support(
        rows.labels, answers.predicted, labels=every, zero_division=0
    )
    return tuple(
        ClassScore(name, float(precision), float(recall), float(f1), int(count))
        for name, precision, recall, f1, count in zip(rows.names, *columns, strict=True)
    )


def confusion(rows: Rows, answers: Answers) -> tuple[tuple[int, ...], ...]:
    """Rows by their class (outer) and the class that they are given (inner)."""
    every = np.arange(len(rows.names))
    table = confusion_matrix(rows.labels, answers.predicted, labels=every)
    return tuple(tuple(int(count) for count in line) for line in table)
