"""Stops and crashes, in real processes: nothing that was done is lost, and the end is the same."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from bertsweep import ledger
from bertsweep.checkpoints import Checkpoint
from bertsweep.errors import EnvironmentFault, InputError, SweepNotFoundError
from bertsweep.ledger import Update
from bertsweep.ledger.events import SweepStarted, TrialProposed
from bertsweep.spec import load, parse
from bertsweep.sweep.run import resume, run
from tests.support import clisweeps
from tests.support.datafiles import questions, written
from tests.support.sweeps import (
    bertsweep,
    document,
    events,
    reported,
    scores,
    start,
    wait_for_reports,
    write_small,
)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("uninterrupted")
    done = bertsweep("run", str(write_small(folder)), "--storage", str(folder))
    assert done.returncode == 0, done.stderr
    return folder / "small"


def best_reports(sweep: Path) -> dict[str, int]:
    """The report of each trial's checkpoint, which the ledger names and which must be whole."""
    state = ledger.fold(events(sweep))
    found = {}
    for trial in state.trials.values():
        if trial.checkpoint is not None:
            checkpoint = Checkpoint.open(sweep / trial.checkpoint)
            checkpoint.verify()
            assert trial.best is not None
            assert checkpoint.record.report == trial.best["report"]
            assert dict(checkpoint.record.metrics)["val_loss"] == trial.best["metrics"]["val_loss"]
            found[trial.id] = checkpoint.record.report
    return found


@pytest.mark.slow
def test_ctrl_c_once_stops_cleanly_and_resume_ends_as_if_uninterrupted(
    tmp_path: Path, uninterrupted: Path
) -> None:
    log = tmp_path / "log"
    sweep = tmp_path / "small"
    process = start("run", str(write_small(tmp_path)), "--storage", str(tmp_path), log=log)
    wait_for_reports(sweep, "t0001", 3)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    said = log.read_text()
    assert "resume" in said
    assert "Traceback" not in said
    before = ledger.fold(events(sweep))
    assert before.status == "interrupted"
    assert before.trials["t0001"].status == ledger.INTERRUPTED
    assert set(best_reports(sweep)) == {"t0000", "t0001"}

    done = bertsweep("resume", str(sweep))
    assert done.returncode == 0, done.stderr
    after = ledger.fold(events(sweep))
    assert after.status == "finished"
    assert after.trials["t0001"].attempts == 2
    assert scores(sweep) == scores(uninterrupted)
    assert best_reports(sweep) == best_reports(uninterrupted)
    again = [e for e in reported(sweep) if e.trial == "t0000"]
    assert len(again) == len(before.trials["t0000"].reports), "a finished trial is not run again"


def test_only_a_sweep_that_is_there_and_that_nobody_writes_is_resumed(tmp_path: Path) -> None:
    with pytest.raises(SweepNotFoundError):
        resume(tmp_path / "small")
    assert not any(tmp_path.iterdir())
    with clisweeps.sweep(tmp_path), pytest.raises(InputError, match="another bertsweep command"):
        resume(tmp_path / "demo")


def test_a_resume_that_is_refused_leaves_the_ledger_to_others(tmp_path: Path) -> None:
    path = clisweeps.finished_sweep(tmp_path) / "ledger.jsonl"
    before = path.read_bytes()
    with pytest.raises(InputError):
        resume(tmp_path / "demo", bounds={"trials": 9})
    assert path.read_bytes() == before
    ledger.Ledger(path).close()


EARLIER = """
name: earlier
data: {source: rows.csv}
encoder: {source: "builtin:tiny"}
space: {dropout: [0.1, 0.5]}
"""


