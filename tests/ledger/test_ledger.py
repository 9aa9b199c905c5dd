"""The event journal: whole lines survive anything, damaged ones are named."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
from msgspec.json import encode as json_encode
from msgspec.structs import fields, replace

from bertsweep import ledger
from bertsweep.errors import InputError, LedgerError
from bertsweep.ledger import Ledger
from bertsweep.ledger.events import (
    KINDS,
    CheckpointSaved,
    SweepEnded,
    SweepResumed,
    SweepStarted,
    TrialFailed,
    TrialFinished,
    TrialProposed,
    TrialReported,
    TrialStarted,
    TrialStopped,
)
from bertsweep.ledger.lines import close
from tests.support.sweeps import REPOSITORY

OBJECTIVE = {"metric": "val_f1", "mode": "max"}


def start(book: Ledger, **objective: str) -> None:
    book.append(SweepStarted(sweep="ab12", name="demo", objective={**OBJECTIVE, **objective}))


def propose(book: Ledger, trial: str, origin: str = "sampler") -> None:
    point = {"learning_rate": 1e-3}
    book.append(TrialProposed(trial=trial, point=point, params=point, seed=0, origin=origin))
    book.append(TrialStarted(trial=trial, attempt=1, cpus=1, gpus=0.5, node="n"))


def report(book: Ledger, trial: str, number: int, value: float) -> None:
    fields: dict[str, Any] = {"epoch": number / 4, "examples": 8 * number, "seconds": 10.0 * number}
    book.append(TrialReported(trial=trial, report=number, metrics={"val_f1": value}, **fields))


@pytest.fixture
def book(tmp_path: Path) -> Ledger:
    book = Ledger(tmp_path / "ledger.jsonl")
    start(book)
    return book


def test_what_is_appended_is_read_back_in_order(book: Ledger, tmp_path: Path) -> None:
    propose(book, "t0000")
    read = ledger.read(tmp_path / "ledger.jsonl")
    assert [event.kind for event in read] == [
        "sweep_started",
        "trial_proposed",
        "trial_started",
    ]
    assert [event.seq for event in read] == [0, 1, 2]
    assert isinstance(read[1], TrialProposed)
    assert read[1].params == {"learning_rate": 1e-3}


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
    assert [event.kind for event in ledger.read(path)] == ["sweep_started", "trial_proposed"]
    again = Ledger(path)
    assert again.torn
    again.append(SweepResumed())
    kinds = [event.kind for event in ledger.read(path)]
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
    lines[1] = body[:-1] + b',"crc":"%08x"}\n' % zlib.crc32(body, int(lines[0][-11:-3], 16))
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
    book.append(CheckpointSaved(trial="t0000", report=2, path=path, threshold=0.3))
    book.append(TrialFinished(trial="t0000"))
    book.append(TrialStopped(trial="t0001", reason="place 2 of 3"))
    book.append(TrialFailed(trial="t0002", error="the loss became nan"))
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
        book.append(TrialReported(trial="t0000", report=number, metrics=metrics, **fields))
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
        book.append(TrialReported(trial="t0000", **event))
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
    book.append(TrialFinished(trial="t0000"))
    book.append(SweepEnded(status="finished", reason=None))
    path = tmp_path / "ledger.jsonl"
    assert ledger.load(path) == ledger.fold(ledger.read(path)) == book.state


def test_subscribers_see_the_very_events_that_are_written(tmp_path: Path) -> None:
    seen: list[ledger.Update] = []
    book = Ledger(tmp_path / "ledger.jsonl", subscribers=[seen.append])
    start(book)
    propose(book, "t0000")
    assert [update.event for update in seen] == ledger.read(tmp_path / "ledger.jsonl")


def test_an_empty_ledger_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "ledger.jsonl").touch()
    with pytest.raises(LedgerError, match="holds no event"):
        ledger.fold(ledger.read(tmp_path / "ledger.jsonl"))


WRITER = """
import sys
from pathlib import Path
from bertsweep.ledger import Ledger
from bertsweep.ledger.events import SweepStarted, TrialProposed
book = Ledger(Path(sys.argv[1]))
book.append(SweepStarted(sweep="x", name="x", objective={"metric": "m", "mode": "max"}))
number = 0
while True:
    number += 1
    book.append(TrialProposed(trial=f"t{number}", point={}, params={}, seed=0, origin="sampler"))
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


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def another(path: Path) -> list[bytes]:
    """The lines of a second sweep of the same kind."""
    book = Ledger(path)
    start(book)
    for number in range(3):
        propose(book, f"t{number:04d}")
    book.close()
    return lines_of(path)


