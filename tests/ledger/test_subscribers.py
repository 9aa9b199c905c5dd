"""What holds for every subscriber of a ledger: the study's database, W&B and both live views."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from pathlib import Path

import pytest
from rich.console import Console

from bertsweep.cli._live import TerminalView
from bertsweep.cli._plain import PlainView
from bertsweep.direction import Direction
from bertsweep.ledger import Ledger, Subscriber, Update, read, replay
from bertsweep.ledger.events import SweepResumed, TrialFinished
from bertsweep.pareto import Goal
from bertsweep.search.mirror import StudyMirror
from tests.support import trackedsweep
from tests.support.studies import SPACE
from tests.support.trackedsweep import begin, report, run_trial, start


class SubscriberContract(ABC):
    """Updates may come in any number, twice, or late; taking one never raises nor warns."""

    @abstractmethod
    def subscriber(self, folder: Path, warnings: list[str]) -> Subscriber: ...

    @abstractmethod
    def close(self) -> None:
        """Waits until everything taken is written, or looks at what was made of it."""

    @pytest.fixture
    def warnings(self) -> list[str]:
        return []

    @pytest.fixture
    def taken(self, tmp_path: Path, warnings: list[str]) -> Subscriber:
        return self.subscriber(tmp_path, warnings)

    def test_follows_a_sweep_from_its_first_event(
        self, tmp_path: Path, taken: Subscriber, warnings: list[str]
    ) -> None:
        ledger = Ledger(tmp_path / "ledger.jsonl", subscribers=[taken])
        begin(ledger)
        run_trial(ledger, "t0000", [0.5, None, 0.7])
        ledger.append(TrialFinished(trial="t0000"))
        ledger.close()
        self.close()
        assert warnings == []

    def test_joins_late(self, tmp_path: Path, taken: Subscriber, warnings: list[str]) -> None:
        ledger = Ledger(tmp_path / "ledger.jsonl")
        begin(ledger)
        run_trial(ledger, "t0000", [0.5])
        run_trial(ledger, "t0001", [0.6])
        ledger.append(TrialFinished(trial="t0001"))
        ledger.subscribe(taken)
        ledger.append(SweepResumed(trials=9))
        start(ledger, "t0000", attempt=2)
        report(ledger, "t0000", 2, f1=0.8)
        ledger.append(TrialFinished(trial="t0000"))
        ledger.close()
        self.close()
        assert warnings == []

    def test_takes_an_update_twice(
        self, tmp_path: Path, taken: Subscriber, warnings: list[str]
    ) -> None:
        ledger = Ledger(tmp_path / "ledger.jsonl")
        begin(ledger)
        run_trial(ledger, "t0000", [0.5] * 50)
        ledger.close()
        updates: list[Update] = []
        replay(read(tmp_path / "ledger.jsonl"), updates.append)
        for update in (*updates, *updates[1:]):
            taken(update)
        self.close()
        assert warnings == []


class TestStudyMirror(SubscriberContract):
    def subscriber(self, folder: Path, warnings: list[str]) -> Subscriber:
        self.mirror = StudyMirror(
            f"sqlite:///{folder / 'study.db'}",
            study="demo",
            space=SPACE,
            goals=[Goal("val_f1", Direction.MAX)],
            warn=warnings.append,
        )
        return self.mirror.handle

    def close(self) -> None:
        self.mirror.close()


class TestWandb(SubscriberContract):
    def subscriber(self, folder: Path, warnings: list[str]) -> Subscriber:
        self.tracker = trackedsweep.tracker(folder, warnings=warnings)
        return self.tracker.handle

    def close(self) -> None:
        self.tracker.close()


class TestPlainView(SubscriberContract):
    def subscriber(self, folder: Path, warnings: list[str]) -> Subscriber:
        self.view = PlainView(Console(file=io.StringIO(), width=160))
        return self.view.handle

    def close(self) -> None:
        assert "trials done" in self.view.headline()


class TestTerminalView(SubscriberContract):
    def subscriber(self, folder: Path, warnings: list[str]) -> Subscriber:
        self.view = TerminalView(Console(file=io.StringIO(), width=160, force_terminal=True))
        return self.view.handle

    def close(self) -> None:
        assert "failed" not in str(self.view.render())
