"""A finished sweep on the built-in data whose trials predict what they are told to."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest

import bertsweep
from bertsweep import checkpoints, data
from bertsweep.checkpoints import Predictions
from bertsweep.exploration import Exploration
from bertsweep.ledger import Ledger
from bertsweep.ledger.events import CheckpointSaved, SweepEnded, SweepStarted, TrialFinished
from bertsweep.paths import cache_root
from tests.support import clisweeps
from tests.support.checkpoints import VOCABULARY, arrays, record
from tests.support.trials import small_spec

THRESHOLDS = {"t0000": 0.5, "t0001": 0.25, "t0002": 0.5}
WRONG = {"t0000": range(30), "t0001": range(10, 20), "t0002": ()}
"""Which validation rows a trial gets wrong. By its value the last is the worst, all the same."""


@pytest.fixture(scope="package")
def sweep_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    storage = tmp_path_factory.mktemp("runs")
    folder = storage / "small"
    spec = small_spec("space.max_seq_length=[8,16]", "baseline.max_seq_length=16")
    dataset = data.prepare(spec.data, cache=cache_root(), base=storage)
    labels = dataset.splits["validation"]["label"].to_numpy()
    with contextlib.closing(Ledger(folder / "ledger.jsonl")) as ledger:
        ledger.append(
            SweepStarted(
                sweep="5eed",
                name="small",
                spec=spec.to_plain(),
                objective={"metric": clisweeps.METRIC, "mode": "max", "threshold": "f1"},
                data={"hash": dataset.hash, "labels": [0, 1], "rows": {}, "notes": []},
                encoder={"hash": "e", "source": "builtin:tiny", "config": {}},
                versions={},
                base=str(storage),
            )
        )
        for value, (trial, threshold) in zip((0.7, 0.8, 0.1), THRESHOLDS.items(), strict=True):
            clisweeps.propose(ledger, trial, {"max_seq_length": 16})
            clisweeps.report(ledger, trial, 1, value)
            path = checkpoints.write_best(
                folder / "trials" / trial,
                record(trial=trial, threshold=threshold),
                arrays=arrays(1.0),
                vocabulary=VOCABULARY,
                predictions=Predictions(labels, probabilities(labels, trial)),
            )
            saved = str(path.relative_to(folder))
            ledger.append(
                CheckpointSaved(trial=trial, report=1, path=saved, metrics={}, threshold=threshold)
            )
            ledger.append(TrialFinished(trial=trial))
        ledger.append(SweepEnded(status="finished", reason=None))
    return folder


def probabilities(labels: np.ndarray, trial: str) -> np.ndarray:
    """Right ones just beyond the trial's threshold; wrong ones are surer the later they come."""
    said = np.where(labels == 1, THRESHOLDS[trial] + 0.02, THRESHOLDS[trial] - 0.02)
    for row in WRONG[trial]:
        away = 0.02 + row / 1000
        said[row] = THRESHOLDS[trial] + (-away if labels[row] == 1 else away)
    return said


@pytest.fixture(scope="package")
def of_sweep(sweep_folder: Path) -> Exploration:
    return bertsweep.explore(sweep_folder)