DAMAGES: dict[str, tuple[Callable[[list[bytes], list[bytes]], list[bytes]], str]] = {
    "a line is missing": (lambda own, _: own[:2] + own[3:], "line 3: event 3 stands where event 2"),
    "two are swapped": (
        lambda own, _: [*own[:2], own[3], own[2], *own[4:]],
        "line 3: event 3 stands where event 2",
    ),
    "one stands twice": (lambda own, _: own[:3] + own[2:], "line 4: event 2 stands where event 3"),
    "another sweep follows": (
        lambda own, other: own + other,
        "line 8: event 0 stands where event 7",
    ),
    "lines of another sweep follow": (
        lambda own, other: own[:5] + other[5:],
        "line 6: the checksum does not match: the line was changed, or is of another sweep",
    ),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_lines_that_do_not_follow_each_other_are_named(tmp_path: Path, what: str) -> None:
    damage, said = DAMAGES[what]
    path = tmp_path / "ledger.jsonl"
    own, other = another(path), another(tmp_path / "other.jsonl")
    path.write_bytes(b"".join(damage(own, other)))
    for reading in (ledger.load, Ledger):
        with pytest.raises(LedgerError, match=re.escape(said)):
            reading(path)


def chained(*events: dict[str, Any]) -> bytes:
    """Lines with right numbers and checksums, whatever they say."""
    chain, lines = 0, []
    for number, event in enumerate(events):
        body = json_encode({"seq": number, "time": 0.0, **event})
        line, chain = close(body, chain=chain)
        lines.append(line)
    return b"".join(lines)


BEGUN = {"event": "sweep_started", "format": 2, "sweep": "x", "name": "x", "objective": OBJECTIVE}


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([{"event": "trial_finished", "trial": "t0"}], "begins with sweep_started"),
        ([BEGUN, {"event": "news of next year"}], "line 2: no event is called 'news of next year'"),
        (
            [BEGUN, {"event": "trial_reported", "trial": "t0"}],
            "line 2: trial_reported is not as it must be",
        ),
        ([BEGUN, {"event": "trial_finished", "trial": 7}], "Expected `str`, got `int`"),
        ([BEGUN, {"event": "trial_finished", "trial": "t9"}], "t9, which was never proposed"),
        ([BEGUN, BEGUN], "line 2: another sweep, 'x', begins here"),
        ([{**BEGUN, "format": 99}], "has format 99, but this version of bertsweep reads up to 2"),
    ],
)
def test_events_that_cannot_be_are_named(
    tmp_path: Path, events: list[dict[str, Any]], said: str
) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(chained(*events))
    for reading in (ledger.load, Ledger):
        with pytest.raises(LedgerError, match=said):
            reading(path)


def test_a_field_of_a_later_version_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(chained({**BEGUN, "weather": "fine"}))
    assert ledger.load(path).name == "x"


def test_every_kind_of_event_is_documented_with_all_its_fields() -> None:
    text = (REPOSITORY / "docs" / "ledger.md").read_text()
    for kind, event in KINDS.items():
        section = text.partition(f"### `{kind}`")[2].partition("\n### ")[0]
        assert section, kind
        for field in fields(event):
            assert field.name in ("seq", "time", "trial") or f"`{field.name}`" in section, (
                kind,
                field,
            )


