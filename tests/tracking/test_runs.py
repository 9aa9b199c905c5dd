"""What the W&B files of a sweep hold, read back from disk."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bertsweep.data import Dataset, Note, statistics
from bertsweep.ledger import Event, Ledger, TrialSnapshot, Update, read, replay
from bertsweep.ledger.events import (
    CheckpointSaved,
    ComputeChosen,
    SweepEnded,
    SweepResumed,
    TrialFailed,
    TrialFinished,
    TrialInterrupted,
    TrialStopped,
)
from bertsweep.tracking import login_source, settled_mode
from bertsweep.tracking.data import DataRun
from bertsweep.tracking.overview import SweepRun
from tests.support import wandbfile
from tests.support.trackedsweep import GROUP, UID, begin, propose, report, run_trial, start, tracker


@pytest.fixture(autouse=True)
def _no_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "IDENTITY_TOKEN_FILE", "MODE", "BASE_URL", "SILENT"):
        monkeypatch.delenv(f"WANDB_{name}", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path / "config"))


def one_run(folder: Path, run_id: str) -> Path:
    (path,) = (path for path in wandbfile.run_files(folder) if path.name == f"run-{run_id}.wandb")
    return path


def test_every_trial_is_a_run_with_its_whole_history(tmp_path: Path) -> None:
    warnings: list[str] = []
    tracking = tracker(tmp_path, warnings=warnings)
    ledger = Ledger(tmp_path / "ledger.jsonl", subscribers=[tracking.handle])
    begin(ledger)
    for trial, value in (("t0000", 0.5), ("t0001", 0.7)):
        run_trial(ledger, trial, [value, value + 0.1, value - 0.1])
        ledger.append(TrialFinished(trial=trial))
    ledger.append(SweepEnded(status="finished", reason=None))
    tracking.close()

    assert warnings == []
    assert len(wandbfile.run_files(tmp_path)) == 3
    path = one_run(tmp_path, f"{UID}-t0001")
    rows = wandbfile.history(path)
    assert [row["_step"] for row in rows] == [1, 2, 3]
    assert [row["epoch"] for row in rows] == [0.25, 0.5, 0.75]
    assert [row["examples"] for row in rows] == [100, 200, 300]
    assert [row["val_f1"] for row in rows] == pytest.approx([0.7, 0.8, 0.6])
    assert [row["system/memory_mb"] for row in rows] == [401, 402, 403]

    info = wandbfile.run_info(path)
    wanted = {"project": "tests", "group": GROUP, "job_type": "train", "run_id": f"{UID}-t0001"}
    assert {key: info[key] for key in wanted} == wanted
    assert info["config"] == {
        "learning_rate": 1e-5,
        "batch_size": 32,
        "optimizer": "adam",
        "seed": 7,
        "origin": "sampler",
        "sweep": GROUP,
        "trial": "t0001",
        "positive": 1,
        "threshold_rule": "f1",
        "data_hash": "data-hash",
        "encoder_hash": "encoder-hash",
    }
    assert info["axes"]["val_*"] == "epoch"
    assert info["axes"]["system/*"] == "examples"
    assert info["exit_code"] == 0


def test_all_trials_stand_in_one_table_with_their_hyperparameters(tmp_path: Path) -> None:
    warnings: list[str] = []
    tracking = tracker(tmp_path, warnings=warnings)
    ledger = Ledger(tmp_path / "ledger.jsonl", subscribers=[tracking.handle])
    begin(ledger)
    propose(ledger, "t0000", origin="baseline")
    start(ledger, "t0000")
    for number, value in enumerate((0.5, 0.6), start=1):
        report(ledger, "t0000", number, f1=value)
    ledger.append(TrialFinished(trial="t0000"))
    params = {"learning_rate": 2e-5, "batch_size": 16, "trainable_layers": "all"}
    propose(ledger, "t0001", params=params)
    start(ledger, "t0001")
    report(ledger, "t0001", 1, f1=0.7)
    ledger.append(TrialStopped(trial="t0001", reason="rung 1"))
    propose(ledger, "t0002", params={**params, "trainable_layers": 2})
    ledger.append(TrialFailed(trial="t0002", error="no memory"))
    ledger.append(SweepEnded(status="interrupted", reason="Ctrl-C"))
    tracking.close()
    ledger.close()

    # Another command goes on, and ends the sweep.
    tracking = tracker(tmp_path, warnings=warnings)
    ledger = Ledger(tmp_path / "ledger.jsonl", subscribers=[tracking.handle])
    ledger.append(SweepResumed())
    propose(ledger, "t0001-r1", params=params, origin="repeat", repeats="t0001", split=5)
    start(ledger, "t0001-r1")
    report(ledger, "t0001-r1", 1, f1=0.8)
    ledger.append(TrialFinished(trial="t0001-r1"))
    ledger.append(SweepEnded(status="finished"))
    tracking.close()

    assert warnings == []
    paths = [path for path in wandbfile.run_files(tmp_path) if path.stem.endswith("-sweep")]
    first, second = map(wandbfile.run_info, paths)
    assert first["run_id"] == second["run_id"] == f"{UID}-sweep"
    assert (second["job_type"], second["name"]) == ("sweep", f"{GROUP}-sweep")
    assert (first["summary"]["status"], second["summary"]["status"]) == ("interrupted", "finished")
    summary = {"trials": 3, "trials_stopped": 1, "best_trial": "t0001", "baseline_value": 0.6}
    assert {name: second["summary"][name] for name in summary} == summary
    # A later table of the same run comes after the earlier one, or W&B would pass over it.
    steps = [wandbfile.history(path)[0]["_step"] for path in paths]
    assert steps == [3, 4]

    table = second["tables"]["trials"]
    assert table == first["tables"]["trials"]
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]
    assert [row["state"] for row in rows] == ["finished", "stopped", "failed"]
    assert [row["val_f1"] for row in rows] == [0.6, 0.7, None]
    assert [row["best_epoch"] for row in rows] == [0.5, 0.25, None]
    assert [row["epochs_trained"] for row in rows] == [0.5, 0.25, 0]
    assert [row["seconds"] for row in rows] == [3.0, 1.5, 0]
    assert [row["learning_rate"] for row in rows] == [1e-5, 2e-5, 2e-5]
    assert [row["optimizer"] for row in rows] == ["adam", None, None]
    assert [row["trainable_layers"] for row in rows] == [None, "all", "2"]
    assert [row["reason"] for row in rows] == [None, "rung 1", "no memory"]
    repeats = second["tables"]["repeats"]
    (repeat,) = [dict(zip(repeats["columns"], row, strict=True)) for row in repeats["data"]]
    assert (repeat["trial"], repeat["repeats"], repeat["split"]) == ("t0001-r1", "t0001", 5)


def test_of_several_objectives_the_table_has_all_and_the_summary_the_front(tmp_path: Path) -> None:
    import wandb

    ledger = Ledger(tmp_path / "ledger.jsonl")
    begin(ledger, further=[{"metric": "val_loss", "mode": "min"}], prefer="knee")
    for trial, values in (("t0000", [0.5, 0.6]), ("t0001", [0.7, 0.6]), ("t0002", [0.6])):
        run_trial(ledger, trial, values)  # the loss is 1 at the first report, then 1/2
        ledger.append(TrialFinished(trial=trial))
    ledger.close()
    trials = [TrialSnapshot.of(trial) for trial in ledger.state.trials.values()]
    run = SweepRun(ledger.state.snapshot(), trials)
    assert run.settings.config["further"] == [{"metric": "val_loss", "mode": "min"}]
    assert run.settings.config["prefer"] == "knee"
    summary = run.summary()
    assert summary["front"] == ["t0001", "t0000"]
    assert summary["picked_trial"] == "t0001"
    table = run.charts(wandb)["trials"]
    assert table.get_column("val_loss") == [0.5, 1.0, 1.0]


@pytest.mark.parametrize(("metric", "mode", "best"), [("val_f1", "max", 2), ("val_loss", "min", 4)])
def test_the_summary_is_the_best_moment_by_the_objective(
    tmp_path: Path, metric: str, mode: str, best: int
) -> None:
    warnings: list[str] = []
    tracking = tracker(tmp_path, warnings=warnings)
    ledger = Ledger(tmp_path / "ledger.jsonl", subscribers=[tracking.handle])
    begin(ledger, metric=metric, mode=mode)
    ledger.append(ComputeChosen(compute={"precision": "mixed_bfloat16", "jit": False}))
    run_trial(ledger, "t0000", [0.5, 0.9, None, 0.4])
    ledger.append(CheckpointSaved(trial="t0000", report=best, path="x", threshold=0.31))
    ledger.append(TrialStopped(trial="t0000", reason="rung 2 of asha"))
    tracking.close()

    path = one_run(tmp_path, f"{UID}-t0000")
    summary = wandbfile.run_info(path)["summary"]
    moment = ledger.state.trials["t0000"].reports[best - 1]
    assert summary["status"] == "stopped"
    assert summary["reason"] == "rung 2 of asha"
    assert (summary["precision"], summary["jit"]) == ("mixed_bfloat16", False)
    assert summary["best_value"] == moment["metrics"][metric]
    assert summary["threshold"] == 0.31
    assert (summary["best_epoch"], summary["best_report"]) == (moment["epoch"], best)
    assert {name: summary[name] for name in moment["metrics"]} == pytest.approx(moment["metrics"])
    assert "val_f1" not in wandbfile.history(path)[2]  # it was not finite


@pytest.mark.parametrize(
    ("event", "status", "exit_code"),
    [
        (TrialFailed(trial="t0000", error="the loss is not finite"), "failed", 1),
        (TrialInterrupted(trial="t0000"), "interrupted", 255),
        (None, "interrupted", 255),
    ],
)
def test_how_a_trial_ended_is_how_its_run_ended(
    tmp_path: Path, event: Event | None, status: str, exit_code: int
) -> None:
    tracking = tracker(tmp_path, warnings=[])
    ledger = Ledger(tmp_path / "ledger.jsonl", subscribers=[tracking.handle])
    begin(ledger)
    run_trial(ledger, "t0000", [0.5])
    if event:
        ledger.append(event)
    tracking.close()
    info = wandbfile.run_info(one_run(tmp_path, f"{UID}-t0000"))
    assert (info["summary"]["status"], info["exit_code"]) == (status, exit_code)
    assert info["summary"]["best_value"] == 0.5


def test_a_trial_that_failed_before_it_started_has_a_run_too(tmp_path: Path) -> None:
    tracking = tracker(tmp_path, warnings=[])
    ledger = Ledger(tmp_path / "ledger.jsonl", subscribers=[tracking.handle])
    begin(ledger)
    propose(ledger, "t0000")
    propose(ledger, "t0001")
    ledger.append(TrialFailed(trial="t0000", error="no memory"))
    ledger.append(TrialInterrupted(trial="t0001"))
    tracking.close()
    (path,) = wandbfile.run_files(tmp_path)
    assert wandbfile.run_info(path)["summary"] == {"status": "failed", "reason": "no memory"}


def test_a_retried_trial_stays_in_its_run_and_repeats_nothing(tmp_path: Path) -> None:
    warnings: list[str] = []
    tracking = tracker(tmp_path, warnings=warnings)
    ledger = Ledger(tmp_path / "ledger.jsonl", subscribers=[tracking.handle])
    begin(ledger)
    run_trial(ledger, "t0000", [0.5, 0.6, 0.7])
    start(ledger, "t0000", attempt=2)
    for number, value in ((2, 0.6), (3, 0.7), (4, 0.8)):
        report(ledger, "t0000", number, f1=value)
    ledger.append(TrialFinished(trial="t0000"))
    tracking.close()
    rows = wandbfile.history(one_run(tmp_path, f"{UID}-t0000"))
    assert [row["_step"] for row in rows] == [1, 2, 3, 4]
    assert warnings == []


def test_a_resumed_sweep_goes_on_in_the_same_run(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    first = tracker(tmp_path, warnings=[])
    ledger = Ledger(path, subscribers=[first.handle])
    begin(ledger)
    run_trial(ledger, "t0000", [0.5, 0.9])
    ledger.append(TrialInterrupted(trial="t0000"))
    ledger.append(SweepEnded(status="interrupted", reason="Ctrl-C"))
    first.close()
    ledger.close()

    warnings: list[str] = []
    second = tracker(tmp_path, warnings=warnings)
    ledger = Ledger(path, subscribers=[second.handle])
    ledger.append(SweepResumed())
    start(ledger, "t0000", attempt=2)
    report(ledger, "t0000", 3, f1=0.7)
    ledger.append(TrialFinished(trial="t0000"))
    second.close()

    before, after = [path for path in wandbfile.run_files(tmp_path) if path.stem.endswith("t0000")]
    assert before != after
    assert [row["_step"] for row in wandbfile.history(before)] == [1, 2]
    assert [row["_step"] for row in wandbfile.history(after)] == [3]
    info = wandbfile.run_info(after)
    assert info["run_id"] == wandbfile.run_info(before)["run_id"]
    assert info["config"] == wandbfile.run_info(before)["config"]
    assert info["summary"]["best_value"] == 0.9
    assert info["summary"]["status"] == "finished"
    assert warnings == []


def test_a_run_is_closed_when_its_trial_ends(tmp_path: Path) -> None:
    tracking = tracker(tmp_path, warnings=[])
    ledger = Ledger(tmp_path / "ledger.jsonl", subscribers=[tracking.handle])
    begin(ledger)
    run_trial(ledger, "t0000", [0.5])
    ledger.append(TrialFinished(trial="t0000"))
    deadline = time.monotonic() + 30
    while not _ended(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _ended(tmp_path)
    tracking.close()


def _ended(folder: Path) -> bool:
    paths = wandbfile.run_files(folder)
    return bool(paths) and wandbfile.run_info(paths[0])["exit_code"] == 0


def test_handing_over_costs_the_sweep_next_to_nothing(tmp_path: Path) -> None:
    tracking = tracker(tmp_path, warnings=[])
    ledger = Ledger(tmp_path / "ledger.jsonl")
    begin(ledger)
    run_trial(ledger, "t0000", [0.5] * 200)
    updates: list[Update] = []
    replay(read(tmp_path / "ledger.jsonl"), updates.append)
    begun = time.perf_counter()
    for update in updates:
        tracking.handle(update)
    handed = time.perf_counter() - begun
    tracking.close()
    assert handed < (time.perf_counter() - begun) / 2, "the writing happens elsewhere"
    assert len(wandbfile.history(one_run(tmp_path, f"{UID}-t0000"))) == 200


def questions() -> Dataset:
    rows = {"text": ["why is it so", "how", "who did that"], "label": [0, 1, 1]}
    splits = {name: pd.DataFrame(rows) for name in ("train", "validation", "test")}
    notes = (Note(kind="empty", count=2, message="2 rows without text were dropped"),)
    return Dataset(splits=splits, labels=("sincere", "insincere"), hash="data-hash", notes=notes)


def data_run(ledger: Ledger, dataset: Dataset, sample: list[Any]) -> DataRun:
    started = ledger.state.started
    return DataRun(started, statistics(dataset), sample, dataset.labels, dataset.notes)


def test_the_data_run_shows_sample_rows_labels_and_lengths(tmp_path: Path) -> None:
    warnings: list[str] = []
    tracking = tracker(tmp_path, warnings=warnings)
    ledger = Ledger(tmp_path / "ledger.jsonl", subscribers=[tracking.handle])
    begin(ledger)
    dataset = questions()
    sample = [{"split": "train", **row} for row in dataset.splits["train"].to_dict("records")]
    tracking.write(data_run(ledger, dataset, sample))
    tracking.close()

    assert warnings == []
    info = wandbfile.run_info(one_run(tmp_path, f"{UID}-data"))
    assert (info["job_type"], info["group"]) == ("data", GROUP)
    assert info["config"]["data_hash"] == "data-hash"
    assert info["config"]["positive"] == "insincere"
    tables: dict[str, Any] = info["tables"]
    assert tables["data/sample"]["columns"] == ["split", "text", "label"]
    assert tables["data/sample"]["data"][0] == ["train", "why is it so", "sincere"]
    assert ["validation", "insincere", 2, pytest.approx(2 / 3)] in tables["data/labels"]["data"]
    assert tables["data/notes"]["data"] == [["empty", 2, "2 rows without text were dropped"]]
    lengths = tables["data/words"]
    assert lengths["columns"] == ["split", "from", "below", "rows"]
    assert sum(row[3] for row in lengths["data"] if row[0] == "train") == 3
    assert {"data/labels_train", "data/words_plot", "data/characters_plot"} <= set(info["plots"])


def test_without_sample_rows_no_text_is_written(tmp_path: Path) -> None:
    tracking = tracker(tmp_path, warnings=[])
    ledger = Ledger(tmp_path / "ledger.jsonl", subscribers=[tracking.handle])
    begin(ledger)
    dataset = questions()
    tracking.write(data_run(ledger, dataset, []))
    tracking.close()
    assert "data/sample" not in wandbfile.run_info(one_run(tmp_path, f"{UID}-data"))["tables"]
    written = [path.read_bytes() for path in (tmp_path / "wandb").rglob("*") if path.is_file()]
    assert not any(b"why is it so" in data for data in written)


def test_a_disabled_tracker_imports_and_writes_nothing(tmp_path: Path) -> None:
    code = """
