"""What a trial costs, as further objectives ask for it: one number each among its metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from bertsweep.costs import COSTS, PREDICTION
from bertsweep.paths import SweepPaths
from bertsweep.spec.hyperparameters import ENCODER
from bertsweep.training.latency import Way, measure
from bertsweep.training.trainer import Trainer
from bertsweep.trial.job import TrialJob
from bertsweep.trial.kept import kept
from bertsweep.trial.workbench import Workbench


def costs_of(
    bench: Workbench,
    job: TrialJob,
    before: Mapping[str, Any] | None,
    *,
    training_seconds: float,
) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """The costs that the job asks for, by name, and what was measured for them just now.

    `before` are the metrics of the trial's report before this one, None at the first, which is when
    latency is measured: weights change how a trial predicts, not how long it takes.
    """
    found: dict[str, float] = {}
    measured: list[dict[str, Any]] = []
    for name in job.costs:
        batch = COSTS[name].batch
        if name == "parameters":
            found[name] = _parameters(bench.trainer)
        elif name == "train_seconds":
            found[name] = (before[name] if before else 0.0) + training_seconds
        elif before:
            found[name] = before[name]
        elif batch is not None:
            found[name], made = _latency(bench, job, name, batch)
            measured += [made] if made else []
    return found, measured


def _parameters(trainer: Trainer) -> float:
    """The weights that a prediction computes with; without the pooler, where it is not used."""
    weights = trainer.classifier.trained("all", trainer.hyperparameters.pooling).values()
    return float(sum(int(np.prod(weight.shape.as_list())) for weight in weights))


def _latency(
    bench: Workbench, job: TrialJob, name: str, batch: int
) -> tuple[float, dict[str, Any] | None]:
    """Milliseconds of a call, and the measurement where this worker made it.

    Trials that predict alike share one measurement, the first: noise must not tell them apart. The
    milliseconds are the quotient to the reference times what the reference took in the first
    measurement of the sweep with that encoder, so that those of all trials compare, whatever the
    machine was doing.
    """
    folder = SweepPaths(Path(job.folder)).latency
    trial = bench.trainer.hyperparameters.to_point()
    params = {key: trial[key] for key in PREDICTION if key in trial}
    measured: list[dict[str, Any]] = []
    # Another encoder's reference cannot be run beside this one's: it has one of its own.
    own_encoder = f"-{params[ENCODER]}" if ENCODER in params else ""

    def make() -> dict[str, Any]:
        own, reference = (_way(bench.trainer, point) for point in (params, job.reference))
        found = measure(bench.validation, batch=batch, own=own, reference=reference)
        first = kept(
            folder / f"{name}-reference{own_encoder}",
            lambda: {"milliseconds": found.reference_ms},
            keys=["milliseconds"],
        )
        facts = {"cost": name, "batch": batch, "params": params, "reference": dict(job.reference)}
        measured.append({**facts, **asdict(found), "reference_ms": first["milliseconds"]})
        return measured[0]

    key = "-".join(str(value) for value in params.values())
    record = kept(folder / f"{name}-{key}", make, keys=["ratio", "reference_ms"])
    return record["ratio"] * record["reference_ms"], record if record in measured else None


def _way(trainer: Trainer, point: Mapping[str, Any]) -> Way:
    # The baseline may be of an encoder with more positions.
    length = min(point["max_seq_length"], trainer.classifier.config.max_position_embeddings)
    return Way(trainer.forward(point["pooling"]), length)
