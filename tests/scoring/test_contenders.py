"""Which checkpoints meet on the test rows."""

from __future__ import annotations

from pathlib import Path

from bertsweep.ledger import Ledger, events
from bertsweep.paths import SweepPaths
from bertsweep.scoring.contenders import baseline_of
from bertsweep.usable import usable
from tests.support import clisweeps


def repeated(storage: Path, trial: str) -> tuple[Ledger, SweepPaths]:
    """A sweep whose confirmation delivered a repeat of a trial."""
    folder = clisweeps.finished_sweep(storage)
    book = Ledger(folder / "ledger.jsonl")
    book.append(
        events.ConfirmationStarted(finalists=("t0000", "t0001"), seeds=(7,), splits=(None,))
    )
    book.append(
        events.TrialProposed(
            trial="r0001", point={}, params={}, seed=7, origin="sampler", repeats=trial
        )
    )
    clisweeps.checkpoint(book, folder, "r0001")
    book.append(events.TrialFinished(trial="r0001"))
    book.append(events.ConfirmationEnded(outcome={}, delivered="r0001"))
    return book, SweepPaths(folder)


def test_a_repeat_that_was_delivered_meets_the_baseline(tmp_path: Path) -> None:
    book, paths = repeated(tmp_path, "t0001")
    trial, checkpoint = usable(book.state, paths, notify=print)
    assert (trial.id, checkpoint.folder.parent.name) == ("r0001", "r0001")
    beside = baseline_of(book.state, paths, trial, notify=print)
    assert beside is not None
    assert beside[0].id == "t0000"


def test_a_repeat_of_the_baseline_is_not_compared_with_the_baseline(tmp_path: Path) -> None:
    book, paths = repeated(tmp_path, "t0000")
    said: list[str] = []
    trial, _ = usable(book.state, paths, notify=said.append)
    assert baseline_of(book.state, paths, trial, notify=said.append) is None
    assert said == ["the winner is the baseline itself: there is nothing to compare it with"]
