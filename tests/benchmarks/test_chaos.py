"""What `benchmarks.chaos` would notice: a comparison that finds nothing must be able to."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks._moments import STAGES, Moment, draw, kill_at, read
from benchmarks._same import differences
from bertsweep.ledger import Ledger, events
from bertsweep.ledger.events import (
    ConfirmationEnded,
    ConfirmationStarted,
    SweepEnded,
    SweepResumed,
    TrialReported,
    TrialStarted,
)
from tests.support import clisweeps

READ = events.TestOpened(trial="t0001", path="trials/t0001/best-0001")


TOLD = """{
  "sweep": {"hours": 1.0, "trials": 4},
  "validation": {"examples_per_second": 1.0, "val_loss": 0.5}
}"""


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A sweep that was confirmed, tested and exported."""
    folder = clisweeps.finished_sweep(tmp_path, "whole")
    ledger = Ledger(folder / "ledger.jsonl")
    ledger.append(ConfirmationStarted(finalists=("t0001",), seeds=(1,), splits=(None,)))
    ledger.append(ConfirmationEnded(outcome={"chosen": "t0001"}))
    ledger.append(SweepEnded(status="finished"))
    ledger.append(READ)
    ledger.append(events.TestScored(result={"rows": 50, "metrics": {"f1": 0.5}}))
    ledger.close()
    (folder / "export" / "onnx").mkdir(parents=True)
    (folder / "export" / "onnx" / "model.onnx").write_bytes(b"weights")
    (folder / "export" / "metrics.json").write_text(TOLD)
    return folder


def resumed(whole: Path) -> Path:
    copy = whole.with_name("copy")
    shutil.copytree(whole, copy)
    return copy


def add(*more: object) -> Callable[[Path], None]:
    def change(sweep: Path) -> None:
        ledger = Ledger(sweep / "ledger.jsonl")
        for event in more:
            ledger.append(event)  # type: ignore[arg-type]
        ledger.close()

    return change


def again(report: int) -> TrialReported:
    return TrialReported(
        trial="t0000", report=report, epoch=1.0, examples=1, seconds=1.0, metrics={"loss": 0.1}
    )


CHANGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "status": (add(SweepResumed()), "it is running"),
    "outcome": (add(ConfirmationEnded(outcome={"chosen": "t0003"})), "outcome"),
    "delivered": (
        add(ConfirmationEnded(outcome={"chosen": "t0001"}, delivered="t0001")),
        "another checkpoint is delivered",
    ),
    "score": (add(again(3)), "the scores of t0000 differ"),
    "twice": (add(again(2)), "report 2 of t0000 was recorded twice"),
    "rerun": (add(TrialStarted(trial="t0000", attempt=2)), "t0000 had ended and ran again"),
    "opened": (add(READ), "the test split was opened 2 times"),
    "tested": (
        add(READ, events.TestScored(result={"rows": 50, "metrics": {"f1": 0.4}})),
        "the test scores differ",
    ),
    "export": (
        lambda sweep: (sweep / "export" / "onnx" / "model.onnx").unlink(),
        "the export's onnx/model.onnx differs",
    ),
    "told": (
        lambda sweep: (sweep / "export" / "metrics.json").write_text(TOLD.replace("0.5", "0.6")),
        "the export's metrics.json differs",
    ),
    "draft": (
        lambda sweep: (sweep / ".export~host~1~ab").mkdir(),
        "drafts are left: .export~host~1~ab",
    ),
    "checkpoint": (
        lambda sweep: (sweep / "trials/t0001/best-0001/vocab.txt").write_text("other"),
        "vocab.txt",
    ),
}


def test_what_took_longer_is_the_same(whole: Path) -> None:
    copy = resumed(whole)
    (copy / "export" / "metrics.json").write_text(TOLD.replace("1.0", "2.0"))
    assert list(differences(whole, copy)) == []


@pytest.mark.parametrize("change", CHANGES)
def test_each_difference_is_noticed(whole: Path, change: str) -> None:
    copy = resumed(whole)
    changed, said = CHANGES[change]
    changed(copy)
    assert any(said in one for one in differences(whole, copy))


def test_moments_lie_within_their_stage(whole: Path) -> None:
    told = read(whole)
    times = {event.kind: event.time for event in told}
    ended, chance = told[-1].time + 8, random.Random(0)
    for _ in range(50):
        at = {stage: draw(stage, told, ended, chance) for stage in STAGES}
        assert at["confirmation"].lines < 2
        test = at["test"]
        assert times[test.after] + test.seconds <= times["test_scored"]
        assert times["test_scored"] + at["export"].seconds <= ended


def test_a_command_is_killed_at_its_moment_or_had_ended(whole: Path) -> None:
    sleeping = [sys.executable, "-c", "import time; time.sleep(60)"]
    at = Moment("test", "test_opened", 0, 0.1, group=True)
    process = subprocess.Popen(sleeping, start_new_session=True)
    kill = kill_at(at, process, whole, since=0)
    assert process.returncode == -9
    assert (kill.events, kill.last, kill.late) == (len(read(whole)), "test_scored", False)
    process = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    assert kill_at(at, process, whole, since=len(read(whole))).late