def test_a_ledger_of_the_first_format_is_read_and_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    shutil.copy(Path(__file__).parent / "format1.jsonl", path)
    state = ledger.load(path)
    assert [trial.status for trial in state.trials.values()] == [
        "finished",
        "finished",
        "stopped",
        "stopped",
    ]
    assert state.trials["t0000"].origin == "baseline"
    book = Ledger(path)
    book.append(SweepResumed(trials=9))
    propose(book, "t0099")
    assert ledger.load(path).trials["t0099"].status == "running"
    moved = lines_of(path)
    path.write_bytes(b"".join([*moved[:2], moved[3], moved[2], *moved[4:]]))
    with pytest.raises(LedgerError, match="line 3: event 3 stands where event 2"):
        ledger.load(path)


def test_a_subscriber_that_joins_late_is_told_how_everything_stands(book: Ledger) -> None:
    propose(book, "t0000")
    report(book, "t0000", 1, 0.5)
    seen: list[ledger.Update] = []
    book.subscribe(seen.append)
    sweep, trial = seen
    assert sweep.trial is None
    assert sweep.sweep.best is not None
    assert trial.trial is not None
    assert (trial.trial.value, trial.trial.status) == (0.5, "running")
    assert trial.event.kind == "recalled"


def test_a_snapshot_stays_as_it_is_and_cannot_be_changed(book: Ledger) -> None:
    seen: list[ledger.Update] = []
    book.subscribe(seen.append)
    propose(book, "t0000")
    report(book, "t0000", 1, 0.5)
    early = seen[-1].trial
    assert early is not None
    for number in range(2, 5):
        report(book, "t0000", number, number / 10)
    book.append(TrialFinished(trial="t0000"))
    assert (len(early.reports), early.status, early.value) == (1, "running", 0.5)
    assert [r["report"] for r in early.reports] == [1]
    assert early.reports.curve("val_f1") == [(1, 0.25, 0.5)]
    with pytest.raises(FrozenInstanceError):
        early.status = "finished"  # type: ignore[misc]
    with pytest.raises(TypeError, match="takes no more"):
        early.reports.append(seen[-2].event)  # type: ignore[arg-type]


def test_replaying_a_ledger_tells_what_a_live_one_told(tmp_path: Path) -> None:
    live: list[ledger.Update] = []
    book = Ledger(tmp_path / "ledger.jsonl", subscribers=[live.append])
    start(book)
    propose(book, "t0000")
    report(book, "t0000", 1, 0.5)
    book.append(TrialFinished(trial="t0000"))
    again: list[ledger.Update] = []
    ledger.replay(ledger.read(tmp_path / "ledger.jsonl"), again.append)
    assert again == live


def test_commands_time_is_added_up_without_the_pauses_between_them() -> None:
    story: list[tuple[float, ledger.Event]] = [
        (100, SweepStarted(sweep="x", name="x", objective=OBJECTIVE)),
        (160, SweepEnded(status="interrupted")),
        (9000, SweepResumed(trials=5)),
        (9030, SweepEnded(status="finished")),
    ]
    state = ledger.fold(replace(event, time=at) for at, event in story)
    assert state.active_seconds == 60 + 30
    assert state.bounds.trials == 5


def test_a_killed_commands_trials_are_not_running_after_a_resume(book: Ledger) -> None:
    propose(book, "t0000")
    report(book, "t0000", 1, 0.5)
    book.append(SweepResumed())
    trial = book.state.trials["t0000"]
    assert (trial.status, trial.started, trial.spent) == ("interrupted", None, 10.0)
    assert book.state.statuses == {"running": 0, "interrupted": 1}


@pytest.fixture
def no_flock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that knows no locks, as some mounted buckets."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)


def test_where_the_file_system_has_no_locks_a_file_beside_the_ledger_is_one(
    no_flock: None, tmp_path: Path
) -> None:
    path = tmp_path / "ledger.jsonl"
    book = Ledger(path)
    assert ledger.is_locked(path)
    with pytest.raises(InputError, match=rf"another bertsweep command.*process {os.getpid()}"):
        Ledger(path)
    book.close()
    assert not ledger.is_locked(path)
    Ledger(path).close()


def test_the_lock_file_of_a_dead_process_is_taken_over(no_flock: None, tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    path.with_name("ledger.jsonl.lock").write_text(f"{socket.gethostname()} {gone.pid}\n")
    path.touch()
    assert not ledger.is_locked(path)
    Ledger(path).close()
