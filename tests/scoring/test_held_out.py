"""The test split is read once, on record, through kills and Ctrl-C, and W&B shows what was found.

One sweep of two trained trials goes through it all: a killed reading, its completion, a second one.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sklearn import metrics as sk

import bertsweep
from bertsweep import checkpoints, ledger
from bertsweep.errors import InputError, InterruptedSweep
from bertsweep.evaluation import Aim, Answers, temperature_for
from bertsweep.ledger import Ledger, Update, events
from bertsweep.paths import SweepPaths
from bertsweep.predict import Predictor
from bertsweep.tracking.owed import Owed
from tests.cli.test_json import example, shape
from tests.support import trainedsweep, wandbfile
from tests.support.clisweeps import Done, cli
from tests.support.trials import small_prepared

KILLED = """
import os, signal, sys
import bertsweep

def die(update):
    if update.event.kind == "test_opened":
        os.kill(os.getpid(), signal.SIGKILL)

bertsweep.evaluate(sys.argv[1], subscribers=[die])
"""


@pytest.fixture(scope="module")
def killed(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sweep after a reading that was killed when it stood in the ledger."""
    folder = tmp_path_factory.mktemp("killed") / "small"
    shutil.copytree(trained, folder)
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder)], capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    return folder


@pytest.fixture(scope="module")
def before(killed: Path) -> tuple[list[ledger.Event], Any]:
    """The events, and what `best` says, after the kill."""
    return ledger.read(killed / "ledger.jsonl"), cli("best", killed, "--json").json


@pytest.fixture(scope="module")
def completed(killed: Path, before: Any) -> Done:
    return cli("evaluate", killed, "--json")


@pytest.fixture(scope="module")
def refused(killed: Path, completed: Done) -> Done:
    """The command after one that was killed when the scores stood in the ledger and not in W&B."""
    for path in wandbfile.run_files(killed):
        shutil.rmtree(path.parent)
    Owed(SweepPaths(killed).owed).note("evaluate-1", {"reading": 1})
    return cli("evaluate", killed)


@pytest.fixture(scope="module")
def again(killed: Path, refused: Done) -> Done:
    return cli("evaluate", killed, "--again", "--aim", "cost=fp:1,fn:5")


def readings(folder: Path) -> list[ledger.Reading]:
    return ledger.load(folder / "ledger.jsonl").tests


def test_a_kill_leaves_an_opened_reading_and_no_scores(before: Any) -> None:
    told, best = before
    opened = told[-1]
    assert isinstance(opened, events.TestOpened)
    assert (opened.trial, opened.again, opened.aim) == ("t0001", False, None)
    assert opened.baseline is not None
    assert opened.baseline["trial"] == "t0000"
    assert best["test"] is None


def test_threshold_and_temperature_are_those_of_the_validation_rows(
    killed: Path, before: Any
) -> None:
    opened = before[0][-1]
    folder = killed / opened.path
    kept = checkpoints.read_predictions(folder.parent, folder.name)
    assert kept is not None
    said = Answers(kept.probabilities, opened.threshold)
    assert opened.temperature == temperature_for(kept.labels, said)
    assert opened.threshold == checkpoints.Checkpoint.open(folder).record.threshold


def test_the_killed_reading_is_completed_and_counts_once(killed: Path, completed: Done) -> None:
    assert completed.code == 0, completed.err
    assert "completed as it was begun" in completed.err
    assert (completed.json["opened"], completed.json["again"]) == (1, False)
    told = [event.kind for event in ledger.read(killed / "ledger.jsonl")]
    assert told.count("test_opened") == told.count("test_scored") or told.count("test_opened") == 2
    assert readings(killed)[0].result is not None


def test_its_scores_are_those_of_the_test_rows(killed: Path, completed: Done) -> None:
    found = completed.json
    rows = small_prepared(*trainedsweep.OVERRIDES).dataset.splits["test"]
    predictor = Predictor.open(Path(found["checkpoint"]))
    said = predictor.predict(rows["text"].tolist())
    assert predictor.raw(["Who " * 60])[1][0] > 60, "lengths are not cut to max_seq_length"
    probabilities = [one.probabilities[1] for one in said]
    labels = rows["label"].to_numpy()
    given = [one.label for one in said]
    metrics = found["metrics"]
    assert found["rows"] == len(rows) == 120
    assert metrics["average_precision"] == pytest.approx(
        sk.average_precision_score(labels, probabilities)
    )
    assert metrics["f1_at_threshold"] == pytest.approx(sk.f1_score(labels, given))
    assert found["confusion"] == sk.confusion_matrix(labels, given).tolist()
    interval = found["intervals"]["average_precision"]
    assert interval["low"] < metrics["average_precision"] < interval["high"]
    beside = found["against_baseline"]
    assert beside["trial"] == "t0000"
    assert beside["differences"]["average_precision"]["value"] == pytest.approx(
        metrics["average_precision"] - beside["metrics"]["average_precision"]
    )


