"""A small prepared sweep and its workbench, for tests that train."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bertsweep.spec import SweepSpec, parse
from bertsweep.sweep.materials import Prepared, prepare_materials
from bertsweep.trial.job import Proposal, TrialJob

SPEC = """
name: small
data: {source: "builtin:questions", limit: 500, split: {validation: 100, test: 50}}
encoder: {source: "builtin:tiny"}
space: {learning_rate: [1e-3], max_seq_length: 32, epochs: 2}
"""

PARAMS: dict[str, Any] = {
    "learning_rate": 1e-3,
    "dropout": 0.1,
    "max_seq_length": 32,
    "batch_size": 32,
    "epochs": 2,
}


def small_spec(*overrides: str) -> SweepSpec:
    return parse(SPEC, source="small.yaml", overrides=overrides)


def small_prepared(*overrides: str) -> Prepared:
    cache = Path(os.environ["BERTSWEEP_CACHE"])
    spec = small_spec(*overrides)
    return prepare_materials(
        spec, cache=cache, base=Path.cwd(), progress=None, notify=lambda _: None
    )


def small_job(folder: Path, prepared: Prepared) -> TrialJob:
    return TrialJob(
        folder=str(folder),
        tokens=str(prepared.tokens),
        encoder=str(prepared.encoder.folder),
        labels=prepared.dataset.labels,
        text=("question",),
        metric="val_average_precision",
        mode="max",
        report_every=0.5,
        cpus=2,
        gpus=0,
    )


def proposal(trial: str = "t0000", *, seed: int = 42, **params: Any) -> Proposal:
    return Proposal(trial, small_spec().hyperparameters({**PARAMS, **params}).to_point(), seed)
