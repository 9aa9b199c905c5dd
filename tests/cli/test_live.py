"""The view of a running sweep: what it counts, estimates and prints."""

from __future__ import annotations

import io
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from rich.console import Console

from bertsweep.cli._live import TerminalView, live_view
from bertsweep.cli._plain import PlainView
from bertsweep.cli._watch import Watch
from bertsweep.ledger import Event, Update, read, replay
from bertsweep.ledger.events import (
    SweepResumed,
    SweepStarted,
    TrialFailed,
    TrialFinished,
    TrialProposed,
    TrialReported,
    TrialStarted,
    TrialStopped,
)
from bertsweep.spec import parse
from tests.support import clisweeps
from tests.support.clisweeps import METRIC

START = 1_000_000.0


class Story:
    """Updates with chosen times, as a ledger would send them."""

    def __init__(self, *, trials: int = 4, hours: float | None = None, mode: str = "max") -> None:
        self.events: list[Event] = []
        self.tell(
            0,
            SweepStarted(
                sweep="x",
                name="demo",
                objective={"metric": METRIC, "mode": mode},
                spec={
                    "budget": {"trials": trials, "hours": hours},
                    "space": {"dropout": {"low": 0.1, "high": 0.5}, "epochs": 3},
                },
            ),
        )

    def tell(self, at: float, event: Event) -> Story:
        self.events.append(replace(event, seq=len(self.events), time=START + at))
        return self

    def propose(self, at: float, trial: str, **params: Any) -> Story:
        point = {"epochs": 3, **params}
        origin = "baseline" if trial == "t0000" else "sampler"
        self.tell(at, TrialProposed(trial=trial, point=point, params=point, seed=0, origin=origin))
        return self.tell(at, TrialStarted(trial=trial, attempt=1))

    def report(self, at: float, trial: str, value: float | None, epoch: float = 1.0) -> Story:
        metrics = {METRIC: value, "examples_per_second": 50.0}
        return self.tell(
            at,
            TrialReported(
                trial=trial, report=1, epoch=epoch, examples=1, seconds=at, metrics=metrics
            ),
        )

    def watch(self) -> Watch:
        watch = Watch()
        replay(self.events, watch.handle)
        return watch


def test_no_time_left_is_claimed_before_a_trial_ended() -> None:
    assert Story().propose(0, "t0000").watch().seconds_left(START + 50) is None


def test_time_left_is_the_mean_of_ended_trials_over_those_at_once() -> None:
    story = Story(trials=6).propose(0, "t0000").propose(0, "t0001")
    story.tell(100, TrialFinished(trial="t0000")).tell(100, TrialStopped(trial="t0001"))
    story.propose(100, "t0002").propose(100, "t0003")
    # Two running with 60 s to go each, two waiting with 100 s each, two at once.
    assert story.watch().seconds_left(START + 140) == pytest.approx((60 + 60 + 200) / 2)


def test_failed_trials_do_not_make_the_estimate_hopeful() -> None:
    story = Story(trials=3).propose(0, "t0000").propose(0, "t0001")
    story.tell(1, TrialFailed(trial="t0001", error="no memory"))
    story.tell(100, TrialFinished(trial="t0000")).propose(100, "t0002")
    assert story.watch().seconds_left(START + 100) == pytest.approx(100)


def test_budget_hours_cap_the_time_left() -> None:
    story = Story(trials=1000, hours=1.0).propose(0, "t0000")
    story.tell(100, TrialFinished(trial="t0000"))
    assert story.watch().seconds_left(START + 3000) == pytest.approx(600 + 100)


def test_budget_hours_count_what_earlier_sessions_took() -> None:
    story = Story(trials=1000, hours=1.0).propose(0, "t0000")
    story.tell(3000, TrialFinished(trial="t0000")).tell(9000, SweepResumed())
    assert story.watch().seconds_left(START + 9300) == pytest.approx(300 + 3000)


