"""`ls`, `show` and `best`, over ledgers written by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bertsweep.ledger.events import SweepEnded, TrialFailed, TrialInterrupted
from tests.support import clisweeps
from tests.support.clisweeps import METRIC, cli


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    clisweeps.finished_sweep(tmp_path, "demo")
    return tmp_path


def test_ls_lists_every_sweep_with_status_count_and_best_value(storage: Path) -> None:
    with clisweeps.sweep(storage, "young") as ledger:
        clisweeps.propose(ledger, "t0000", {"dropout": 0.1}, origin="baseline")
        listed = cli("ls", "--storage", storage, "--json").json
    events = [one.pop("last_event") for one in listed]
    assert events == sorted(events)
    assert listed == [
        {
            "name": "demo",
            "path": str(storage / "demo"),
            "status": "finished",
            "trials": 4,
            "best": 0.75,
        },
        {
            "name": "young",
            "path": str(storage / "young"),
            "status": "running",
            "trials": 1,
            "best": None,
        },
    ]


def test_a_sweep_whose_command_was_killed_is_interrupted_not_running(tmp_path: Path) -> None:
    with clisweeps.sweep(tmp_path, "killed") as ledger:
        clisweeps.propose(ledger, "t0000", {"dropout": 0.1})
    # The ledger is closed and its lock gone, though no event says that the sweep ended.
    assert cli("ls", "--storage", tmp_path, "--json").json[0]["status"] == "interrupted"
    assert cli("show", "killed", "--storage", tmp_path, "--json").json["status"] == "interrupted"


def test_ls_of_nothing_is_an_empty_list_and_says_where_it_looked(tmp_path: Path) -> None:
    assert cli("ls", "--storage", tmp_path / "none", "--json").json == []
    assert str(tmp_path / "none") in cli("ls", "--storage", tmp_path / "none").out


def test_ls_goes_by_the_environment(storage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTSWEEP_STORAGE", str(storage))
    assert [sweep["name"] for sweep in cli("ls", "--json").json] == ["demo"]


def test_a_damaged_ledger_does_not_hide_the_other_sweeps(storage: Path) -> None:
    bad = storage / "bad" / "ledger.jsonl"
    bad.parent.mkdir()
    bad.write_text('{"event":"sweep_started"}\n')
    listed = {
        sweep["name"]: sweep["status"] for sweep in cli("ls", "--json", "--storage", storage).json
    }
    assert listed == {"bad": "damaged", "demo": "finished"}
    shown = cli("show", "bad", "--storage", storage)
    assert shown.code == 3
    assert "line 1" in shown.err
    assert "Traceback" not in shown.err


def test_show_tells_every_trial(storage: Path) -> None:
    document = cli("show", "demo", "--storage", storage, "--json").json
    assert document["name"] == "demo"
    assert document["status"] == "finished"
    assert document["positive"] == 1
    assert document["objective"] == {"metric": METRIC, "mode": "max", "threshold": "f1"}
    trials = {trial["id"]: trial for trial in document["trials"]}
    assert [trial["status"] for trial in document["trials"]] == [
        "finished",
        "stopped",
        "failed",
        "finished",
    ]
    best = trials["t0001"]
    assert best["metrics"][METRIC] == 0.75, "the metrics are those of the best report, not the last"
    assert [report["metrics"][METRIC] for report in best["reports"]] == [0.75, 0.7]
    assert best["seconds"] == 72.0
    assert best["gpu_hours"] == pytest.approx(0.01)
    assert best["error"] is None
    assert trials["t0002"]["error"] == "the loss became NaN at step 7"
    assert trials["t0002"]["metrics"] == {}
    assert [trial["threshold"] for trial in document["trials"]] == [0.25, 0.25, None, 0.25]


def test_an_interrupted_trial_is_shown_as_running(tmp_path: Path) -> None:
    with clisweeps.sweep(tmp_path) as ledger:
        clisweeps.propose(ledger, "t0000", {"dropout": 0.1})
        ledger.append(TrialInterrupted(trial="t0000"))
        ledger.append(SweepEnded(status="interrupted", reason="Ctrl-C"))
    document = cli("show", "demo", "--storage", tmp_path, "--json").json
    assert document["status"] == "interrupted"
    assert document["trials"][0]["status"] == "running"


def test_best_names_the_winner_and_the_baseline(storage: Path) -> None:
    document = cli("best", "demo", "--storage", storage, "--json").json
    assert document["sweep"] == "demo"
    assert document["trial"] == "t0001"
    assert document["params"]["learning_rate"] == 5e-5
    assert document["metrics"]["val_loss"] == 0.5
    objective = {"metric": METRIC, "mode": "max", "threshold": "f1", "value": 0.75}
    assert document["objective"] == objective
    assert (document["positive"], document["threshold"]) == (1, 0.25)
    assert document["checkpoint"] == str(storage / "demo" / "trials" / "t0001" / "best-0001")
    assert document["baseline"]["trial"] == "t0000"
    assert document["baseline"]["objective"]["value"] == 0.5
    assert document["baseline"]["checkpoint"].endswith("t0000/best-0001")


def test_best_and_show_say_how_labels_are_made(storage: Path) -> None:
    best, show = (cli(verb, "demo", "--storage", storage).out for verb in ("best", "show"))
    assert "positive: 1, from a probability of 0.25 (best F1 on the validation rows)" in best
    assert "positive: 1, by the threshold of best F1 on the validation rows" in show


@pytest.mark.parametrize(
    ("labels", "rule", "threshold", "line"),
    [
        (["ham", "spam"], 0.5, 0.5, "positive: spam, from a probability of 0.5\n"),
        ([1, 0], None, None, "positive: 0\n"),  # of an earlier version
        (["a", "b", "c"], None, None, None),
    ],
)
def test_what_is_not_known_of_labels_is_not_said(
    tmp_path: Path, labels: list[object], rule: float | None, threshold: float | None, line: object
) -> None:
    with clisweeps.sweep(tmp_path, labels=labels, rule=rule) as ledger:
        clisweeps.propose(ledger, "t0000", {"dropout": 0.1})
        clisweeps.report(ledger, "t0000", 1, 0.4)
        clisweeps.checkpoint(ledger, tmp_path / "demo", "t0000", threshold=threshold)
    for verb in ("best", "show"):
        out = cli(verb, "demo", "--storage", tmp_path).out
        assert "positive" not in out if line is None else str(line) in out
    document = cli("best", "demo", "--storage", tmp_path, "--json").json
    assert document["positive"] == (None if line is None else labels[1])
    assert (document["objective"]["threshold"], document["threshold"]) == (rule, threshold)


def test_best_of_a_minimised_metric_is_the_least(tmp_path: Path) -> None:
    clisweeps.finished_sweep(tmp_path, mode="min")
    document = cli("best", "demo", "--storage", tmp_path, "--json").json
    assert (document["trial"], document["objective"]["value"]) == ("t0000", 0.4)


def test_best_takes_a_folder_as_well_as_a_name(storage: Path) -> None:
    assert cli("best", storage / "demo", "--json").json["trial"] == "t0001"


def test_best_without_a_usable_trial_exits_1_and_says_why(tmp_path: Path) -> None:
    with clisweeps.sweep(tmp_path) as ledger:
        clisweeps.propose(ledger, "t0000", {"dropout": 0.1}, origin="baseline")
        ledger.append(TrialFailed(trial="t0000", error="out of memory"))
    done = cli("best", "demo", "--storage", tmp_path)
    assert done.code == 1
    assert "out of memory" in done.err
    assert done.out == ""


def test_tables_name_trials_values_and_only_the_parameters_that_differ(storage: Path) -> None:
    shown = cli("show", "demo", "--storage", storage).out
    assert "t0000 (baseline)" in shown
    assert "learning_rate 5e-05" in shown
    assert "batch_size" not in shown
    assert "t0002 failed: the loss became NaN at step 7" in shown
    best = cli("best", "demo", "--storage", storage).out
    assert "best: t0001" in best
    assert "baseline: t0000" in best
    assert "trials/t0001/best-0001" in best
    listed = cli("ls", "--storage", storage).out
    assert "0.7500" in listed


@pytest.mark.parametrize("verb", ["show", "best", "predict", "resume"])
def test_an_unknown_sweep_exits_2_and_names_the_nearest(storage: Path, verb: str) -> None:
    more = ["a text"] if verb == "predict" else []
    done = cli(verb, "demoo", *more, "--storage", storage)
    assert done.code == 2
    assert "Did you mean demo?" in done.err
    assert "Traceback" not in done.err


def test_json_has_null_for_numbers_that_are_not_finite(tmp_path: Path) -> None:
    with clisweeps.sweep(tmp_path) as ledger:
        clisweeps.propose(ledger, "t0000", {"dropout": 0.1}, origin="baseline")
        clisweeps.report(ledger, "t0000", 1, 0.5, val_roc_auc=float("nan"))
    out = cli("show", "demo", "--storage", tmp_path, "--json").out
    assert "NaN" not in out
    assert json.loads(out)["trials"][0]["metrics"]["val_roc_auc"] is None


@pytest.mark.parametrize("arguments", [["--help"], ["ls"], ["show", "demo"], ["best", "demo"]])
def test_reading_a_sweep_loads_neither_ray_nor_tensorflow(
    storage: Path, arguments: list[str]
) -> None:
    code = (
        "import sys; from bertsweep.cli import main; code = main(sys.argv[1:]);"
        "heavy = {'ray', 'tensorflow', 'tf_keras', 'wandb', 'optuna', 'pandas', 'sklearn'};"
        "heavy &= set(sys.modules);"
        "sys.exit(code or (', '.join(heavy) or 0))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env={**_environment(), "BERTSWEEP_STORAGE": str(storage)},
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _environment() -> dict[str, str]:
    import os

    return dict(os.environ)