def test_the_document_is_as_described(completed: Done) -> None:
    described = example("evaluate")
    assert completed.json.keys() == described.keys()
    for key in described.keys() - {"metrics", "intervals", "slices", "against_baseline"}:
        assert shape(completed.json[key]) == shape(described[key]), key
    assert (
        described["metrics"].items()
        <= {
            name: described["metrics"].get(name, value)
            for name, value in completed.json["metrics"].items()
        }.items()
    )
    for by, slices in described["slices"].items():
        assert shape(slices) == shape(completed.json["slices"][by] or slices)
    assert described["against_baseline"].keys() == completed.json["against_baseline"].keys()


def test_a_second_reading_needs_again_and_reads_nothing_without(
    killed: Path, refused: Done
) -> None:
    assert refused.code == 2
    assert "--again" in refused.err
    assert "reading 1 of the test split is not in W&B, since it was cut off" in refused.out
    assert Owed(SweepPaths(killed).owed).all() == {}


def test_a_second_reading_is_shown_as_such_ever_after(killed: Path, again: Done) -> None:
    assert again.code == 0, again.err
    assert "warning: this is reading 2 of the test split" in again.out
    first, second = readings(killed)
    assert (first.opened.again, second.opened.again) == (False, True)
    for verb in ("best", "show"):
        assert "read 2 times" in cli(verb, killed).out
        assert "reading 2" in cli(verb, killed).out
    test = cli("best", killed, "--json").json["test"]
    assert (test["opened"], test["again"], test["aim"]) == (2, True, "cost=fp:1,fn:5")
    assert shape(test) == shape({**example("best")["test"], **measured(test)})


def measured(test: Any) -> Any:
    """What an example shortens."""
    return {key: test[key] for key in ("metrics", "intervals", "against_baseline", "aim")}


def test_an_aim_moves_the_thresholds_of_winner_and_baseline(killed: Path, again: Done) -> None:
    opened = readings(killed)[1].opened
    aim = Aim.parse("cost=fp:1,fn:5")
    assert opened.baseline is not None
    for path, threshold in (
        (opened.path, opened.threshold),
        (opened.baseline["path"], opened.baseline["threshold"]),
    ):
        kept = checkpoints.read_predictions((killed / path).parent, Path(path).name)
        assert kept is not None
        assert threshold == aim.threshold(kept.labels, kept.probabilities)


def test_every_reading_is_a_wandb_run_with_curves_and_errors(
    killed: Path, completed: Done, again: Done
) -> None:
    infos = [wandbfile.run_info(path) for path in wandbfile.run_files(killed)]
    first, second = [info for info in infos if info["job_type"] == "evaluate"]
    assert (first["run_id"], second["run_id"]) == ("5eed-evaluate", "5eed-evaluate-2")
    assert (first["group"], first["exit_code"]) == ("small", 0)
    assert (first["config"]["trial"], first["config"]["again"]) == ("t0001", False)
    found = completed.json
    for name, value in found["metrics"].items():
        assert first["summary"].get(f"test_{name}") == pytest.approx(value), name
    assert first["summary"]["verdict"] == found["against_baseline"]["verdict"]
    assert (first["summary"]["opened"], second["summary"]["opened"]) == (1, 2)
    assert {
        *("test/confusion", "test/precision_recall", "test/roc", "test/reliability_plot")
    } <= set(first["plots"])
    errors = first["tables"]["test/errors"]
    assert errors["columns"] == ["text", "label", "predicted", "probability"]
    (_, wrong), (missed, _) = found["confusion"]
    assert len(errors["data"]) == wrong + missed
    assert all(label != predicted for _, label, predicted, _ in errors["data"])
    sure = [row[3] for row in errors["data"]]
    assert sure == sorted(sure, reverse=True)
    bins = first["tables"]["test/reliability"]
    assert len(bins["data"]) == len(found["calibration"]["reliability"])


def test_ctrl_c_says_how_to_go_on_and_counts_once(trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    shutil.copytree(trained, folder)

    def press(update: Update) -> None:
        if update.event.kind == "test_opened":
            raise KeyboardInterrupt

    with pytest.raises(InterruptedSweep, match=f"evaluate {folder}` completes") as stopped:
        bertsweep.evaluate(folder, subscribers=[press])
    assert stopped.value.exit_code == 130
    (reading,) = readings(folder)
    assert reading.result is None
    with pytest.raises(InputError, match="has to be completed first"):
        bertsweep.evaluate(folder, aim="f1")
    shutil.rmtree(folder / reading.opened.path)
    with pytest.raises(InputError, match="gone since"):
        bertsweep.evaluate(folder)


def test_a_sweep_that_is_being_written_or_whose_data_changed_is_refused(
    trained: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "small"
    shutil.copytree(trained, folder)
    book = Ledger(folder / "ledger.jsonl")
    with pytest.raises(InputError, match="another bertsweep command"):
        bertsweep.evaluate(folder)
    book.close()
    started = book.state.started
    spec = {**started.spec, "data": {**started.spec["data"], "limit": 400}}
    other = Ledger(tmp_path / "other" / "ledger.jsonl")
    other.append(
        events.SweepStarted(
            sweep="x", name="other", objective=started.objective, spec=spec, data=started.data
        )
    )
    other.close()
    with pytest.raises(InputError, match=r"^data: the sweep other began with content"):
        bertsweep.evaluate(tmp_path / "other")
    assert not readings(tmp_path / "other")
