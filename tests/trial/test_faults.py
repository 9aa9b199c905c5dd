"""What goes wrong in a worker: told apart, told in one line, and never a reason to lose a trial."""

from __future__ import annotations

import json
import os
import pickle
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bertsweep import ledger
from bertsweep.errors import EncoderError, EnvironmentFault, NonFiniteLossError
from bertsweep.ledger import Event, Ledger
from bertsweep.ledger.events import SweepStarted, TrialReported
from bertsweep.paths import SweepPaths
from bertsweep.sweep import cluster
from bertsweep.sweep.experiment import Experiment
from bertsweep.sweep.placement import Placement
from bertsweep.trial import workbench
from bertsweep.trial.faults import ENVIRONMENT, TRIAL, UNEXPECTED, Fault, WorkerFault, read_fault
from bertsweep.trial.job import Proposal
from bertsweep.trial.session import Session
from bertsweep.trial.trainable import BertTrial
from bertsweep.trial.workbench import Workbench
from bertsweep.trial.worker import FAILED, REPORT, TrialWorker
from tests.support.trials import proposal, small_job, small_prepared, small_spec


class ResourceExhaustedError(Exception):
    """Named as TensorFlow's."""


FAULTS: list[tuple[Exception, str, str, bool]] = [
    (NonFiniteLossError("the loss became nan"), TRIAL, "the loss became nan", False),
    (ResourceExhaustedError("OOM\nlong"), TRIAL, "out of memory: OOM. A smaller batch_size", True),
    (MemoryError(), TRIAL, "out of memory: no more. A smaller", True),
    (EnvironmentFault("no\nroom"), ENVIRONMENT, "no room", False),
    (EncoderError("damaged"), ENVIRONMENT, "damaged", False),
    (OSError(28, "No space left"), ENVIRONMENT, "OSError: [Errno 28] No space left", True),
    (KeyError("x"), UNEXPECTED, "KeyError: 'x'", True),
    (ValueError(), UNEXPECTED, "ValueError: ", True),
]


@pytest.mark.parametrize(("error", "kind", "reason", "details"), FAULTS)
def test_faults_are_told_apart_and_in_one_line(
    error: Exception, kind: str, reason: str, details: bool
) -> None:
    fault = Fault.of(error)
    assert fault.kind == kind
    assert fault.reason.startswith(reason)
    assert "\n" not in fault.reason
    assert (fault.details is not None) == details


def test_a_fault_is_read_back_from_the_text_that_ray_hands_on() -> None:
    fault = Fault.of(OSError(28, "No space left: on device"))
    raised = pickle.loads(pickle.dumps(WorkerFault(fault)))
    assert raised.fault == fault
    text = f"ray::step()\n  File x\nbertsweep.trial.faults.WorkerFault: {raised}\n"
    assert read_fault(text) == Fault(fault.kind, fault.reason)
    assert read_fault("RayActorError: the actor died") is None


def failed(worker: TrialWorker, folder: Path) -> dict[str, Any]:
    told = proposal()
    job = {**small_job(folder, small_prepared()).to_plain(), "encoder": str(folder / "none")}
    fields = {"trial": told.trial, "params": told.params, "seed": told.seed}
    worker.begin(job, fields)
    result = worker.report()
    assert result["done"]
    report: dict[str, Any] = json.loads(result[REPORT])
    return report


class Broken(TrialWorker):
    def _current(self) -> Any:
        raise KeyError("nobody foresaw it")


def test_the_details_are_left_in_the_trials_folder_and_in_the_report(tmp_path: Path) -> None:
    report = failed(Broken(), tmp_path)
    assert report["fault"] == UNEXPECTED
    assert report[FAILED].startswith("KeyError: 'nobody foresaw it' (error.txt in")
    written = (tmp_path / "trials" / "t0000" / "error.txt").read_text()
    assert written == report["details"]
    assert "Traceback" in written