def test_a_sweep_of_an_earlier_version_keeps_its_positive_class(tmp_path: Path) -> None:
    frame = questions(60).assign(label=["fraud", "legit", "legit"] * 20)
    written(tmp_path, frame)
    spec = parse(EARLIER, source="earlier.yaml").to_plain()
    del spec["data"]["positive"], spec["objective"]["threshold"]
    # What the version before wrote of these rows, and an encoder that is not there any more: it is
    # looked at after the data.
    digest = "d604a99d15c4973b2a1a0aee3bee174fba240ebca4455386aae2cd4100cc19dd"
    book = ledger.Ledger(tmp_path / "earlier" / "ledger.jsonl")
    book.append(
        SweepStarted(
            sweep="ab",
            name="earlier",
            spec=spec,
            base=str(tmp_path),
            objective={"metric": "val_average_precision", "mode": "max"},
            data={"hash": digest, "labels": ["fraud", "legit"], "rows": {}, "notes": []},
            encoder={"hash": "another"},
        )
    )
    book.close()
    said: list[str] = []
    with pytest.raises(InputError, match=r"^encoder: the sweep earlier began with content another"):
        resume(tmp_path / "earlier", notify=said.append)
    assert "positive is 'legit' (40 of 60 rows, 66.7 %), as chosen (data.positive)." in said


@pytest.mark.slow
def test_what_failed_of_the_environment_ends_the_sweep_and_runs_again_when_resumed(
    tmp_path: Path, uninterrupted: Path
) -> None:
    sweep = tmp_path / "small"
    in_the_way = sweep / "trials" / "t0001"

    def block(update: Update) -> None:
        if isinstance(update.event, TrialProposed) and update.event.trial == "t0001":
            in_the_way.touch()  # a file where the trial's folder is to be

    spec = load(write_small(tmp_path))
    with pytest.raises(EnvironmentFault, match=r"(?s)cannot go on.*bertsweep resume") as stopped:
        run(spec, storage=tmp_path, base=tmp_path, subscribers=[block])
    assert "t0001" in str(stopped.value)
    before = ledger.fold(events(sweep))
    assert (before.status, before.trials["t0001"].fault) == ("interrupted", "environment")

    in_the_way.unlink()
    after = resume(sweep)
    assert after.status == "finished"
    assert [trial.status for trial in after.trials.values()] == ["finished"] * 3
    assert scores(sweep) == scores(uninterrupted), "the fault cost no trial of the budget"


@pytest.mark.slow
def test_a_killed_sweep_goes_on_within_its_trial(tmp_path: Path, uninterrupted: Path) -> None:
    log = tmp_path / "log"
    sweep = tmp_path / "small"
    process = start("run", str(write_small(tmp_path)), "--storage", str(tmp_path), log=log)
    wait_for_reports(sweep, "t0000", 6)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert document("show", str(sweep))["trials"][0]["status"] == "running"
    assert set(best_reports(sweep)) == {"t0000"}
    assert Path(document("best", str(sweep))["checkpoint"]).is_dir()

    done = bertsweep("resume", str(sweep))
    assert done.returncode == 0, done.stderr
    assert scores(sweep) == scores(uninterrupted)
    first = ledger.fold(events(sweep)).trials["t0000"]
    assert first.attempts == 2
    assert first.seconds > 0


@pytest.mark.slow
def test_where_nothing_is_left_to_train_nothing_is_started(tmp_path: Path) -> None:
    sweep = clisweeps.finished_sweep(tmp_path, "demo")
    before = (sweep / "ledger.jsonl").read_bytes()
    told: list[Update] = []
    # Its data and encoder are not there any more, and no Ray is.
    state = resume(sweep, address="127.0.0.1:1", subscribers=[told.append])
    assert state.status == ledger.FINISHED
    assert len(told) == 1 + len(state.trials)
    assert (sweep / "ledger.jsonl").read_bytes() == before


def test_a_finished_sweep_can_be_given_more_trials(uninterrupted: Path) -> None:
    before = scores(uninterrupted)
    done = bertsweep("resume", str(uninterrupted), "--trials", "4")
    assert done.returncode == 0, done.stderr
    after = scores(uninterrupted)
    assert {name: after[name] for name in before} == before
    assert len(after) == 4
