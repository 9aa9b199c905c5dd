"""Labelled rows, and what a classifier says of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Rows:
    """Rows to score a classifier on.

    `labels` are class indices [rows], `names` the label of each class in the order of its index,
    `texts` one text a row (of pairs both, joined) and `lengths` the word pieces of each row, uncut.
    Raises `ValueError` where they do not belong together.
    """

    labels: Ints
    names: tuple[Any, ...]
    texts: Sequence[str]
    lengths: Ints

    def __post_init__(self) -> None:
        sizes = {len(self.labels), len(self.texts), len(self.lengths)}
        if len(sizes) > 1 or not len(self.labels):
            raise ValueError(f"labels, texts and lengths must be as many, but are {sizes}")

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Answers:
    """A classifier's probabilities, and the threshold from which it says the positive class.

    `probabilities` are those of class 1 [rows] with two classes, which `threshold` belongs to, and
    of every class [rows, classes] with more, where it is None and the likeliest class is predicted.
    Raises `ValueError` where the two do not fit.
    """

    probabilities: Floats
    threshold: float | None

    def __post_init__(self) -> None:
        if (self.threshold is None) != (self.probabilities.ndim == 2):
            raise ValueError("a threshold belongs to probabilities of two classes, and to no more")

    @cached_property
    def predicted(self) -> Ints:
        """The class that each row is given, int64 [rows]."""
        if self.threshold is None:
            return np.asarray(self.probabilities.argmax(axis=1))
        return (self.probabilities >= self.threshold).astype(np.int64)

    @cached_property
    def each(self) -> Floats:
        """The probability of every class [rows, classes]."""
        if self.probabilities.ndim == 2:
            return self.probabilities
        return np.column_stack([1.0 - self.probabilities, self.probabilities])


def row_losses(labels: Ints, answers: Answers) -> Floats:
    """The cross-entropy of each row [rows]; a probability of 0 counts as 1e-15."""
    right = answers.each[np.arange(len(labels)), labels]
    return -np.log(np.maximum(right, 1e-15))


def plain_number(value: float) -> float | None:
    """A number that JSON holds; None for what is not finite."""
    return float(value) if math.isfinite(value) else None
