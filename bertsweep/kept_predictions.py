"""How sure the choice of a sweep's best trial is, from the predictions that its trials kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bertsweep import selection
from bertsweep.checkpoints import Predictions, read_predictions
from bertsweep.errors import DataError
from bertsweep.ledger import SweepState, TrialState
from bertsweep.paths import SweepPaths
from bertsweep.ranking import ranking
from bertsweep.selection.bootstrap import resampled_scores

MOST = 50
"""Trials whose choice is looked at: more would take long and change nothing."""


def predictions_of(trial: TrialState, paths: SweepPaths) -> Predictions | None:
    """What a trial's best checkpoint predicts for the validation rows; None where that is gone."""
    if trial.last_checkpoint is None:
        return None
    recorded = Path(trial.last_checkpoint)
    return read_predictions(paths.folder / recorded.parent, recorded.name)


def noise_between(
    one: TrialState, other: TrialState, paths: SweepPaths, metric: str
) -> float | None:
    """The standard error of the difference of two trials' scores, by the rows they share.

    From 200 resamples of the validation rows, the same for both; None where predictions are gone
    or the rows allow no resamples.
    """
    first, second = predictions_of(one, paths), predictions_of(other, paths)
    if first is None or second is None or not np.array_equal(first.labels, second.labels):
        return None
    try:
        scores = resampled_scores(
            first.labels, [first.probabilities, second.probabilities], metric, resamples=200
        )
    except DataError:
        return None
    return float(np.std(scores[:, 0] - scores[:, 1], ddof=1))


def selection_of(state: SweepState, paths: SweepPaths) -> selection.Selection | None:
    """The statistics of choosing the best of the trials; None unless all of them kept predictions.

    None too where the validation rows allow no resamples, as rows of one class do. Trials that
    failed before they reported were never in the choice. Of very many, the `MOST` best stand for
    all: those further behind are hardly ever the best of a resample.
    """
    found = {trial.id: predictions_of(trial, paths) for trial in ranking(state)[:MOST]}
    kept = {name: one for name, one in found.items() if one is not None}
    if not kept or len(kept) < len(found):
        return None
    labels = next(iter(kept.values())).labels
    if not all(np.array_equal(one.labels, labels) for one in kept.values()):
        return None
    probabilities = [one.probabilities for one in kept.values()]
    try:
        return selection.select(labels, probabilities, state.metric, names=list(kept))
    except DataError:
        return None
