"""The Ray Trainable: it hands Tune's trials to the worker of its placement group."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import ray
from ray import tune

from bertsweep.trial.faults import TRIAL, Fault, WorkerFault
from bertsweep.trial.worker import FAILED, REPORT, TrialWorker, worker_in

__all__ = ["FAILED", "REPORT", "BertTrial"]


class BertTrial(tune.Trainable):
    """One result is one report of the worker.

    Tune starts its Trainables when a trial is decided on. The worker, which takes long to get
    warm, is an actor of its own, so that it can be started before.
    """

    worker: ClassVar[type[TrialWorker]] = TrialWorker
    """What is started in a placement group that has no worker yet."""

    def setup(self, config: Mapping[str, Any]) -> None:
        job = config["job"]
        group = ray.util.get_current_placement_group()
        self._worker = worker_in(group, cpus=job["cpus"], gpus=job["gpus"], kind=self.worker)
        self.reset_config(config)

    def reset_config(self, new_config: Mapping[str, Any]) -> bool:
        """Takes the next trial; a trial that was stopped leaves its worker between two reports."""
        keys = ("trial", "params", "seed", "split", "refit")
        proposal = {key: new_config[key] for key in keys}
        self._worker.begin.remote(new_config["job"], proposal)
        return True

    def step(self) -> dict[str, Any]:
        """The next report. A fault of the trial's own is a result too and ends it as failed.

        After any other fault the worker is ended, and `WorkerFault` raised: Tune then gives up this
        Trainable with its placement group and starts the trial again in a new one, up to
        `max_failures` times, where it goes on from its last good state. The same happens when the
        worker is lost, which raises `ray.exceptions.RayActorError`.
        """
        result: dict[str, Any] = ray.get(self._worker.report.remote())
        report = json.loads(result[REPORT])
        if FAILED in report and report["fault"] != TRIAL:
            ray.kill(self._worker)
            raise WorkerFault(Fault(report["fault"], report[FAILED], report["details"]))
        return result

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing: the session keeps its own state in the sweep's folder and finds it there."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing, for the same reason."""
