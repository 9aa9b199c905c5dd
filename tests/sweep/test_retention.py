"""Which checkpoints stay on disk, and what a trial that failed leaves."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bertsweep import results
from bertsweep.ledger import Ledger
from bertsweep.ledger.events import FaultKind, TrialEnded, TrialFailed, TrialFinished, TrialStopped
from bertsweep.paths import SweepPaths
from bertsweep.sweep.retention import Retention
from tests.support import clisweeps
from tests.support.checkpoints import write_checkpoint, write_state
from tests.support.clisweeps import METRIC, cli


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    with clisweeps.sweep(tmp_path) as ledger:
        yield ledger


def run(book: Ledger, storage: Path, trial: str, value: float) -> Path:
    """A trial of three reports, each better than the last, and a full state; returns its folder."""
    origin = "baseline" if trial == "t0000" else "sampler"
    clisweeps.propose(book, trial, {"dropout": 0.1}, origin=origin)
    retention = Retention(SweepPaths(storage / "demo"), book, keep=2)
    for number in (1, 2, 3):
        clisweeps.report(book, trial, number, value + number / 100)
        before = book.state.trials[trial].checkpoint
        clisweeps.checkpoint(book, storage / "demo", trial, number)
        retention.saved(trial, before)
    write_checkpoint(storage / "demo" / "trials" / trial, 4)  # its report never reached the driver
    write_state(storage / "demo" / "trials" / trial, 3)
    return storage / "demo" / "trials" / trial


def end(book: Ledger, storage: Path, event: TrialEnded) -> None:
    book.append(event)
    Retention(SweepPaths(storage / "demo"), book, keep=2).ended(event.trial)


def left(storage: Path) -> dict[str, list[str]]:
    return {
        folder.name: sorted(path.name for path in folder.iterdir())
        for folder in sorted((storage / "demo" / "trials").iterdir())
    }


def test_a_running_trial_keeps_the_last_two_recorded_and_what_is_newer(
    book: Ledger, tmp_path: Path
) -> None:
    run(book, tmp_path, "t0000", 0.5)
    assert left(tmp_path) == {"t0000": ["best-0002", "best-0003", "best-0004", "state-0003"]}


def test_the_best_ended_trials_and_the_baseline_keep_the_recorded_one(
    book: Ledger, tmp_path: Path
) -> None:
    for number, value in enumerate((0.1, 0.6, 0.5, 0.8)):
        trial = f"t{number:04d}"
        run(book, tmp_path, trial, value)
        ends = (TrialFinished(trial=trial), TrialStopped(trial=trial, reason="rung"))
        end(book, tmp_path, ends[number % 2])
    kept = ["best-0003"]
    assert left(tmp_path) == {"t0000": kept, "t0001": kept, "t0002": [], "t0003": kept}
    assert book.state.trials["t0002"].checkpoint is None


def test_a_trial_that_failed_after_good_reports_keeps_its_best_and_is_ranked_by_it(
    book: Ledger, tmp_path: Path
) -> None:
    run(book, tmp_path, "t0000", 0.5)
    end(book, tmp_path, TrialFinished(trial="t0000"))
    run(book, tmp_path, "t0001", 0.7)
    end(book, tmp_path, TrialFailed(trial="t0001", error="the loss became nan", fault="trial"))
    assert left(tmp_path) == {"t0000": ["best-0003"], "t0001": ["best-0003"]}
    best = cli("best", tmp_path / "demo", "--json").json
    assert (best["trial"], best["metrics"][METRIC]) == ("t0001", 0.73)
    assert best["checkpoint"].endswith("t0001/best-0003")
    shown = cli("show", tmp_path / "demo", "--json").json["trials"][1]
    assert (shown["status"], shown["error"]) == ("failed", "the loss became nan")


@pytest.mark.parametrize("fault", ["environment", "unexpected"])
def test_a_trial_that_a_resume_goes_on_with_keeps_all_of_it(
    book: Ledger, tmp_path: Path, fault: FaultKind
) -> None:
    run(book, tmp_path, "t0000", 0.5)
    end(book, tmp_path, TrialFailed(trial="t0000", error="no room", fault=fault))
    for number in (1, 2, 3):
        run(book, tmp_path, f"t{number:04d}", 0.6)
        end(book, tmp_path, TrialFinished(trial=f"t{number:04d}"))
    Retention(SweepPaths(tmp_path / "demo"), book, keep=2).tidy()
    all_of_it = ["best-0002", "best-0003", "best-0004", "state-0003"]
    assert left(tmp_path)["t0000"] == all_of_it
    assert sum(bool(names) for names in left(tmp_path).values()) == 3


def test_a_resume_removes_what_a_killed_session_left(book: Ledger, tmp_path: Path) -> None:
    for number, value in enumerate((0.1, 0.6, 0.5, 0.8)):
        run(book, tmp_path, f"t{number:04d}", value)
        book.append(TrialFinished(trial=f"t{number:04d}"))
    (tmp_path / "demo" / "trials" / "t0000" / ".best-0005~elsewhere~1~ab").mkdir()
    Retention(SweepPaths(tmp_path / "demo"), book, keep=2).tidy()
    kept = ["best-0003"]
    assert left(tmp_path) == {"t0000": kept, "t0001": kept, "t0002": [], "t0003": kept}


def test_a_reader_on_a_running_sweep_always_gets_weights_of_the_recorded_report(
    book: Ledger, tmp_path: Path
) -> None:
    folder = tmp_path / "demo"
    retention = Retention(SweepPaths(folder), book, keep=1)
    clisweeps.propose(book, "t0000", {"dropout": 0.1}, origin="baseline")
    over = threading.Event()

    def write() -> None:
        number = 0
        while not over.is_set() or number < 50:
            number += 1
            clisweeps.report(book, "t0000", number, number / 10_000)
            before = book.state.trials["t0000"].checkpoint
            clisweeps.checkpoint(book, folder, "t0000", number)
            retention.saved("t0000", before)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while book.state.trials["t0000"].checkpoint is None:
            time.sleep(0.01)
        until, reads, said = time.monotonic() + 3, 0, list[str]()
        while time.monotonic() < until:
            first = results.checkpoint_of(str(folder), tmp_path, notify=said.append)
            time.sleep(0.003 * (reads % 10))  # a slow reader, at times
            report, weights = results.read_checkpoint(
                str(folder), tmp_path, lambda c: (c.record.report, c.arrays()), first=first
            )
            assert weights["head/bias"][0] == report >= first.record.report
            reads += 1
    finally:
        over.set()
        writer.join()
    assert reads > 20
    assert said == []
