"""Precision and XLA of a sweep: as its file says, and where that is `auto`, as a probe finds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import tensorflow as tf

from bertsweep import atomic, checksums, cpu
from bertsweep.checksums import DamageError
from bertsweep.paths import SweepPaths, cache_root
from bertsweep.training.compute import Compute
from bertsweep.training.timing import compare, fastest
from bertsweep.training.trainer import Trainer
from bertsweep.trial.job import AUTO, TrialJob

SECONDS = 5.0
"""How long the candidates are timed for, once they are traced."""

_RECORD = "choice.json"

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
    return _kept(found, lambda: _kept(before, lambda: _probe(job, trainer)))


def known(job: TrialJob, trainer: Trainer, encoder: str) -> dict[str, Any] | None:
    """What `choose` will return, as far as that is known without a probe; writes nothing."""
    if AUTO not in (job.precision, job.jit):
        return {"precision": job.precision, "jit": job.jit}
    records = map(_read, _places(job, trainer, encoder))
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


def _kept(folder: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The record in a folder; where there is no good one, what `make` returns is written there.

    Of several workers that write at once the first one decides for all. A folder, because that is
    what every file system lets the first writer win (see `atomic.publish`).
    """
    record = _read(folder)
    if record is not None:
        return record
    made = make()
    with atomic.draft_folder(folder.parent, folder.name) as draft:
        (draft / _RECORD).write_text(checksums.seal(made), encoding="utf-8")
        if not atomic.publish(draft, folder) and _read(folder) is None:
            atomic.remove(folder)  # what is there is damaged
            atomic.publish(draft, folder)
    return _read(folder) or made


def _read(folder: Path) -> dict[str, Any] | None:
    """The record in a folder, None where there is none or it is damaged."""
    try:
        record = checksums.read_sealed(folder / _RECORD)
    except DamageError:
        return None
    return record if {"precision", "jit"} <= record.keys() else None
