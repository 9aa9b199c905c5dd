"""Whether a probability of 0.8 is right 8 times in 10, and the temperature that makes it so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from bertsweep.evaluation.rows import Answers, Floats, Ints, plain_number, row_losses

BINS = 15
"""Bins of a reliability curve; each holds as many rows as the others, but for equal probabilities.

Nixon et al. 2019, "Measuring Calibration in Deep Learning", on why equal mass is the better choice.
"""

_COLDEST, _HOTTEST = 0.02, 50.0
"""Bounds of a temperature: rows that are all labelled rightly would ask for 0."""

_LEAST = 1e-12
"""Probabilities are kept this far from 0 and 1, where they have no logit."""


@dataclass(frozen=True)
class Bin:
    """Rows of similar probability: how many, their mean probability, and the share that is right.

    `low` and `high` are the least and the greatest probability in it.
    """

    low: float
    high: float
    rows: int
    probability: float
    share: float

    def to_plain(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass(frozen=True)
class Calibration:
    """Calibration as predicted (`before`) and after dividing the logits by `temperature`.

    `error` is the expected calibration error, `loss` the mean cross-entropy, `reliability` the
    bins as predicted.
    """

    temperature: float
    error_before: float
    error_after: float
    loss_before: float
    loss_after: float
    reliability: tuple[Bin, ...]

    @classmethod
    def of(cls, labels: Ints, answers: Answers, *, temperature: float) -> Calibration:
        after = tempered(answers, temperature)
        bins = reliability(labels, answers)
        return cls(
            temperature=temperature,
            error_before=calibration_error(bins),
            error_after=calibration_error(reliability(labels, after)),
            loss_before=float(row_losses(labels, answers).mean()),
            loss_after=float(row_losses(labels, after).mean()),
            reliability=bins,
        )

    def to_plain(self) -> dict[str, Any]:
        return {
            "temperature": self.temperature,
            "expected_calibration_error": _pair(self.error_before, self.error_after),
            "loss": _pair(self.loss_before, self.loss_after),
            "reliability": [one.to_plain() for one in self.reliability],
        }


def temperature_for(labels: Ints, answers: Answers) -> float:
    """The temperature with the least mean cross-entropy on these rows, between 0.02 and 50.

    Above 1 the classifier was too sure of itself. Guo et al. 2017, "On Calibration of Modern Neural
    Networks", section 4.2; the loss is convex in 1 / T, so that one search finds the least.
    """

    def loss(log_temperature: float) -> float:
        return float(row_losses(labels, tempered(answers, np.exp(log_temperature))).mean())

    bounds = (float(np.log(_COLDEST)), float(np.log(_HOTTEST)))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-4})
    return float(np.exp(found.x))


def tempered(answers: Answers, temperature: float) -> Answers:
    """Probabilities of the same logits divided by `temperature`, with the threshold moved along.

    Every row therefore keeps its label.
    """
    if answers.threshold is None:
        logits = np.log(np.maximum(answers.probabilities, _LEAST)) / temperature
        scaled = np.exp(logits - logits.max(axis=1, keepdims=True))
        return Answers(scaled / scaled.sum(axis=1, keepdims=True), None)
    threshold = float(_softened(np.array([answers.threshold]), temperature)[0])
    return Answers(_softened(answers.probabilities, temperature), threshold)


def reliability(labels: Ints, answers: Answers) -> tuple[Bin, ...]:
    """The rows in bins of similar probability, lowest first.

    With two classes the probability is that of the positive one, and right are the positive rows;
    with more it is that of the predicted class, and right are the rows of that class.
    """
    if answers.threshold is not None:
        probabilities, right = answers.probabilities, labels == 1
    else:
        probabilities, right = answers.probabilities.max(axis=1), labels == answers.predicted
    probabilities = probabilities.astype(np.float64)
    edges = np.unique(np.quantile(probabilities, np.linspace(0, 1, BINS + 1)[1:-1]))
    # A row that lies on an edge belongs below it, so that equal probabilities stay together.
    place = np.searchsorted(edges, probabilities, side="left")
    return tuple(
        Bin(
            low=float(probabilities[place == one].min()),
            high=float(probabilities[place == one].max()),
            rows=int(np.count_nonzero(place == one)),
            probability=float(probabilities[place == one].mean()),
            share=float(right[place == one].mean()),
        )
        for one in np.unique(place)
    )


def calibration_error(bins: tuple[Bin, ...]) -> float:
    """The expected calibration error: the mean gap between probability and share, by rows.

    Naeini, Cooper and Hauskrecht 2015, "Obtaining Well Calibrated Probabilities Using Bayesian
    Binning into Quantiles".
    """
    total = sum(one.rows for one in bins)
    return sum(one.rows * abs(one.probability - one.share) for one in bins) / total


def _softened(probabilities: Floats, temperature: float) -> Floats:
    kept = np.clip(probabilities.astype(np.float64), _LEAST, 1 - _LEAST)
    logits = np.log(kept / (1 - kept)) / temperature
    # The sigmoid by way of tanh, which overflows for no logit.
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)))


def _pair(before: float, after: float) -> dict[str, float | None]:
    return {"before": plain_number(before), "after": plain_number(after)}
