"""Trouble with W&B: each kind is one warning, the sweep goes on, what was logged is on disk."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bertsweep.ledger import Ledger
from bertsweep.ledger.events import SweepResumed, TrialFinished
from bertsweep.tracking import process
from bertsweep.tracking.data import DataRun
from bertsweep.tracking.worker import Worker
from tests.support import wandbfile
from tests.support.trackedsweep import UID, begin, report, run_trial, start, tracker

KEY = "5ecre7" * 7
CLOSED = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def _own_wandb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No login of the user's, and a process of W&B's own for each test."""
    for name in ("API_KEY", "IDENTITY_TOKEN_FILE", "MODE", "BASE_URL"):
        monkeypatch.delenv(f"WANDB_{name}", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path / "config"))
    yield
    import wandb

    wandb.teardown()


WRITER = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.support.trackedsweep import begin, run_trial, tracker
from bertsweep.ledger import Ledger
folder = Path(sys.argv[1])
tracking = tracker(folder, warnings=[])
ledger = Ledger(folder / "ledger.jsonl", subscribers=[tracking.handle])
begin(ledger)
run_trial(ledger, "t0000", [0.1 * number for number in range(1, 9)])
print("told", flush=True)
time.sleep(600)
"""


def test_a_killed_sweep_leaves_its_rows_and_goes_on_in_the_same_run(tmp_path: Path) -> None:
    here = str(Path(__file__).parents[2])
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path), here], stdout=subprocess.PIPE
    )
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"told\n"
        _wait(lambda: _rows(tmp_path) == 8, seconds=30)
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.wait()

    (killed,) = wandbfile.run_files(tmp_path)
    assert [row["_step"] for row in wandbfile.history(killed)] == list(range(1, 9))
    info = wandbfile.run_info(killed)
    assert info["exit_code"] is None
    assert info["summary"]["best_value"] == pytest.approx(0.8)
    assert info["summary"]["status"] == "running"

    path = tmp_path / "ledger.jsonl"
    tracking = tracker(tmp_path, warnings=[])
    ledger = Ledger(path, subscribers=[tracking.handle])
    ledger.append(SweepResumed())
    start(ledger, "t0000", attempt=2)
    report(ledger, "t0000", 9, f1=0.9)
    ledger.append(TrialFinished(trial="t0000"))
    tracking.close()
    resumed = next(file for file in wandbfile.run_files(tmp_path) if file != killed)
    assert [row["_step"] for row in wandbfile.history(resumed)] == [9]
    assert wandbfile.run_info(resumed)["run_id"] == info["run_id"] == f"{UID}-t0000"


def test_when_the_process_of_wandb_dies_the_runs_go_on_in_another(tmp_path: Path) -> None:
    warnings: list[str] = []
    tracking = tracker(tmp_path, warnings=warnings)
    ledger = Ledger(tmp_path / "ledger.jsonl", subscribers=[tracking.handle])
    begin(ledger)
    run_trial(ledger, "t0000", [0.5, 0.6])
    run_trial(ledger, "t0001", [0.3])
    _wait(lambda: _rows(tmp_path) == 3, seconds=30)
    victim = _process_of_wandb()
    victim.kill()
    victim.wait()
    time.sleep(0.2)  # what is on its way to a dying process is lost
    report(ledger, "t0000", 3, f1=0.7)
    report(ledger, "t0001", 2, f1=0.4)
    for trial in ("t0000", "t0001"):
        ledger.append(TrialFinished(trial=trial))
    run_trial(ledger, "t0002", [0.2])
    ledger.append(TrialFinished(trial="t0002"))
    tracking.close()

    assert _steps(tmp_path) == {"t0000": [1, 2, 3], "t0001": [1, 2], "t0002": [1]}
    last = {path.stem: wandbfile.run_info(path) for path in wandbfile.run_files(tmp_path)}
    assert {info["summary"]["status"] for info in last.values()} == {"finished"}
    (warning,) = warnings
    assert "the sweep goes on" in warning


def test_a_full_disk_is_one_warning(tmp_path: Path) -> None:
    warnings: list[str] = []
    tracking = tracker(tmp_path, warnings=warnings)
    ledger = Ledger(tmp_path / "ledger.jsonl", subscribers=[tracking.handle])
    begin(ledger)
    run_trial(ledger, "t0000", [0.5, 0.6])
    _wait(lambda: _rows(tmp_path) == 2, seconds=30)
    # What the ledger writes stays below this limit, what W&B writes from now on does not.
    limits = resource.prlimit(os.getpid(), resource.RLIMIT_FSIZE)
    full = (16 * 1024, limits[1])
    resource.prlimit(_process_of_wandb().pid, resource.RLIMIT_FSIZE, (0, limits[1]))
    resource.prlimit(os.getpid(), resource.RLIMIT_FSIZE, full)
    try:
        report(ledger, "t0000", 3, f1=0.7)
        ledger.append(TrialFinished(trial="t0000"))
        run_trial(ledger, "t0001", [0.5, 0.6])
        ledger.append(TrialFinished(trial="t0001"))
        tracking.close(timeout=20)
    finally:
        resource.prlimit(os.getpid(), resource.RLIMIT_FSIZE, limits)
    (warning,) = warnings
    assert f"{tmp_path}/wandb cannot be written (File too large)" in warning
    assert _steps(tmp_path) == {"t0000": [1, 2]}


def test_a_folder_that_cannot_be_written_is_one_warning_and_no_other_folder_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    sweep = tmp_path / "sweep"
    sweep.mkdir()
    (sweep / "wandb").write_text("in the way")
    warnings: list[str] = []
    tracking = tracker(sweep, warnings=warnings)
    ledger = Ledger(sweep / "ledger.jsonl", subscribers=[tracking.handle])
    begin(ledger)
    for trial in ("t0000", "t0001"):
        run_trial(ledger, trial, [0.5])
        ledger.append(TrialFinished(trial=trial))
    tracking.close()
    (warning,) = warnings
    assert f"{sweep}/wandb cannot be written (File exists)" in warning
    assert not list(elsewhere.rglob("*.wandb"))


def test_without_a_network_runs_are_written_offline_and_the_key_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_BASE_URL", CLOSED)
    monkeypatch.setattr(process, "INIT_TIMEOUT", 1.5)
    warnings: list[str] = []
    tracking = tracker(tmp_path, warnings=warnings, mode="auto")
    assert tracking.mode == "online"
    ledger = Ledger(tmp_path / "ledger.jsonl", subscribers=[tracking.handle])
    begin(ledger)
    for trial in ("t0000", "t0001"):
        run_trial(ledger, trial, [0.5, 0.6])
        ledger.append(TrialFinished(trial=trial))
    tracking.close()

    (warning,) = warnings
    assert f"`wandb sync --include-online {tmp_path}/wandb/*run-*`" in warning
    assert _steps(tmp_path) == {"t0000": [1, 2], "t0001": [1, 2]}
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not any(KEY.encode() in path.read_bytes() for path in files)
    assert capfd.readouterr() == ("", "")


def test_a_wrong_key_is_one_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "short")
    warnings: list[str] = []
    tracking = tracker(tmp_path, warnings=warnings, mode="online")
    ledger = Ledger(tmp_path / "ledger.jsonl", subscribers=[tracking.handle])
    begin(ledger)
    run_trial(ledger, "t0000", [0.5])
    tracking.close()
    (warning,) = warnings
    assert "WANDB_API_KEY invalid" in warning
    assert _steps(tmp_path) == {"t0000": [1]}


def test_statistics_that_make_no_sense_end_nothing(tmp_path: Path) -> None:
    warnings: list[str] = []
    tracking = tracker(tmp_path, warnings=warnings)
    ledger = Ledger(tmp_path / "ledger.jsonl", subscribers=[tracking.handle])
    begin(ledger)
    tracking.write(DataRun(ledger.state.started, {"splits": {}}, [], [], []))
    run_trial(ledger, "t0000", [0.5])
    tracking.close()
    assert _steps(tmp_path) == {"t0000": [1]}
    assert len(warnings) == 1


def test_wandb_leaves_the_process_as_it_was(tmp_path: Path) -> None:
    before = (sys.excepthook, sys.exit, signal.getsignal(signal.SIGINT), os.getcwd())
    tracking = tracker(tmp_path, warnings=[])
    ledger = Ledger(tmp_path / "ledger.jsonl", subscribers=[tracking.handle])
    begin(ledger)
    run_trial(ledger, "t0000", [0.5])
    tracking.close()
    assert before == (sys.excepthook, sys.exit, signal.getsignal(signal.SIGINT), os.getcwd())


def test_a_worker_outlives_its_jobs_and_drops_only_what_may_be_dropped() -> None:
    failures: list[Exception] = []
    done: list[int] = []
    gate, begun = threading.Event(), threading.Event()
    worker = Worker(failed=failures.append, limit=2)

    def blocked() -> None:
        begun.set()
        gate.wait(30)

    worker.put(blocked)
    assert begun.wait(30)
    assert worker.put(lambda: done.append(1), droppable=True)
    assert worker.put(lambda: done.append(1 // 0), droppable=True)
    assert not worker.put(lambda: done.append(3), droppable=True)
    assert worker.put(lambda: done.append(4))
    assert not worker.close(timeout=0.05)
    gate.set()
    assert worker.close(timeout=30)
    assert done == [1, 4]
    assert [type(failure) for failure in failures] == [ZeroDivisionError]


def _steps(folder: Path) -> dict[str, list[int]]:
    """Trial → the reports in all its files, in order."""
    steps: dict[str, list[int]] = {}
    for path in wandbfile.run_files(folder):
        trial = path.stem.rpartition("-")[2]
        rows = [row["_step"] for row in wandbfile.history(path)]
        steps[trial] = sorted(steps.get(trial, []) + rows)
    return steps


def _rows(folder: Path) -> int:
    return sum(len(steps) for steps in _steps(folder).values())


def _process_of_wandb() -> psutil.Process:
    living = (p for p in psutil.Process().children() if p.status() != psutil.STATUS_ZOMBIE)
    return max((p for p in living if "wandb" in p.name()), key=lambda p: p.create_time())


def _wait(condition: object, *, seconds: float) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert condition()