def test_a_resumed_sweep_counts_what_was_done_and_not_what_was_cut_off() -> None:
    story = Story(trials=4).propose(0, "t0000").propose(0, "t0001")
    story.report(50, "t0000", 0.5).tell(100, TrialFinished(trial="t0000"))
    watch = story.tell(9000, SweepResumed()).watch()
    assert (watch.ended(), len(watch.running())) == (1, 0)
    watch = story.tell(9000, TrialStarted(trial="t0001", attempt=2)).watch()
    assert watch.trials["t0001"].elapsed(START + 9010) == pytest.approx(10)
    assert watch.sweep is not None
    assert watch.sweep.best is not None
    assert watch.sweep.best.id == "t0000"


def test_a_view_of_a_resumed_sweep_begins_with_what_was_done(tmp_path: Path) -> None:
    with clisweeps.sweep(tmp_path) as ledger:
        for trial, dropout in (("t0000", 0.1), ("t0001", 0.2)):
            clisweeps.propose(ledger, trial, {"dropout": dropout}, origin="baseline")
            clisweeps.report(ledger, trial, 1, 0.5 + dropout)
        ledger.append(TrialFinished(trial="t0000"))
        view = PlainView(Console(file=io.StringIO()))
        ledger.subscribe(view.handle)
        assert (view.watch.ended(), len(view.watch.running())) == (1, 0)
        assert view.watch.trials["t0000"].spent == ledger.state.trials["t0000"].spent > 0
        assert "dropout" in view.watch.searched()
        assert "by t0001" in view.standing()
        ledger.append(SweepResumed(trials=9))
        ledger.append(TrialStarted(trial="t0001", attempt=2))
        assert [trial.id for trial in view.watch.running()] == ["t0001"]
        assert view.watch.bounds.trials == 9


def test_best_goes_by_the_direction() -> None:
    story = Story(mode="min").propose(0, "t0000").propose(0, "t0001").propose(0, "t0002")
    story.report(1, "t0000", 0.5).report(1, "t0001", 0.3).report(1, "t0002", 0.4)
    sweep = story.watch().sweep
    assert sweep is not None
    assert sweep.best is not None
    assert sweep.best.id == "t0001"


def plain(story: Story) -> str:
    console = Console(file=io.StringIO(), width=200)
    with PlainView(console) as view:
        replay(story.events, view.handle)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_plain_lines_tell_every_end_and_every_new_best_once() -> None:
    story = Story().propose(0, "t0000", dropout=0.5).propose(0, "t0001", dropout=0.1)
    story.report(1, "t0000", 0.5).report(2, "t0000", 0.5).report(3, "t0001", 0.75)
    story.tell(9, TrialStopped(trial="t0001", reason="below the rung"))
    story.tell(9, TrialFailed(trial="t0000", error="no memory"))
    lines = plain(story).splitlines()
    assert [line for line in lines if line.startswith("new best")] == [
        f"new best {METRIC} 0.5000 by t0000, the baseline (dropout 0.5)",
        f"new best {METRIC} 0.7500 by t0001, baseline 0.5000 (dropout 0.1)",
    ]
    ends = [line for line in lines if line.startswith("t0")]
    assert ends[0].startswith(f"t0001 stopped after 9.0 s: {METRIC} 0.7500 (below the rung)")
    assert "t0000 failed" in ends[1]
    assert "2 of 4 trials done (1 stopped, 1 failed, 0 running)" in ends[1]
    assert len(lines) == 4


def test_plain_view_says_now_and_then_how_things_stand() -> None:
    console = Console(file=io.StringIO(), width=200)
    with PlainView(console, status_seconds=0.05) as view:
        story = Story().propose(0, "t0000").report(1, "t0000", 0.5, epoch=0.5)
        replay(story.events, view.handle)
        time.sleep(0.3)
    assert isinstance(console.file, io.StringIO)
    assert "0 of 4 trials done (1 running)" in console.file.getvalue()
    assert "t0000 epoch 0.5 / 3" in console.file.getvalue()


