"""Readings of the test split stand in the ledger for good, and none is counted twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from bertsweep import ledger
from bertsweep.errors import LedgerError
from bertsweep.ledger import Ledger, events

STARTED = events.SweepStarted(sweep="x", name="x", objective={"metric": "val_f1", "mode": "max"})
OPENED = events.TestOpened(trial="t0001", path="trials/t0001/best-0002", threshold=0.25)
RESULT = {"rows": 3, "metrics": {"f1": 0.5, "roc_auc": None}}


def test_a_reading_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    book = Ledger(tmp_path / "ledger.jsonl")
    for event in (STARTED, OPENED, events.TestScored(result=RESULT), replace(OPENED, again=True)):
        book.append(event)
    state = ledger.load(tmp_path / "ledger.jsonl")
    first, second = state.tests
    assert (first.number, first.opened.threshold, first.result) == (1, 0.25, RESULT)
    assert (second.number, second.opened.again, second.result) == (2, True, None)
    assert state.test == first, "the second has no result yet"
    assert book.state.tests == state.tests


@pytest.mark.parametrize("story", [[], [OPENED, events.TestScored(result=RESULT)]])
def test_a_result_without_a_reading_is_damage(story: list[ledger.Event]) -> None:
    with pytest.raises(LedgerError, match="not opened"):
        ledger.fold([STARTED, *story, events.TestScored(result=RESULT)])


def test_a_reading_days_later_is_no_part_of_the_time_of_the_sweep() -> None:
    story: list[tuple[float, ledger.Event]] = [
        (100, STARTED),
        (160, events.SweepEnded(status="finished")),
        (90_000, OPENED),
        (90_010, events.TestScored(result=RESULT)),
        (95_000, events.SweepResumed(trials=5)),
        (95_030, events.SweepEnded(status="finished")),
    ]
    state = ledger.fold(replace(event, time=at) for at, event in story)
    assert state.active_seconds == 60 + 30
    assert state.tests[0].opened.time == 90_000
