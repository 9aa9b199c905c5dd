"""Precision and XLA of a sweep: as its file says, and where that is `auto`, as a probe finds."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import tensorflow as tf

from bertsweep import cpu
from bertsweep.paths import SweepPaths, cache_root
from bertsweep.training.compute import Compute
from bertsweep.training.timing import compare, fastest
from bertsweep.training.trainer import Trainer
from bertsweep.trial.job import AUTO, TrialJob
from bertsweep.trial.kept import kept, read

SECONDS = 5.0
"""How long the candidates are timed for, once they are traced."""

_KEYS = ("precision", "jit")
"""What a record of a choice has at least."""

_CPU_WAYS = ("float32", "mixed_bfloat16")
_GPU_WAYS = ("float32", "mixed_bfloat16", "mixed_float16")


def choose(job: TrialJob, trainer: Trainer, encoder: str) -> dict[str, Any]:
    """What the job's trials compute in, as plain values: `precision`, `jit`, and why.

    A probe is made once a sweep, and once for the same `encoder` (its hash), device, share of it
    and TensorFlow: all trials of a sweep must compute alike, and the next sweep here must find the
    same. The first worker to write decides, the others take what it found.
    """
    if AUTO not in (job.precision, job.jit):
        return {"precision": job.precision, "jit": job.jit}
    found, before = _places(job, trainer, encoder)
    return kept(found, lambda: kept(before, lambda: _probe(job, trainer), keys=_KEYS), keys=_KEYS)


def known(job: TrialJob, trainer: Trainer, encoder: str) -> dict[str, Any] | None:
    """What `choose` will return, as far as that is known without a probe; writes nothing."""
    if AUTO not in (job.precision, job.jit):
        return {"precision": job.precision, "jit": job.jit}
    records = (read(place, keys=_KEYS) for place in _places(job, trainer, encoder))
    return next((record for record in records if record is not None), None)


def _places(job: TrialJob, trainer: Trainer, encoder: str) -> tuple[Path, Path]:
    """The folders of the sweep's choice, and of what a probe like this one found before."""
    before = cache_root() / "compute" / _key(job, trainer, encoder)
    return SweepPaths(Path(job.folder)).compute, before


def _probe(job: TrialJob, trainer: Trainer) -> dict[str, Any]:
    on_gpu = bool(tf.config.list_logical_devices("GPU"))
    names = (_GPU_WAYS if on_gpu else _CPU_WAYS) if job.precision == AUTO else (job.precision,)
    # On CPUs XLA takes longer to compile every width than a short trial trains, and gains nothing.
    jit = job.jit is True
    ways = [Compute(name, jit) for name in names]
    timings = compare(trainer, ways, seconds=SECONDS if len(ways) > 1 else 0.0)
    chosen = fastest(timings)
    if job.jit == AUTO and on_gpu:
        more = compare(
            trainer,
            [chosen.compute, Compute(chosen.compute.precision, jit=True)],
            seconds=SECONDS,
        )
        chosen, timings = fastest(more), [*timings, more[1]]
    return {
        "precision": chosen.compute.precision,
        "jit": chosen.compute.jit,
        "device": _device(),
        "examples_per_second": {
            str(timing.compute): round(timing.examples_per_second, 1) for timing in timings
        },
    }


def _key(job: TrialJob, trainer: Trainer, encoder: str) -> str:
    facts = [_device(), cpu.vector_flags(), encoder, tf.__version__, job.cpus, job.gpus]
    facts += [job.precision, job.jit, asdict(trainer.classifier.config)]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def _device() -> str:
    gpus = tf.config.list_physical_devices("GPU")
    if gpus and tf.config.list_logical_devices("GPU"):
        details = tf.config.experimental.get_device_details(gpus[0])
        return str(details.get("device_name", "GPU"))
    return cpu.name()
