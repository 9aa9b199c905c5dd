"""The event journal: whole lines survive anything, damaged ones are named."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from bertsweep import ledger
from bertsweep.errors import InputError, LedgerError
from bertsweep.ledger import Ledger

OBJECTIVE = {"metric": "val_f1", "mode": "max"}


def start(book: Ledger, **objective: str) -> None:
    book.append("sweep_started", sweep="ab12", name="demo", objective={**OBJECTIVE, **objective})


def propose(book: Ledger, trial: str, origin: str = "sampler") -> None:
    point = {"learning_rate": 1e-3}
    book.append("trial_proposed", trial=trial, point=point, params=point, seed=0, origin=origin)
    book.append("trial_started", trial=trial, attempt=1, cpus=1, gpus=0.5, node="n")


def report(book: Ledger, trial: str, number: int, value: float) -> None:
    fields: dict[str, Any] = {"epoch": number / 4, "examples": 8 * number, "seconds": 10.0 * number}
    book.append("trial_reported", trial=trial, report=number, metrics={"val_f1": value}, **fields)


@pytest.fixture
def book(tmp_path: Path) -> Ledger:
    book = Ledger(tmp_path / "ledger.jsonl")
    start(book)
    return book


def test_what_is_appended_is_read_back_in_order(book: Ledger, tmp_path: Path) -> None:
    propose(book, "t0000")
    read = ledger.read(tmp_path / "ledger.jsonl")
    assert [event["event"] for event in read] == [
        "sweep_started",
        "trial_proposed",
        "trial_started",
    ]
    assert [event["seq"] for event in read] == [0, 1, 2]
    assert read[1]["params"] == {"learning_rate": 1e-3}


def test_numbers_that_json_cannot_hold_become_null(book: Ledger, tmp_path: Path) -> None:
    propose(book, "t0000")
    report(book, "t0000", 1, float("nan"))
    report(book, "t0000", 2, float("inf"))
    trial = ledger.fold(ledger.read(tmp_path / "ledger.jsonl")).trials["t0000"]
    assert [r["metrics"]["val_f1"] for r in trial.reports] == [None, None]
    assert trial.best is None


@pytest.mark.parametrize("cut", [1, 5, 17, 40])
def test_a_torn_last_line_is_left_out_and_then_cut_off(
    book: Ledger, tmp_path: Path, cut: int
) -> None:
    propose(book, "t0000")
    book.close()
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    assert [event["event"] for event in ledger.read(path)] == ["sweep_started", "trial_proposed"]
    again = Ledger(path)
    assert again.torn
    again.append("sweep_resumed")
    kinds = [event["event"] for event in ledger.read(path)]
    assert kinds == ["sweep_started", "trial_proposed", "sweep_resumed"]


def test_a_changed_line_is_named(book: Ledger, tmp_path: Path) -> None:
    propose(book, "t0000")
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"demo"', b'"dema"'))
    with pytest.raises(LedgerError, match=r"ledger\.jsonl, line 1: the checksum does not match"):
        ledger.read(path)


def test_a_line_that_is_no_json_is_named_though_its_checksum_is_right(
    book: Ledger, tmp_path: Path
) -> None:
    propose(book, "t0000")
    book.close()
    path = tmp_path / "ledger.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    body = b'{"seq":1,"event":nothing}'
    lines[1] = body[:-1] + b',"crc":"%08x"}\n' % zlib.crc32(body)
    path.write_bytes(b"".join(lines))
    for reading in (ledger.read, ledger.load, Ledger):
        with pytest.raises(LedgerError, match=r"ledger\.jsonl, line 2: it is no JSON"):
            reading(path)
    # An opening that failed holds no lock.
    path.write_bytes(lines[0])
    Ledger(path).close()


def test_two_writers_exclude_each_other(book: Ledger, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="another bertsweep command"):
        Ledger(tmp_path / "ledger.jsonl")
    book.close()
    Ledger(tmp_path / "ledger.jsonl").close()


def test_the_fold_tells_each_trials_status_best_report_and_cost(book: Ledger) -> None:
    for trial in ("t0000", "t0001", "t0002", "t0003"):
        propose(book, trial)
        report(book, trial, 1, 0.5)
    report(book, "t0000", 2, 0.7)
    report(book, "t0000", 3, 0.6)
    path = "trials/t0000/best-0002"
    book.append("checkpoint_saved", trial="t0000", report=2, path=path, threshold=0.3)
    book.append("trial_finished", trial="t0000")
    book.append("trial_stopped", trial="t0001", reason="place 2 of 3")
    book.append("trial_failed", trial="t0002", error="the loss became nan")
    trials = book.state.trials
    assert {name: trial.status for name, trial in trials.items()} == {
        "t0000": "finished",
        "t0001": "stopped",
        "t0002": "failed",
        "t0003": "running",
    }
    assert trials["t0000"].best is not None
    assert trials["t0000"].best["report"] == 2
    assert trials["t0000"].checkpoint == "trials/t0000/best-0002"
    assert [trial.threshold for trial in trials.values()] == [0.3, None, None, None]
    assert trials["t0000"].gpu_hours == pytest.approx(30 * 0.5 / 3600)
    assert trials["t0002"].error == "the loss became nan"


def test_the_best_report_is_the_smallest_where_the_objective_is_a_loss(tmp_path: Path) -> None:
    book = Ledger(tmp_path / "ledger.jsonl")
    start(book, mode="min")
    propose(book, "t0000")
    for number, value in enumerate((0.5, 0.2, 0.2, 0.9), start=1):
        report(book, "t0000", number, value)
    best = book.state.trials["t0000"].best
    assert best is not None
    assert best["report"] == 2


def test_a_state_keeps_every_metric_of_a_report(book: Ledger) -> None:
    propose(book, "t0000")
    measured = [
        {"val_f1": 0.25, "loss": float("nan")},
        {"val_f1": 0.5, "loss": 0.75, "other": 1e-9},
    ]
    for number, metrics in enumerate(measured, start=1):
        fields = {"epoch": number / 4, "examples": 8 * number, "seconds": 2.5, "system": {"gpu": 1}}
        book.append("trial_reported", trial="t0000", report=number, metrics=metrics, **fields)
    first, second = book.state.trials["t0000"].reports
    assert first == {
        "report": 1,
        "epoch": 0.25,
        "examples": 8,
        "seconds": 2.5,
        "metrics": {"val_f1": 0.25, "loss": None},
    }
    assert second["metrics"] == measured[1]


def test_the_reports_of_a_trial_are_a_sequence_and_their_metrics_curves(book: Ledger) -> None:
    propose(book, "t0000")
    fields = {"examples": 8, "seconds": 2.5}
    # The second has no value, the third other metrics than the rest.
    measured: list[dict[str, Any]] = [
        {"val_f1": 0.25, "loss": 2.0},
        {"val_f1": float("nan"), "loss": 1.0},
        {"loss": 0.5},
        {"val_f1": 0.5, "loss": 0.25},
    ]
    for number, metrics in enumerate(measured, start=1):
        event = {"report": number, "epoch": number / 4, "metrics": metrics, **fields}
        book.append("trial_reported", trial="t0000", **event)
    reports = book.state.trials["t0000"].reports
    assert [reports[at]["report"] for at in range(4)] == [r["report"] for r in reports]
    assert [reports[at]["report"] for at in range(-4, 0)] == [1, 2, 3, 4]
    assert [r["metrics"]["loss"] for r in reports[1:3]] == [1.0, 0.5]
    assert reports.curve("val_f1") == [(1, 0.25, 0.25), (4, 1.0, 0.5)]
    assert reports.curve("loss") == [(n, n / 4, 2.0 ** (2 - n)) for n in (1, 2, 3, 4)]
    assert reports.curve("val_loss") == []
    for outside in (4, -5):
        with pytest.raises(IndexError):
            reports[outside]


def test_the_running_state_equals_the_fold_of_the_file(book: Ledger, tmp_path: Path) -> None:
    propose(book, "t0000")
    report(book, "t0000", 1, 0.25)
    book.append("trial_finished", trial="t0000")
    book.append("sweep_ended", status="finished", reason=None)
    path = tmp_path / "ledger.jsonl"
    assert ledger.load(path) == ledger.fold(ledger.read(path)) == book.state


def test_subscribers_see_the_very_events_that_are_written(tmp_path: Path) -> None:
    seen: list[ledger.Event] = []
    book = Ledger(tmp_path / "ledger.jsonl", subscribers=[seen.append])
    start(book)
    propose(book, "t0000")
    assert seen == ledger.read(tmp_path / "ledger.jsonl")


def test_an_empty_ledger_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "ledger.jsonl").touch()
    with pytest.raises(LedgerError, match="holds no event"):
        ledger.fold(ledger.read(tmp_path / "ledger.jsonl"))


WRITER = """
import sys
from pathlib import Path
from bertsweep.ledger import Ledger
book = Ledger(Path(sys.argv[1]))
book.append("sweep_started", sweep="x", name="x", objective={"metric": "m", "mode": "max"})
number = 0
while True:
    number += 1
    book.append("trial_proposed", trial=f"t{number}", point={}, params={}, seed=0, origin="sampler")
    print(number, flush=True)
"""


def test_what_was_appended_before_a_kill_is_there_after_it(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    told = 0
    for line in writer.stdout:
        told = int(line)
        if told == 50:
            os.kill(writer.pid, signal.SIGKILL)
            break
    writer.wait()
    assert len(ledger.fold(ledger.read(path)).trials) >= told