def test_a_disk_that_takes_no_details_is_no_second_fault(tmp_path: Path) -> None:
    (tmp_path / "trials").touch()  # where a folder must be
    report = failed(Broken(), tmp_path)
    assert report[FAILED] == "KeyError: 'nobody foresaw it'"
    assert "Traceback" in report["details"]


def test_a_missing_encoder_is_a_fault_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Devices can be set up once a process, which other tests in it have done.
    monkeypatch.setattr(workbench, "set_up_devices", lambda **_: None)
    report = failed(TrialWorker(), tmp_path)
    assert report["fault"] == ENVIRONMENT
    assert "must hold a prepared encoder" in report[FAILED]


ONCE = "BERTSWEEP_TEST_FAULTS"
"""A folder: each file in it is a fault that one report meets; its name says which."""


class Flaky(TrialWorker):
    """Meets the faults that a folder holds, after its second report."""

    def _current(self) -> Any:
        session = super()._current()
        if session.given >= 2:
            for flag in sorted(Path(os.environ[ONCE]).iterdir())[:1]:
                flag.unlink()
                self._fault(flag.name, session)
        return session

    def _fault(self, name: str, session: Any) -> None:
        # Half of the step after this one, as a fault in the middle of training leaves it.
        session.bench.trainer.train(session.bench.trainer.step + 1)
        if name.endswith("unexpected"):
            raise KeyError("nobody foresaw it")
        raise OSError(28, "No space left on device")


class FlakyTrial(BertTrial):
    worker = Flaky


def swept(folder: Path, faults: list[str], monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """The events of a sweep of one trial whose workers meet these faults, one each."""
    flags = folder / "faults"
    flags.mkdir()
    for number, name in enumerate(faults):
        (flags / f"{number}-{name}").touch()
    monkeypatch.setenv(ONCE, str(flags))
    paths, book = SweepPaths(folder / "sweep"), Ledger(folder / "sweep" / "ledger.jsonl")
    objective = {"metric": "val_average_precision", "mode": "max"}
    spec = small_spec("budget.trials=1", "precision=float32")
    plain = spec.to_plain()
    book.append(SweepStarted(sweep="ab", name="sweep", objective=objective, spec=plain))
    with cluster.started(None):
        experiment = Experiment(
            spec,
            paths,
            book,
            small_prepared(),
            Placement(cluster.Share(cpus=2, gpus=0, concurrent=1)),
            stopping=threading.Event(),
            trainable=FlakyTrial,
        )
        experiment.search()
    book.close()
    return ledger.read(paths.ledger)


@pytest.mark.slow
def test_a_fault_that_another_worker_does_not_meet_costs_the_trial_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = swept(tmp_path, ["unexpected"], monkeypatch)
    (trial,) = ledger.fold(found).trials.values()
    assert (trial.status, trial.attempts) == (ledger.FINISHED, 2)
    told = [event.report for event in found if isinstance(event, TrialReported)]
    assert told == list(range(1, len(told) + 1))

    job = replace(small_job(tmp_path / "calm", small_prepared()), report_every=0.25)
    calm = Session(Workbench(job), job, Proposal(trial.id, trial.params, trial.seed))
    reports = [calm.next_report() for _ in told]
    assert reports[-1]["finished"]
    for report, other in zip(trial.reports, reports, strict=True):
        # Threads and graph rewriting differ between this process and a worker.
        assert numbers(report) == pytest.approx(numbers(other), rel=1e-5)
    assert trial.checkpoint == reports[-1]["checkpoint"]


def numbers(report: dict[str, Any]) -> Any:
    return report["report"], report["metrics"]["loss"], report["metrics"]["val_average_precision"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_fault_that_every_worker_meets_fails_the_trial_with_its_reason_and_its_best_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (trial,) = ledger.fold(swept(tmp_path, ["environment"] * 4, monkeypatch)).trials.values()
    assert trial.status == ledger.FAILED
    assert trial.error is not None
    assert trial.error.startswith("OSError: [Errno 28] No space left on device (error.txt in ")
    assert trial.checkpoint is not None
    assert (tmp_path / "sweep" / trial.checkpoint).is_dir()
