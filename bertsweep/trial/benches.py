"""The workbenches of a worker, one for each encoder that its trials have had lately."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bertsweep.trial.job import AUTO, TrialJob

if TYPE_CHECKING:
    from bertsweep.trial.workbench import Workbench

_COPIES = 6
"""Times its weights that a workbench takes: variables, their first values, gradients, Adam's two
moments, and one more while a checkpoint is written."""

_SHARE = 0.5
"""Share of a worker's memory that workbenches may take; the rest is for batches and TensorFlow."""


class Benches:
    """Keeps the most recently used workbenches ready, as many as the job says.

    Building one takes seconds, and so does tracing its graphs, which each trial of another encoder
    would wait for. One that has to go is freed before the next is built.
    """

    def __init__(self) -> None:
        self._ready: dict[str, Workbench] = {}

    def of(self, job: TrialJob, build: Callable[[TrialJob], Workbench]) -> Workbench:
        """The workbench of the job's encoder (see `TrialJob.of`), built where none is ready."""
        if job.encoder not in self._ready:
            self._make_room(job)
        bench = self._ready.pop(job.encoder, None) or build(job)
        self._ready[job.encoder] = bench
        return bench

    @property
    def ready(self) -> tuple[str, ...]:
        """The folders of the encoders that have one, the least recently used first."""
        return tuple(self._ready)

    def _make_room(self, job: TrialJob) -> None:
        most = kept_of(job) if self._ready else 1
        dropped = False
        while len(self._ready) >= most:
            del self._ready[next(iter(self._ready))]
            dropped = True
        if dropped:
            # What was made for good is passed over by the collector, and graphs are circles.
            gc.unfreeze()
            gc.collect()
            gc.freeze()


def kept_of(job: TrialJob) -> int:
    """How many workbenches a worker of this job keeps."""
    if job.encoders_kept != AUTO:
        return int(job.encoders_kept)
    folders = [folders.encoder for folders in job.encoders.values()]
    weights = [Path(folder) / "weights.safetensors" for folder in folders]
    sizes = [path.stat().st_size if path.is_file() else 0 for path in weights]
    return how_many(sizes, memory=_memory(job)) if len(sizes) > 1 else 1


def how_many(sizes: Sequence[int], *, memory: float) -> int:
    """How many encoders of these sizes, in bytes of weights, stay ready in `memory` bytes.

    Whichever they are: the largest are counted first. At least one.
    """
    taken, count = 0, 0
    for size in sorted(sizes, reverse=True):
        taken += size * _COPIES
        if taken > memory * _SHARE:
            break
        count += 1
    return max(1, count)


def _memory(job: TrialJob) -> float:
    """Bytes that a worker of the job may count on, on its device."""
    import os

    import psutil

    from bertsweep.system import gpu_memory_mb

    if job.gpus:
        return min(gpu_memory_mb(), default=0.0) * min(1.0, job.gpus) * 1e6
    share = min(1.0, job.cpus / (os.cpu_count() or 1))
    return float(psutil.virtual_memory().total) * share
