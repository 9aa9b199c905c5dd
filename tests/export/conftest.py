"""Checkpoints to export: one that was trained, and others with weights at random."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertsweep import checkpoints
from bertsweep.checkpoints import Checkpoint
from bertsweep.trial.session import Session
from bertsweep.trial.workbench import Workbench
from tests.support.checkpoints import record
from tests.support.trials import proposal, small_job, small_prepared


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """A trained checkpoint of two classes, scored in bfloat16."""
    folder = tmp_path_factory.mktemp("trained")
    job = small_job(folder, small_prepared())
    job = type(job).from_plain({**job.to_plain(), "precision": "mixed_bfloat16"})
    session = Session(Workbench(job), job, proposal(learning_rate=3e-3, epochs=1))
    while not (last := session.next_report())["finished"]:
        continue
    return Checkpoint.open(folder / last["checkpoint"])


@pytest.fixture(scope="module")
def alike(trained: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Writes the trained encoder with a head at random and a changed record."""
    folder = tmp_path_factory.mktemp("alike")

    def write(name: str, *, classes: int, **changes: Any) -> Checkpoint:
        rng = np.random.default_rng(0)
        arrays = trained.arrays()
        units = 1 if classes == 2 else classes
        size = len(arrays["head/kernel"])
        arrays["head/kernel"] = rng.normal(size=(size, units)).astype(np.float32)
        arrays["head/bias"] = rng.normal(size=units).astype(np.float32)
        fields = {
            "encoder": trained.record.encoder,
            "params": {**trained.record.params, "max_seq_length": 17},
            **changes,
        }
        path = checkpoints.write_best(
            folder / name,
            record(**fields),
            arrays=arrays,
            vocabulary=trained.vocabulary.read_bytes(),
        )
        return Checkpoint.open(Path(path))

    return write
