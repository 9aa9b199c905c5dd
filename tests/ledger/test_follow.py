"""A ledger that is followed while another process writes it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from bertsweep.errors import LedgerError
from bertsweep.ledger import Follower, Ledger, Update, silence
from bertsweep.ledger.events import Recalled, SweepAlive, SweepStarted, TrialProposed
from tests.support.clisweeps import METRIC

STARTED = SweepStarted(sweep="x", name="demo", objective={"metric": METRIC, "mode": "max"})


def proposed(number: int) -> TrialProposed:
    name = f"t{number:04d}"
    return TrialProposed(trial=name, number=number, point={}, params={}, seed=0, origin="sampler")


def test_every_event_comes_once_in_whatever_pieces_it_is_written(tmp_path: Path) -> None:
    whole, followed = tmp_path / "whole.jsonl", tmp_path / "followed.jsonl"
    writer = Ledger(whole)
    for event in (STARTED, proposed(0), proposed(1), proposed(2)):
        writer.append(event)
    content = whole.read_bytes()
    updates: list[Update] = []
    followed.write_bytes(b"")
    with closing(Follower(followed, updates.append)) as follower:
        for length in range(0, len(content) + 1, 7):
            followed.write_bytes(content[:length])
            follower.read()
        followed.write_bytes(content)
        follower.read()
        assert follower.read() == 0
        assert follower.state == writer.state
    writer.close()
    told = [u.event.seq for u in updates if not isinstance(u.event, Recalled)]
    assert told == [0, 1, 2, 3]


def test_who_comes_late_is_told_how_things_stand_and_then_of_what_is_new(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    writer = Ledger(path)
    for event in (STARTED, proposed(0), proposed(1)):
        writer.append(event)
    updates: list[Update] = []
    with closing(Follower(path, updates.append)) as follower:
        assert follower.read() == 3
        kinds = [update.event.kind for update in updates]
        assert kinds == ["recalled", "recalled", "recalled", "trial_proposed"]
        writer.append(proposed(2))
        assert follower.read() == 1
        assert updates[-1].trial is not None
        assert updates[-1].trial.id == "t0002"
    writer.close()


def test_a_damaged_line_and_a_missing_file_are_told(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    with pytest.raises(LedgerError, match="cannot be read"):
        Follower(path, print)
    path.write_bytes(b'{"event":"sweep_started","crc":"00000000"}\n')
    with closing(Follower(path, print)) as follower, pytest.raises(LedgerError, match="line 1"):
        follower.read()


def test_a_sweep_in_which_nothing_happens_leaves_a_sign_of_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.append(STARTED)
    ledger.keep_alive()
    before = ledger.state.last_event
    assert silence(before, before + 100) is None
    assert silence(before, before + 240) == 240
    monkeypatch.setattr("bertsweep.ledger.journal.SIGN_OF_LIFE_SECONDS", 0.0)
    ledger.keep_alive()
    ledger.close()
    events: list[Update] = []
    with closing(Follower(tmp_path / "ledger.jsonl", events.append)) as follower:
        assert follower.read() == 2
    assert isinstance(events[-1].event, SweepAlive)
