"""The W&B run of a reading of the test split, read back from disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bertsweep.evaluation import Answers, Rows, assess
from bertsweep.ledger import Ledger, events
from bertsweep.tracking.evaluation import ERROR_ROWS, EvaluationRun
from tests.support import wandbfile
from tests.support.trackedsweep import UID, begin, tracker

LABELS = np.array([0, 2] * 300)  # no row is of class 1


def run(ledger: Ledger, *, sample_rows: int) -> EvaluationRun:
    """A reading of 600 rows of three classes, every third of which is labelled wrongly."""
    ledger.append(events.TestOpened(trial="t0001", path="trials/t0001/best-0001", temperature=1.5))
    ledger.append(events.TestScored(result={}))
    right = np.arange(600) % 3 > 0
    given = np.where(right, LABELS, 1)
    sure = 0.5 + np.arange(600) / 1500
    each = np.full((600, 3), 0.0)
    each[np.arange(600), given] = sure
    each[np.arange(600), (given + 1) % 3] = 1 - sure
    texts = [f"secret {row}" for row in range(600)]
    rows = Rows(LABELS, ("ham", "spam", "other"), texts, np.full(600, 9))
    answers = Answers(each, None)
    return EvaluationRun(
        started=ledger.state.started,
        reading=ledger.state.tests[-1],
        rows=rows,
        answers=answers,
        assessment=assess(rows, answers, metric="f1", resamples=50),
        sample_rows=sample_rows,
    )


@pytest.mark.parametrize("sample_rows", [100, 0])
def test_errors_are_shown_by_how_sure_they_were_unless_no_text_may_be(
    tmp_path: Path, sample_rows: int
) -> None:
    warnings: list[str] = []
    tracking = tracker(tmp_path, warnings=warnings)
    ledger = Ledger(tmp_path / "ledger.jsonl", subscribers=[tracking.handle])
    begin(ledger)
    tracking.write(run(ledger, sample_rows=sample_rows))
    tracking.close()
    assert warnings == []
    (path,) = wandbfile.run_files(tmp_path)
    info = wandbfile.run_info(path)
    assert (info["run_id"], info["job_type"]) == (f"{UID}-evaluate", "evaluate")
    assert (info["config"]["data_hash"], info["config"]["temperature"]) == ("data-hash", 1.5)
    assert info["summary"]["test_accuracy"] == pytest.approx(2 / 3)
    assert info["summary"]["test_accuracy_low"] < 2 / 3 < info["summary"]["test_accuracy_high"]
    assert {"test/precision_recall", "test/roc"} <= set(info["plots"])
    if sample_rows:
        errors = info["tables"]["test/errors"]["data"]
        assert len(errors) == 200 == ERROR_ROWS
        assert errors[0][0] == "secret 597"
        assert errors[0][1:3] == ["other", "spam"]
    else:
        assert not {"test/errors", "test/words"} & set(info["tables"])
        written = [one.read_bytes() for one in (tmp_path / "wandb").rglob("*") if one.is_file()]
        assert not any(b"secret" in data for data in written)


def test_curves_are_of_the_class_that_they_name(tmp_path: Path) -> None:
    tracking = tracker(tmp_path, warnings=[])
    ledger = Ledger(tmp_path / "ledger.jsonl", subscribers=[tracking.handle])
    begin(ledger)
    tracking.write(run(ledger, sample_rows=0))
    tracking.close()
    (path,) = wandbfile.run_files(tmp_path)
    curve = wandbfile.run_info(path)["tables"]["test/precision_recall_table"]
    assert {row[0] for row in curve["data"]} == {"ham", "other"}
    # Every row that is given one of these two is given it rightly, up to a recall of two thirds.
    full = [row for row in curve["data"] if row[2] <= 0.6]
    assert all(row[1] == 1.0 for row in full)
