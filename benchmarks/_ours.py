"""Our side of a comparison: a sweep's preparation, what its trials share, a trainer's turns."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks._inputs import SEED
from benchmarks._sides import Channel

if TYPE_CHECKING:
    from bertsweep.sweep.materials import Prepared
    from bertsweep.trial.job import TrialJob


def preparation(rows: Path, encoder: Path, cache: Path) -> Prepared:
    """What a sweep does once before its first trial, on the rows that `cut_rows` wrote."""
    from bertsweep.spec import parse
    from bertsweep.sweep.materials import prepare_materials

    files = {name: str(rows / f"{name}.csv") for name in ("train", "validation", "test")}
    document = {
        "name": "benchmark",
        "data": {"source": files},
        "encoder": {"source": str(encoder)},
        "space": {"learning_rate": 2e-5},
    }
    spec = parse(json.dumps(document), source="benchmark.yaml")
    return prepare_materials(spec, cache=cache, base=rows, progress=None, notify=lambda _: None)


def trial_job(
    prepared: Prepared, folder: Path, *, threads: int, precision: str | None = None
) -> TrialJob:
    """One evaluation an epoch, as `model.fit` has, in `precision` (None: float32)."""
    from bertsweep.trial.job import TrialJob

    plain = {
        "folder": str(folder),
        "tokens": str(prepared.tokens),
        "encoder": str(prepared.encoder.folder),
        "labels": prepared.dataset.labels,
        "text": ("text",),
        "metric": "val_average_precision",
        "mode": "max",
        "report_every": 1.0,
        "cpus": threads,
        "gpus": 0,
    }
    return TrialJob.from_plain(plain | chosen(precision))


def chosen(precision: str | None) -> dict[str, str]:
    """The precision (None: float32) by its key in a sweep and a trial."""
    return {"precision": precision or "float32"}


def turns(
    channel: Channel,
    job: Mapping[str, Any],
    *,
    steps: int,
    batch_size: int,
    head: Path | None = None,
) -> None:
    """Trains `steps` steps whenever it is our turn, the tutorial's parameters on all rows.

    Leaves the head it begins with, float32 [hidden, 1], in the file `head`.
    """
    import numpy as np

    from bertsweep.spec.hyperparameters import Hyperparameters
    from bertsweep.trial.job import TrialJob
    from bertsweep.trial.workbench import Workbench, set_up_devices

    ours = TrialJob.from_plain(job)
    set_up_devices(cpus=ours.cpus, gpus=ours.gpus)
    trainer = Workbench(ours).trainer
    endless = 10_000
    trainer.begin(Hyperparameters(batch_size=batch_size, epochs=endless), seed=SEED)
    if head is not None:
        np.save(head, trainer.classifier.weights["head/kernel"].numpy())
    channel.send({"ready": True})
    while channel.receive() is not None:
        begun = time.perf_counter()
        training = trainer.train(trainer.step + steps)
        seconds = time.perf_counter() - begun
        channel.send({"examples": training.examples, "seconds": seconds, "loss": training.loss})
