"""The one way to compute of a sweep: what its file says, and where that is `auto`, a probe."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import tensorflow as tf

from bertsweep.paths import cache_root
from bertsweep.training.compute import Compute
from bertsweep.training.timing import compare, fastest
from bertsweep.training.trainer import Trainer
from bertsweep.trial.job import AUTO, TrialJob

SECONDS = 5.0
"""How long the ways are compared for, once traced."""

_CPU_WAYS = ("float32", "mixed_bfloat16")
_GPU_WAYS = ("float32", "mixed_bfloat16", "mixed_float16")


def choose(job: TrialJob, trainer: Trainer, encoder: str) -> dict[str, Any]:
    """What the job's trials compute in, as plain values: `precision`, `jit`, and why.

    A probe is made once a sweep, and once for the same `encoder` (its hash), share of the device
    and TensorFlow: all trials of a sweep must compute alike, and the next sweep here shall find the
    same. Whoever is first decides, the other workers take what it found.
    """
    if AUTO not in (job.precision, job.jit):
        return {"precision": job.precision, "jit": job.jit}
    found = Path(job.folder) / "compute.json"
    if not found.exists():
        before = _before(job, trainer, encoder)
        if not before.exists():
            _write(before, _probe(job, trainer))
        _write(found, _read(before))
    return _read(found)


def known(job: TrialJob, trainer: Trainer, encoder: str) -> dict[str, Any] | None:
    """What `choose` will give, as far as that is known without a probe; writes nothing."""
    if AUTO not in (job.precision, job.jit):
        return {"precision": job.precision, "jit": job.jit}
    found = Path(job.folder) / "compute.json", _before(job, trainer, encoder)
    return next((_read(path) for path in found if path.exists()), None)


def _before(job: TrialJob, trainer: Trainer, encoder: str) -> Path:
    return cache_root() / "compute" / f"{_key(job, trainer, encoder)}.json"


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
    facts = [_device(), encoder, tf.__version__, job.cpus, job.gpus, job.precision, job.jit]
    facts += [asdict(trainer.classifier.config)]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def _device() -> str:
    gpus = tf.config.list_physical_devices("GPU")
    if gpus and tf.config.list_logical_devices("GPU"):
        details = tf.config.experimental.get_device_details(gpus[0])
        return str(details.get("device_name", "GPU"))
    return "CPU"


def _read(path: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record


def _write(path: Path, record: dict[str, Any]) -> None:
    """Writes a record whole, unless there is one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(record, indent=1), encoding="utf-8")
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
