"""How sure the choice of the best trial is, told only where kept predictions can tell it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bertsweep.checkpoints import PREDICTIONS, Predictions, predictions
from bertsweep.results import Sweep
from tests.support import clisweeps


def sweep(folder: Path, labels: list[int]) -> Sweep:
    """A sweep of which every trial with a checkpoint predicts the same rows, each otherwise."""
    opened = Sweep.open(clisweeps.finished_sweep(folder))
    for trial in opened.trials:
        if trial.last_checkpoint is not None:
            told = np.linspace(0.1, 0.9, len(labels)) ** (1 + trial.number)
            kept = Predictions(np.array(labels, np.int32), told)
            predictions.save(kept, opened.folder / trial.last_checkpoint / PREDICTIONS)
    return opened


def test_trials_are_compared_by_what_they_predict(tmp_path: Path) -> None:
    opened = sweep(tmp_path, [0, 1] * 20)
    found = opened.selection()
    assert found is not None
    assert {trial.name for trial in found.trials} == {trial.id for trial in opened.ranking()}


def test_rows_of_one_class_tell_nothing_and_break_nothing(tmp_path: Path) -> None:
    assert sweep(tmp_path, [1] * 40).selection() is None


def test_one_trial_without_predictions_leaves_the_choice_untold(tmp_path: Path) -> None:
    opened = sweep(tmp_path, [0, 1] * 20)
    (opened.folder / str(opened.ranking()[-1].last_checkpoint) / PREDICTIONS).unlink()
    assert opened.selection() is None
