"""The model card tells how its checkpoint was found, and no score that is another's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bertsweep.checkpoints import Checkpoint
from bertsweep.export.card import Findings, sweep_facts
from bertsweep.export.checking import Check
from bertsweep.export.subject import Subject
from bertsweep.exporting import evidence_of
from bertsweep.ledger import Ledger, TrialState, events
from bertsweep.ranking import winner
from bertsweep.results import Sweep
from tests.support import clisweeps


def card(sweep: Sweep, trial: TrialState | None = None) -> str:
    """The card of a trial's checkpoint, of the one that is delivered by default."""
    best = winner(sweep.state)
    checkpoint = Checkpoint.open(sweep.folder / str((trial or best).checkpoint))
    known = evidence_of(sweep.state, checkpoint) if trial in (None, best) else {}
    checks = {"onnx": Check(1e-7, 1e-4, 9, "onnxruntime")}
    facts = sweep_facts(sweep, checkpoint)
    return Findings(
        Subject.of(checkpoint),
        checks,
        rows=9,
        source="9 texts",
        label_agreement=1.0,
        sweep=facts,
        evidence=known,
    ).card(["onnx"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A baseline at 0.5, the best trial `t0001` at 0.75, `t0003` at 0.6."""
    return clisweeps.finished_sweep(tmp_path)


def confirm(folder: Path, delivered: str, chosen: str, *, split: int | None = None) -> None:
    """A confirmation of `t0001` and the baseline, two seeds each."""
    ledger = Ledger(folder / "ledger.jsonl")
    ledger.append(
        events.ConfirmationStarted(
            finalists=("t0001", "t0000"), seeds=(5, 6), splits=(split, split)
        )
    )
    repeat = f"{delivered}-r1"
    params = {"learning_rate": 1e-5}
    ledger.append(
        events.TrialProposed(
            trial=repeat,
            point=params,
            params=params,
            seed=5,
            origin="repeat",
            repeats=delivered,
            split=split,
        )
    )
    clisweeps.report(ledger, repeat, 1, 0.7)
    clisweeps.checkpoint(ledger, folder, repeat)
    ledger.append(events.TrialFinished(trial=repeat))
    one: dict[str, Any] = {"low": 0.6, "high": 0.8, "seeds": 2, "stopped": False}
    outcome = {
        "finalists": [{**one, "trial": "t0001", "mean": 0.71}],
        "baseline": {**one, "trial": "t0000", "mean": 0.69},
        "delivered": delivered,
        "chosen": chosen,
        "reason": "No other finalist is tied with t0001.",
        "verdict": {"text": "t0001 and the baseline, compared."},
    }
    ledger.append(events.ConfirmationEnded(outcome=outcome, delivered=repeat))
    ledger.close()


def test_of_the_best_trial_without_confirmation_and_test(folder: Path) -> None:
    told = card(Sweep.open(folder))
    assert "The best of **4 trials** of the sweep `demo` by val_average_precision" in told
    assert "trial `t0001`, after 0.5 epochs" in told
    assert "the baseline configuration reached 0.5." in told
    assert "On the validation rows that chose it" in told
    assert "confirmed score, with fresh seeds: not measured" in told
    assert "test split: the sweep has none" in told


def test_of_another_trial_and_of_the_baseline(folder: Path) -> None:
    sweep = Sweep.open(folder)
    told = card(sweep, sweep.state.trials["t0003"])
    assert "One of the **4 trials** of the sweep `demo`" in told
    assert "of which `t0001` was the best, 0.75: trial `t0003`" in told
    only = Sweep.open(folder)
    for name in ("t0001", "t0003"):
        del only.state.trials[name]
    only.state.leader = "t0000"
    assert "The baseline configuration, which none of the **2 trials**" in card(only)


def test_of_a_confirmed_repeat(folder: Path) -> None:
    confirm(folder, "t0001", "t0001")
    told = card(Sweep.open(folder))
    assert "The best of them was `t0001`, 0.75; the baseline configuration reached 0.5." in told
    assert "`t0001` was chosen: No other finalist is tied with t0001." in told
    assert "This is the repeat of `t0001` with the best validation score." in told
    assert "confirmed score, with fresh seeds: 0.71" in told
    assert "its interval: 0.6 to 0.8" in told
    assert "verdict of the confirmation: t0001 and the baseline, compared." in told
    assert "by which the repeats of a configuration were compared" in told


def test_of_the_baseline_that_a_confirmation_delivers_on_a_split_of_its_own(folder: Path) -> None:
    confirm(folder, "t0000", "t0001", split=11)
    told = card(Sweep.open(folder))
    assert "training and validation rows drawn anew for each seed" in told
    assert "the baseline configuration is delivered." in told
    assert "This is the repeat of `t0000` with the best validation score." in told
    assert "the validation rows of its own split" in told
    assert "the seed 11" in told
    assert "confirmed score, with fresh seeds: 0.69" in told


def test_a_test_reading_is_shown_where_it_was_this_checkpoint_s(folder: Path) -> None:
    ledger = Ledger(folder / "ledger.jsonl")
    path = str(ledger.state.trials["t0001"].checkpoint)
    ledger.append(events.TestOpened(trial="t0001", path=path, aim="f1", threshold=0.3))
    ledger.append(
        events.TestScored(
            result={
                "rows": 40,
                "metrics": {"average_precision": 0.66},
                "intervals": {"average_precision": {"low": 0.5, "high": 0.8}},
                "calibration": {"temperature": 1.5, "expected_calibration_error": {"before": 0.1}},
                "slices": {
                    "length": [{"slice": "1 to 8", "metric": "f1", "score": 0.5, "rows": 40}],
                    "class": [],
                },
            }
        )
    )
    ledger.close()
    sweep = Sweep.open(folder)
    sweep.state.started.data["rows"]["test"] = 40  # type: ignore[index]
    told = card(sweep)
    assert "test split: average_precision 0.66, 95 % interval 0.5 to 0.8, rows 40" in told
    assert "aim f1, threshold 0.3" in told
    assert "slices: length 1 to 8: f1 0.500 (40 rows)" in told
    # The winner that comes after it has not been scored there.
    confirm(folder, "t0001", "t0001")
    sweep = Sweep.open(folder)
    sweep.state.started.data["rows"]["test"] = 40  # type: ignore[index]
    told = card(sweep)
    assert "test split: read for t0001 of this sweep, not for this checkpoint" in told
    assert "calibration: not measured" in told
