"""What the labels of two classes are for, and the threshold on the validation rows that fits it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from bertsweep import metrics
from bertsweep.errors import InputError
from bertsweep.evaluation.rows import Floats, Ints
from bertsweep.metrics import Curve

PRECISION_AT, RECALL_AT, COST = "precision_at_recall", "recall_at_precision", "cost"

_COSTS = re.compile(r"fp:(?P<fp>[^,]+),fn:(?P<fn>[^,]+)|fn:(?P<fn2>[^,]+),fp:(?P<fp2>[^,]+)")


@dataclass(frozen=True)
class Aim:
    """An aim, as it was typed, and in numbers.

    `kind` is a name of `metrics.THRESHOLDS`, `recall_at_precision`, or `cost`. `least` is the
    recall or precision that must be reached, `false_positive` and `false_negative` what one error
    of each kind costs.
    """

    kind: str
    least: float = 0.0
    false_positive: float = 1.0
    false_negative: float = 1.0

    @classmethod
    def parse(cls, text: str) -> Aim:
        """The aim in `f1`, `accuracy`, `balanced_accuracy`, `precision_at_recall=0.8`,
        `recall_at_precision=0.9` or `cost=fp:1,fn:5`.

        Raises `InputError` for anything else.
        """
        kind, equals, value = (part.strip() for part in text.partition("="))
        if kind in (PRECISION_AT, RECALL_AT) and equals:
            return cls(kind, least=_share(text, value))
        if kind == COST and (found := _COSTS.fullmatch(value.replace(" ", ""))):
            false_positive, false_negative = (
                found["fp"] or found["fp2"],
                found["fn"] or found["fn2"],
            )
            return cls(
                kind,
                false_positive=_price(text, false_positive),
                false_negative=_price(text, false_negative),
            )
        if kind in metrics.THRESHOLDS and kind != PRECISION_AT and not equals:
            return cls(kind)
        raise InputError(
            f"an aim must be f1, accuracy, balanced_accuracy, {PRECISION_AT}=0.8, "
            f"{RECALL_AT}=0.9 or {COST}=fp:1,fn:5, but got {text!r}."
        )

    def __str__(self) -> str:
        """The aim as it is typed."""
        if self.kind in (PRECISION_AT, RECALL_AT):
            return f"{self.kind}={self.least:g}"
        if self.kind == COST:
            return f"{COST}=fp:{self.false_positive:g},fn:{self.false_negative:g}"
        return self.kind

    @property
    def title(self) -> str:
        """The aim in words."""
        if self.kind == PRECISION_AT:
            return f"highest precision at a recall of {self.least:g}"
        if self.kind == RECALL_AT:
            return f"highest recall at a precision of {self.least:g}"
        if self.kind == COST:
            return (
                f"lowest cost where a false positive costs {self.false_positive:g} and a false "
                f"negative {self.false_negative:g}"
            )
        return metrics.THRESHOLDS[self.kind].title

    def threshold(self, labels: Ints, probabilities: Floats) -> float:
        """The threshold that fits the aim best on these rows; `labels`, `probabilities` [rows].

        Of equally good ones that nearest to 0.5, as `metrics.threshold_for` describes. Raises
        `InputError` where no threshold reaches the precision that is asked for.
        """
        if self.kind == RECALL_AT:
            highest = float(Curve.of(labels == 1, probabilities).precision.max())
            if highest < self.least:
                raise InputError(
                    f"no threshold reaches a precision of {self.least:g} on the validation rows: "
                    f"the highest is {highest:.4f}. Ask for that at most."
                )
        return metrics.best_threshold(self._values, labels, probabilities)

    def _values(self, curve: Curve) -> Floats | Ints:
        """What is to be as high as can be, for each threshold of the curve."""
        if self.kind == PRECISION_AT:
            return np.where(curve.recall >= self.least, curve.precision, -1.0)
        if self.kind == RECALL_AT:
            return np.where(curve.precision >= self.least, curve.recall, -1.0)
        if self.kind == COST:
            false_positives = curve.caught - curve.hits
            misses = curve.positives - curve.hits
            return -(self.false_positive * false_positives + self.false_negative * misses)
        return metrics.THRESHOLDS[self.kind].values(curve)


def _share(text: str, value: str) -> float:
    number = _number(value)
    if number is None or not 0 < number <= 1:
        raise InputError(f"an aim asks for a share above 0 and at most 1, but got {text!r}.")
    return number


def _price(text: str, value: str) -> float:
    number = _number(value)
    if number is None or not 0 <= number < float("inf"):
        raise InputError(f"a cost must be a number from 0 up, but got {text!r}.")
    return number


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