def test_plain_progress_is_rare() -> None:
    console = Console(file=io.StringIO(), width=200)
    with PlainView(console) as view:
        for done in range(1001):
            view.progress("downloading train.csv", done, 1000)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().splitlines() == [
        "downloading train.csv 0 %",
        "downloading train.csv 100 %",
    ]


def drawn(view: TerminalView) -> str:
    page = Console(file=io.StringIO(), width=140)
    page.print(view.render())
    assert isinstance(page.file, io.StringIO)
    return page.file.getvalue()


def test_the_table_shows_running_trials_progress_best_and_baseline() -> None:
    view = TerminalView(Console(file=io.StringIO(), width=140, force_terminal=True))
    view.progress("tokenising", 45, 100)
    assert "tokenising 45 %" in drawn(view)
    story = Story().propose(0, "t0000", dropout=0.5).propose(0, "t0001", dropout=0.1)
    story.report(1, "t0000", 0.5, epoch=1.5).report(1, "t0001", 0.75)
    replay(story.events, view.handle)
    picture = drawn(view)
    assert "0 of 4 trials done (2 running)" in picture
    assert "1.5 / 3" in picture
    assert "100 examples/s together" in picture
    assert f"best {METRIC} 0.7500 by t0001, baseline 0.5000 (dropout 0.1)" in picture
    assert "left" not in picture


RUNGS = """
name: demo
data: {source: "builtin:questions"}
encoder: {source: "builtin:tiny"}
space: {dropout: [0.1, 0.5], epochs: 3}
search: {scheduler: {kind: asha, grace_epochs: 0.5, grace_steps: 1, reduction_factor: 3}}
"""


def test_a_wide_table_has_the_rungs_that_a_trial_passed() -> None:
    view = TerminalView(Console(file=io.StringIO(), width=140, force_terminal=True))
    story = Story()
    (started,) = story.events
    plain = parse(RUNGS, source="demo.yaml").to_plain()
    story.events = [replace(started, spec=plain, data={"rows": {"train": 320}})]
    story.propose(0, "t0000", dropout=0.5).propose(0, "t0001", dropout=0.1)
    story.report(1, "t0000", 0.5, epoch=1.5).report(1, "t0001", 0.75, epoch=0.5)
    replay(story.events, view.handle)
    rows = [line.split() for line in drawn(view).splitlines() if " t000" in line[:6]]
    passed = [row[row.index("of") - 1 : row.index("of") + 2] for row in rows]
    assert passed == [["2", "of", "2"], ["1", "of", "2"]]


def test_a_screenful_is_the_most_that_is_drawn() -> None:
    view = TerminalView(Console(file=io.StringIO(), width=140, force_terminal=True))
    story = Story(trials=100)
    for number in range(40):
        story.propose(0, f"t{number:04}")
    replay(story.events, view.handle)
    assert "and 28 more running" in drawn(view)


def test_nothing_that_a_view_is_told_makes_it_raise() -> None:
    broken = io.StringIO()
    view = live_view(Console(file=broken, force_terminal=True, width=100))
    with view:
        broken.close()
        nonsense: list[Any] = [{"event": "trial_reported"}, None]
        view.handle(nonsense[0])
        view.handle(nonsense[1])
        view.notify("a sentence")
        view.progress("what", 1, 0)


def test_handling_is_quick_and_safe_from_many_threads(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=140, force_terminal=True)
    with clisweeps.sweep(tmp_path) as ledger, live_view(console) as view:
        for number in range(500):
            clisweeps.propose(ledger, f"t{number:04}", {"dropout": number / 1000, "epochs": 2})
        updates: list[Update] = []
        replay(read(tmp_path / "demo" / "ledger.jsonl"), updates.append)
        began = time.perf_counter()
        for update in updates[: len(updates) // 2]:
            view.handle(update)
        middle = time.perf_counter()
        for update in updates[len(updates) // 2 :]:
            view.handle(update)
        ended = time.perf_counter()
        threads = [
            threading.Thread(target=lambda: [view.handle(update) for update in updates[-50:]])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ended - middle < 10 * (middle - began), "more trials, no slower an update"
    assert len(view.watch.trials) == 500
