"""The Ray actor that trains: it has the trial's device, and stays warm from trial to trial."""

from __future__ import annotations

import contextlib
import gc
import json
import math
import traceback
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import ray
from ray.util.placement_group import PlacementGroup
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from bertsweep.errors import BertsweepError
from bertsweep.trial.job import Proposal, TrialJob

if TYPE_CHECKING:
    from bertsweep.trial.session import Session
    from bertsweep.trial.workbench import Workbench

REPORT = "bertsweep"
"""Key of a result that holds the report as JSON, which Ray's flattening leaves whole."""

FAILED = "failed"
"""Key of a report that ends its trial as failed; the value says why."""


class TrialWorker:
    """Runs one proposal after another on one workbench, a report at a time.

    What a trial does wrong (a diverging loss, too little memory) comes back as a report with
    `failed`, so that Ray retries only what a retry can mend: a lost process or node.
    """

    def __init__(self) -> None:
        self._bench: Workbench | None = None
        self._session: Session | None = None

    def warm_up(self, job: Mapping[str, Any], params: Mapping[str, Any]) -> None:
        """Builds the workbench of a job whose tokens are still being made, and rehearses.

        Nothing waits for it to succeed: what is wrong here is wrong in a trial too.
        """
        self._bench = self._build(TrialJob.from_plain(job), rehearsal=params)

    def begin(self, job: Mapping[str, Any], proposal: Mapping[str, Any]) -> None:
        """Takes the next trial; its session begins in `report`, where errors are handled."""
        self._job, self._proposal = TrialJob.from_plain(job), Proposal(**proposal)
        self._session = None

    def report(self) -> dict[str, Any]:
        """The next report of the trial as a result of Ray Tune."""
        try:
            report = self._taken().next_report()
        except BertsweepError as error:
            return self._failure(str(error))
        except Exception as error:  # noqa: BLE001 - whatever a trial does must not end the sweep
            return self._failure(_explain(error), details=traceback.format_exc())
        objective = report["objective"]
        return {
            REPORT: json.dumps(report),
            "objective": math.nan if objective is None else objective,
            "done": report["finished"],
        }

    def _taken(self) -> Session:
        """The session of the trial that was begun."""
        if self._session is None:
            from bertsweep.trial.session import Session

            if self._bench is None:
                self._bench = self._build(self._job)
            self._bench.open(self._job)
            self._session = Session(self._bench, self._job, self._proposal)
        return self._session

    def _build(self, job: TrialJob, rehearsal: Mapping[str, Any] | None = None) -> Workbench:
        with _kept_for_good():
            # TensorFlow is imported in the worker, and never in the driver.
            from bertsweep.trial.workbench import Workbench, set_up_devices

            set_up_devices(cpus=job.cpus, gpus=job.gpus)
            return Workbench(job) if rehearsal is None else Workbench.rehearsed(job, rehearsal)

    def _failure(self, reason: str, *, details: str | None = None) -> dict[str, Any]:
        if details is not None:
            folder = self._proposal.trial_folder(self._job)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "error.txt").write_text(details, encoding="utf-8")
        return {REPORT: json.dumps({FAILED: reason}), "objective": math.nan, "done": True}


@contextlib.contextmanager
def _kept_for_good() -> Iterator[None]:
    """For making what lives as long as the process: modules, graphs.

    The garbage collector would walk through those millions of objects again and again meanwhile,
    and later in every full collection.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def worker_in(group: PlacementGroup, *, cpus: float, gpus: float) -> Any:
    """The worker of a placement group: the one that was started in it, else a new one.

    It dies with its group, as everything in it does.
    """
    return (
        ray.remote(TrialWorker)
        .options(
            name=f"worker-{group.id.hex()}",
            get_if_exists=True,
            num_cpus=cpus,
            num_gpus=gpus,
            scheduling_strategy=PlacementGroupSchedulingStrategy(
                group, placement_group_bundle_index=0
            ),
        )
        .remote()
    )


def _explain(error: Exception) -> str:
    """One line for the user; the traceback stands in the trial's error.txt."""
    first = (str(error).strip().splitlines() or [""])[0]
    if type(error).__name__ == "ResourceExhaustedError":
        return f"out of memory: {first}. A smaller batch_size or max_seq_length needs less."
    return f"{type(error).__name__}: {first} (error.txt in the trial's folder has the details)"
