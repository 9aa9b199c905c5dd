"""Stopping rules: one contract for all, and each rule's own decisions."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from bertsweep.search.stopping import (
    MedianStopping,
    StoppingRule,
    SuccessiveHalving,
    build_rule,
    stops_nothing,
)
from bertsweep.spec.models import Scheduler

KINDS = ("asha", "hyperband", "median", "none")
STEP, EPOCHS = 0.25, 3.0

Report = tuple[str, float, float]


def built(
    scheduler: dict[str, Any], *, max_epochs: float, steps_per_epoch: int = 1000
) -> StoppingRule:
    section = Scheduler.model_validate(scheduler)
    return build_rule(section, max_epochs=max_epochs, steps_per_epoch=steps_per_epoch)


def rule_of(kind: str) -> StoppingRule:
    return built({"kind": kind}, max_epochs=EPOCHS)


def reports(trials: int, seed: int = 0) -> Iterator[Report]:
    """Interleaved learning curves; a trial's quality is its number."""
    rng = random.Random(seed)
    at = dict.fromkeys(range(trials), 0)
    while at:
        trial = rng.choice(list(at))
        at[trial] += 1
        epoch = at[trial] * STEP
        yield f"t{trial}", epoch, trial / trials + 0.01 * epoch
        if epoch >= EPOCHS:
            del at[trial]


@pytest.mark.parametrize("kind", KINDS)
class TestEveryRule:
    def test_lets_every_trial_train_for_the_grace_period(self, kind: str) -> None:
        rule = rule_of(kind)
        early = [r for r in reports(20) if r[1] < 0.5]
        assert [rule.observe(*report) for report in early] == [None] * len(early)

    def test_lets_the_best_trial_run_to_its_end(self, kind: str) -> None:
        rule = rule_of(kind)
        stopped = {trial for trial, *rest in reports(20) if rule.observe(trial, *rest)}
        assert "t19" not in stopped

    def test_decides_the_same_after_a_refill(self, kind: str) -> None:
        told, refilled = rule_of(kind), rule_of(kind)
        history = list(reports(15))
        half = len(history) // 2
        for report in history[:half]:
            told.observe(*report)
        # A resumed sweep tells trial by trial, not in the order in which it all happened.
        for report in sorted(history[:half], key=lambda r: int(r[0][1:])):
            refilled.observe(*report)
        after = [told.observe(*report) is None for report in history[half:]]
        assert [refilled.observe(*report) is None for report in history[half:]] == after

    def test_telling_a_report_twice_changes_no_later_decision(self, kind: str) -> None:
        once, twice = rule_of(kind), rule_of(kind)
        for report in reports(15):
            once.observe(*report)
            twice.observe(*report)
            twice.observe(*report)
        assert once.observe("late", 0.5, -1.0) == twice.observe("late", 0.5, -1.0)


@pytest.mark.parametrize("kind", ["asha", "hyperband", "median"])
def test_a_poor_trial_among_many_is_stopped(kind: str) -> None:
    rule = rule_of(kind)
    stopped = {trial for trial, *rest in reports(20) if rule.observe(trial, *rest)}
    assert len(stopped) >= 5


def test_halving_stops_all_but_the_best_third_and_says_why() -> None:
    rule = SuccessiveHalving(grace=0.5, factor=3, max_epochs=3)
    assert rule.observe("a", 0.5, 0.9) is None
    assert rule.observe("b", 0.5, 0.5) is None, "two are too few to judge by thirds"
    reason = rule.observe("c", 0.5, 0.7)
    assert reason == "place 2 of 3 at 0.5 epochs; the best 1 go on"
    assert rule.observe("d", 0.5, 0.95) is None


def test_a_one_epoch_sweep_can_stop_at_half_an_epoch() -> None:
    rule = built({"kind": "asha", "grace_epochs": 0.25}, max_epochs=1)
    rule.observe("a", 0.25, 0.9)
    rule.observe("b", 0.25, 0.8)
    assert rule.observe("c", 0.25, 0.1) is not None


@pytest.mark.parametrize("kind", ["asha", "hyperband", "median"])
def test_no_trial_is_stopped_before_its_steps(kind: str) -> None:
    rule = built({"kind": kind, "grace_steps": 100}, max_epochs=3, steps_per_epoch=50)
    stopped = {epoch for trial, epoch, value in reports(30) if rule.observe(trial, epoch, value)}
    assert stopped
    assert min(stopped) >= 2.0, "two epochs have the first 100 steps"


def test_steps_beyond_the_last_epoch_leave_nothing_to_stop() -> None:
    for kind in KINDS:
        rule = built({"kind": kind, "grace_steps": 100}, max_epochs=3, steps_per_epoch=20)
        assert not any(rule.observe(*report) for report in reports(20))


@pytest.mark.parametrize(
    ("kind", "steps_per_epoch", "nothing"),
    [("asha", 34, False), ("asha", 33, True), ("none", 33, False)],
)
def test_it_is_known_beforehand_where_nothing_will_be_stopped(
    kind: str, steps_per_epoch: int, nothing: bool
) -> None:
    section = Scheduler.model_validate({"kind": kind, "grace_steps": 100})
    assert stops_nothing(section, max_epochs=3, steps_per_epoch=steps_per_epoch) == nothing


def test_a_trial_that_first_reports_past_a_rung_is_judged_there() -> None:
    rule = SuccessiveHalving(grace=0.5, factor=2, max_epochs=4)
    rule.observe("a", 0.6, 0.9)
    assert rule.observe("b", 0.7, 0.1) is not None


def test_hyperband_gives_later_brackets_a_longer_grace() -> None:
    rule = SuccessiveHalving(grace=0.5, factor=2, max_epochs=2, brackets=None)
    worsening = [(f"t{trial}", -float(trial)) for trial in range(40)]
    at_half = {trial for trial, value in worsening if rule.observe(trial, 0.5, value)}
    at_one = {trial for trial, value in worsening if rule.observe(trial, 1.0, value)}
    assert len(at_half) >= 10
    assert len(at_one - at_half) >= 10, "the second bracket begins to stop at one epoch"


def test_the_median_rule_compares_the_best_value_with_running_means() -> None:
    rule = MedianStopping(grace=0.5, min_trials=2)
    for trial, level in (("a", 0.8), ("b", 0.6)):
        rule.observe(trial, 0.25, level - 0.2)
        rule.observe(trial, 0.5, level)
    assert rule.observe("c", 0.5, 0.61) is None
    reason = rule.observe("d", 0.5, 0.4)
    assert reason is not None
    assert "median of 3 trials" in reason
