"""Places for trials: placement groups, some of them started with a worker before Tune asks."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

from ray.tune import PlacementGroupFactory

from bertsweep.sweep.share import Share
from bertsweep.trial.job import TrialJob
from bertsweep.trial.worker import worker_in

_live: weakref.WeakValueDictionary[int, Placement] = weakref.WeakValueDictionary()
"""By identity: Tune pickles what it is given, and a copy would not know the groups."""


class Placement(PlacementGroupFactory):
    """What Tune makes a trial's placement group with: the device is the worker's.

    The Trainable itself takes none of it, as its head bundle is empty.
    """

    def __init__(self, share: Share) -> None:
        super().__init__([{}, {"CPU": share.cpus, "GPU": share.gpus}])
        self.share = share
        self._started: list[Any] = []
        self._workers: list[Any] = []
        _live[id(self)] = self

    def start(self, job: TrialJob, params: Mapping[str, Any], *, trials: int | None = None) -> None:
        """Starts a worker for each trial that runs at once, at most `trials`, to get warm.

        Those that were started before and wait for a trial still count. Returns at once. An error
        while a worker warms up is not reported here: the trial that it receives meets it again and
        reports it.
        """
        wanted = min(self.share.concurrent, trials or self.share.concurrent)
        for _ in range(wanted - len(self._started)):
            group = super().to_placement_group()
            worker = worker_in(group, cpus=job.cpus, gpus=job.gpus)
            warming = worker.warm_up.remote(job.to_plain(), dict(params))
            self._started.append(group)
            self._workers.append((worker, warming))  # a worker ends with its last handle

    @property
    def workers(self) -> list[Any]:
        """The workers that were started, as handles of Ray actors."""
        return [worker for worker, _ in self._workers]

    def to_placement_group(self) -> Any:
        return self._started.pop(0) if self._started else super().to_placement_group()

    def __reduce__(self) -> tuple[Any, ...]:
        return (_placement, (id(self), self.share))


def _placement(identity: int, share: Share) -> Placement:
    """The same placement again in the process that made them, else plain ones."""
    live = _live.get(identity)
    return live if live is not None else Placement(share)
