"""What `best` says of a refit, which no row is left to score."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bertsweep.checkpoints import TRAIN_AND_VALIDATION
from bertsweep.ledger import Ledger, Refit
from bertsweep.ledger.events import (
    CheckpointSaved,
    ConfirmationEnded,
    ConfirmationStarted,
    TrialFailed,
    TrialFinished,
    TrialProposed,
)
from tests.cli.test_json import example
from tests.support import clisweeps
from tests.support.checkpoints import write_checkpoint
from tests.support.clisweeps import METRIC, cli

REFIT = "t0001-f1"
EXPECTED = {METRIC: 0.625}
PATH = f"trials/{REFIT}/best-0001"


def refitted(storage: Path, *, failed: bool = False) -> Path:
    """A sweep whose t0001 was confirmed and refitted."""
    folder = clisweeps.finished_sweep(storage)
    write_checkpoint(
        folder / "trials" / REFIT, metrics=EXPECTED, trained_on=TRAIN_AND_VALIDATION, trial=REFIT
    )
    outcome: dict[str, Any] = example("confirm")
    outcome["refit"] = {"trial": REFIT, "rows": TRAIN_AND_VALIDATION, "epoch": 1.5, "seed": 3}
    outcome["repeat"] = "t0001-r2" if failed else REFIT
    ledger = Ledger(folder / "ledger.jsonl")
    ledger.append(ConfirmationStarted(finalists=("t0001",), seeds=(1, 2), splits=(None, None)))
    params = {"learning_rate": 5e-5}
    ledger.append(
        TrialProposed(
            trial=REFIT,
            point=params,
            params=params,
            seed=3,
            origin="refit",
            repeats="t0001",
            refit=Refit(epoch=1.5, expected=EXPECTED, sources=("trials/t0001-r1/best-0001",)),
        )
    )
    if failed:
        ledger.append(TrialFailed(trial=REFIT, error="the loss became NaN"))
    else:
        ledger.append(CheckpointSaved(trial=REFIT, report=1, path=PATH, threshold=0.4))
        ledger.append(TrialFinished(trial=REFIT))
    ledger.append(ConfirmationEnded(outcome=outcome, delivered=None if failed else REFIT))
    ledger.close()
    return folder


def test_its_scores_are_the_means_of_the_repeats_and_that_is_said(tmp_path: Path) -> None:
    folder = refitted(tmp_path)
    told = cli("best", folder, "--json").json
    assert told["checkpoint"] == str(folder / PATH)
    assert (told["trial"], told["trained_on"]) == ("t0001", "train+validation")
    assert (told["metrics"], told["objective"]["value"]) == (EXPECTED, 0.625)
    assert told["baseline"]["trained_on"] == "train"
    said = " ".join(cli("best", folder).out.split())
    assert "delivered is t0001-f1: t0001 trained once more, on training and validation" in said
    assert "No row is left to score it by: its scores are the means over the repeats" in said


def test_show_lists_it_and_by_which_rules_it_was_trained(tmp_path: Path) -> None:
    shown = json.loads(cli("show", refitted(tmp_path), "--json").out)
    (repeat,) = shown["repeats"]
    assert (repeat["id"], repeat["origin"], repeat["repeats"]) == (REFIT, "refit", "t0001")
    assert repeat["refit"] == {
        "epoch": 1.5,
        "expected": EXPECTED,
        "sources": ["trials/t0001-r1/best-0001"],
    }


def test_one_that_failed_is_said_to_have(tmp_path: Path) -> None:
    said = cli("best", refitted(tmp_path, failed=True)).out
    assert "the refit t0001-f1 failed, so t0001-r2 is delivered instead" in said


@pytest.mark.parametrize("value", ["validation", "yes"])
def test_confirm_refuses_other_rows(tmp_path: Path, value: str) -> None:
    done = cli("confirm", clisweeps.finished_sweep(tmp_path), "--refit", value)
    assert done.code == 2
    assert "train+validation" in done.err