import sys, threading
from pathlib import Path
from bertsweep.ledger import replay
from bertsweep.ledger.events import SweepStarted
from bertsweep.tracking import WandbTracker
from bertsweep.tracking.data import DataRun
folder = Path(sys.argv[1])
options = {"project": "p", "entity": None, "group": "g", "folder": folder, "warn": print}
tracker = WandbTracker(mode="disabled", **options)
started = SweepStarted(sweep="x", name="x", objective={"metric": "m", "mode": "max"})
replay([started], tracker.handle)
tracker.write(DataRun(started, {}, [], [], []))
tracker.promise("save", folder="x")
tracker.close()
print("wandb" in sys.modules, threading.active_count(), list(folder.iterdir()))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False 1 []\n"


def test_making_a_tracker_does_not_wait_for_wandb(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from bertsweep.tracking import WandbTracker
options = {"project": "p", "entity": None, "group": "g", "warn": print}
WandbTracker(mode="offline", folder=Path(sys.argv[1]), **options)
print([name for name in ("wandb", "pandas", "numpy", "pydantic") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_auto_is_online_with_a_login_and_offline_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (settled_mode("auto"), login_source()) == ("offline", None)
    netrc = tmp_path / "netrc"
    netrc.write_text("machine elsewhere.example login user password secret\n")
    assert settled_mode("auto") == "offline"
    netrc.write_text("machine api.wandb.ai login user password secret\n")
    assert (settled_mode("auto"), login_source()) == ("online", str(netrc))
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example:8080")
    assert settled_mode("auto") == "offline"
    netrc.write_text("machine wandb.example:8080 login user password secret\n")
    assert settled_mode("auto") == "online"
    monkeypatch.setenv("WANDB_API_KEY", "secret")
    assert login_source() == "WANDB_API_KEY"
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert (settled_mode("auto"), settled_mode("online")) == ("offline", "online")
    assert settled_mode("disabled") == "disabled"


def test_a_self_hosted_login_counts_for_its_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").mkdir()
    settings = "[default]\nbase_url = https://wandb.example\n"
    (tmp_path / "config" / "settings").write_text(settings)
    (tmp_path / "netrc").write_text("machine wandb.example login user password secret\n")
    assert settled_mode("auto") == "online"
