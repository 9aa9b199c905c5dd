"""A search that ends because the last trials gained nothing, judged by what they really predict."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bertsweep.checkpoints import PREDICTIONS, Predictions, predictions
from bertsweep.ledger.events import TrialFinished
from bertsweep.paths import SweepPaths
from bertsweep.sweep.early_end import EarlyEnd
from tests.support import clisweeps
from tests.support.trials import small_spec

ROWS = 400
LABELS = np.arange(ROWS, dtype=np.int32) % 2


def ended(folder: Path, scores: list[float], *, noise: float) -> EarlyEnd:
    """What three trials without a gain come to, after trials that ended with these scores."""
    with clisweeps.sweep(folder) as ledger:
        paths = SweepPaths(folder / "demo")
        found = EarlyEnd(small_spec("stop_when.plateau=3"), ledger, paths)
        for number, score in enumerate(scores):
            trial = f"t{number:04d}"
            clisweeps.propose(ledger, trial, {"dropout": score})
            clisweeps.report(ledger, trial, 1, score)
            clisweeps.checkpoint(ledger, paths.folder, trial, 1)
            errors = np.random.default_rng(number).normal(size=ROWS) * noise
            told = 1 / (1 + np.exp(-(score * (2 * LABELS - 1) + errors)))
            name = ledger.state.trials[trial].last_checkpoint
            predictions.save(Predictions(LABELS, told), paths.folder / str(name) / PREDICTIONS)
            ledger.append(TrialFinished(trial=trial))
            found.ended()
        return found


def test_trials_that_are_no_better_end_the_search(tmp_path: Path) -> None:
    assert ended(tmp_path, [0.5, 0.6, 0.4, 0.5], noise=1.0).reason is None
    reason = ended(tmp_path / "more", [0.5, 0.6, 0.4, 0.5, 0.6], noise=1.0).reason
    assert reason == "none of the last 3 trials beat t0001 by more than the validation rows' noise"


@pytest.mark.parametrize(("gain", "goes_on"), [(1e-6, False), (0.9, True)])
def test_a_gain_counts_where_the_rows_can_tell_it(
    tmp_path: Path, gain: float, goes_on: bool
) -> None:
    found = ended(tmp_path, [0.5, 0.6, 0.4, 0.5, 0.6 + gain], noise=1.0)
    assert (found.reason is None) == goes_on
