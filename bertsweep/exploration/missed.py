"""Validation rows that every good trial of a sweep gets wrong: hard ones, or labelled wrongly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bertsweep.data import Dataset
from bertsweep.kept_predictions import predictions_of
from bertsweep.ledger import TrialState
from bertsweep.results import Sweep

_MOST, _LEAST = 10, 2
_HALF = 0.5


@dataclass(frozen=True)
class Missed:
    """Rows that all of `trials` get wrong, those first that they are surest of.

    Each is {text, label, predicted, probability}: the label that the trials predict most, and the
    mean probability that they give the label in the data.
    """

    trials: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]


def missed(sweep: Sweep, dataset: Dataset) -> Missed | None:
    """Looks at the predictions that the better half of the trials kept, ten at most.

    None where fewer than two kept them, or they are not of the rows of `dataset`.
    """
    frame = dataset.splits["validation"]
    labels = frame["label"].to_numpy()
    ranked = sweep.ranking()
    good = ranked[: min(_MOST, max(_LEAST, -(-len(ranked) // 2)))]
    found = [(trial, predictions_of(trial, sweep.paths)) for trial in good]
    kept = [
        (trial, one.probabilities)
        for trial, one in found
        if one is not None and np.array_equal(one.labels, labels)
    ]
    if len(kept) < _LEAST:
        return None
    predicted = np.stack([_predicted(trial, probabilities) for trial, probabilities in kept])
    given = np.mean([_of_label(labels, probabilities) for _, probabilities in kept], axis=0)
    wrong = np.flatnonzero((predicted != labels).all(axis=0))
    wrong = wrong[np.argsort(given[wrong], kind="stable")]
    texts = [frame[name] for name in ("text", "text_b") if name in frame]
    rows = tuple(
        {
            "text": " | ".join(column.iloc[row] for column in texts),
            "label": dataset.labels[labels[row]],
            "predicted": dataset.labels[int(np.bincount(predicted[:, row]).argmax())],
            "probability": float(given[row]),
        }
        for row in wrong
    )
    return Missed(tuple(trial.id for trial, _ in kept), rows)


def _predicted(trial: TrialState, probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """The class of each row, as the trial's checkpoint labels it."""
    if probabilities.ndim > 1:
        return np.asarray(probabilities.argmax(axis=1))
    threshold = trial.threshold if trial.threshold is not None else _HALF
    return np.asarray((probabilities >= threshold).astype(np.int64))


def _of_label(
    labels: npt.NDArray[np.int32], probabilities: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    if probabilities.ndim == 1:
        return np.where(labels == 1, probabilities, 1 - probabilities)
    return np.asarray(probabilities[np.arange(len(labels)), labels])
