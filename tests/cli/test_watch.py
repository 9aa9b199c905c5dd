"""`bertsweep watch`: a sweep that another process writes, seen from outside until it ends."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from bertsweep.cli._sparkline import sparkline
from bertsweep.ledger import Ledger
from bertsweep.ledger.events import SweepEnded, SweepResumed, TrialReported, TrialStarted
from tests.ledger.test_follow import STARTED, proposed
from tests.support.clisweeps import METRIC, cli


def sweep(storage: Path) -> Path:
    folder = storage / "demo"
    folder.mkdir(parents=True)
    return folder / "ledger.jsonl"


def report(value: float, number: int = 1) -> TrialReported:
    return TrialReported(
        trial="t0000", report=number, epoch=0.5, examples=1, seconds=1, metrics={METRIC: value}
    )


def test_it_follows_until_the_sweep_ends_and_says_what_comes_next(tmp_path: Path) -> None:
    ledger = Ledger(sweep(tmp_path))
    for event in (STARTED, proposed(0), TrialStarted(trial="t0000", attempt=1)):
        ledger.append(event)

    def go_on() -> None:
        time.sleep(0.5)
        ledger.append(report(0.61))
        ledger.append(SweepEnded(status="finished"))
        ledger.close()

    writer = threading.Thread(target=go_on)
    writer.start()
    done = cli("watch", "demo", "--storage", tmp_path, "--every", "0.1")
    writer.join()
    assert done.code == 0, done.err
    assert f"new best {METRIC} 0.6100 by t0000" in done.out
    assert "demo is finished; `bertsweep best" in done.out


def test_a_sweep_that_is_being_resumed_is_waited_for(tmp_path: Path) -> None:
    ledger = Ledger(sweep(tmp_path))
    ledger.append(STARTED)
    ledger.append(SweepEnded(status="interrupted"))

    def resume() -> None:
        time.sleep(0.5)
        ledger.append(SweepResumed())
        ledger.append(SweepEnded(status="finished"))
        ledger.close()

    writer = threading.Thread(target=resume)
    writer.start()
    done = cli("watch", "demo", "--storage", tmp_path, "--every", "0.1")
    writer.join()
    assert "demo is finished" in done.out


def test_a_writer_that_is_gone_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(sweep(tmp_path))
    ledger.append(STARTED)
    ledger.close()
    monkeypatch.setattr("bertsweep.cli.watch.GONE_SECONDS", 0.2)
    done = cli("watch", "demo", "--storage", tmp_path, "--every", "0.1")
    assert done.code == 3
    assert "last sign of life" in done.err
    assert "bertsweep resume" in done.err


def test_ls_tells_of_a_running_sweep_that_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(sweep(tmp_path))
    began = ledger.append(STARTED).time
    assert "running, no sign" not in cli("ls", "--storage", tmp_path).out
    monkeypatch.setattr("bertsweep.ledger.follow.time.time", lambda: began + 240)
    assert "running, no sign of life for 4 min" in cli("ls", "--storage", tmp_path).out
    ledger.close()


def test_a_curve_is_drawn_between_its_least_and_its_greatest() -> None:
    assert sparkline([]) == ""
    assert sparkline([0.5]) == "▄"
    assert sparkline([0.1, 0.2, 0.8]) == "▁▂█"
    assert sparkline([float(n) for n in range(80)]) == "▁▂▃▄▅▆▇█"
