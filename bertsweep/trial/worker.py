"""The Ray actor that trains: it has the trial's device, and stays warm from trial to trial."""

from __future__ import annotations

import contextlib
import gc
import json
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import ray
from ray.util.placement_group import PlacementGroup
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from bertsweep.trial.benches import Benches
from bertsweep.trial.faults import Fault
from bertsweep.trial.job import Proposal, TrialJob

if TYPE_CHECKING:
    from bertsweep.trial.session import Session
    from bertsweep.trial.workbench import Workbench

REPORT = "bertsweep"
"""Key of a result that holds the report as JSON, which Ray's flattening leaves whole."""

FAILED = "failed"
"""Key of a report that ends its trial as failed; the value says why.

The report also holds `fault`, what kind of fault it is, and `details`: see `Fault`.
"""


class TrialWorker:
    """Trains one trial after another, a report at a time, on the workbench of its encoder.

    It raises nothing: whatever goes wrong comes back as a report with `FAILED`, so that whoever
    asked decides whether the trial is to be tried again.
    """

    def __init__(self) -> None:
        self._benches = Benches()
        self._session: Session | None = None
        self._set_up = False

    def warm_up(self, job: Mapping[str, Any], params: Mapping[str, Any]) -> None:
        """Builds the workbench of a job whose tokens are still being made, and rehearses.

        Nothing waits for it to succeed: what is wrong here is wrong in a trial too.
        """
        warming = TrialJob.from_plain(job).of(params)
        self._benches.of(warming, lambda job: self._build(job, rehearsal=params))

    def begin(self, job: Mapping[str, Any], proposal: Mapping[str, Any]) -> None:
        """Takes the next trial; its session begins in `report`, where errors are handled."""
        self._session = None
        self._next = job, proposal

    def report(self) -> dict[str, Any]:
        """The next report of the trial as a result of Ray Tune."""
        try:
            report = self._current().next_report()
        except Exception as error:  # noqa: BLE001 - whatever a trial does must not end the sweep
            return self._failure(Fault.of(error))
        objective = report["objective"]
        return {
            REPORT: json.dumps(report),
            "objective": math.nan if objective is None else objective,
            "done": report["finished"],
        }

    def _current(self) -> Session:
        """The session of the trial that was begun."""
        if self._session is None:
            from bertsweep.trial.session import Session

            plain, told = self._next
            proposal = Proposal.from_plain(told)
            job = TrialJob.from_plain(plain).of(proposal.params)
            bench = self._benches.of(job, self._build)
            bench.open(job)
            self._session = Session(bench, job, proposal)
        return self._session

    def _build(self, job: TrialJob, rehearsal: Mapping[str, Any] | None = None) -> Workbench:
        with _kept_for_good():
            # TensorFlow is imported in the worker, and never in the driver.
            from bertsweep.trial.workbench import Workbench, set_up_devices

            if not self._set_up:  # once a process
                set_up_devices(cpus=job.cpus, gpus=job.gpus)
                self._set_up = True
            return Workbench(job) if rehearsal is None else Workbench.rehearsed(job, rehearsal)

    def _failure(self, fault: Fault) -> dict[str, Any]:
        """The report of a fault; its details are also left in the trial's folder if they can be."""
        reason = fault.reason
        if fault.details is not None:
            with contextlib.suppress(Exception):  # it may be the disk that is at fault
                job, proposal = self._next
                folder = Proposal.from_plain(proposal).trial_folder(TrialJob.from_plain(job))
                folder.mkdir(parents=True, exist_ok=True)
                (folder / "error.txt").write_text(fault.details, encoding="utf-8")
                reason += " (error.txt in the trial's folder has the details)"
        told = {FAILED: reason, "fault": fault.kind, "details": fault.details}
        return {REPORT: json.dumps(told), "objective": math.nan, "done": True}


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


def worker_in(
    group: PlacementGroup, *, cpus: float, gpus: float, kind: type[TrialWorker] = TrialWorker
) -> Any:
    """The worker of a placement group: the one that was started in it, else a new one of `kind`.

    It ends with its group, as everything in it does.
    """
    return (
        ray.remote(kind)
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
