"""Stopping rules: one contract for all, and each rule's own decisions."""

from __future__ import annotations

import cProfile
import math
import pstats
import random
import statistics
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bertsweep.search.stopping import (
    HyperBand,
    MedianStopping,
    StoppingRule,
    SuccessiveHalving,
    build_rule,
    rungs,
    stops_nothing,
)
from bertsweep.spec.models import Scheduler

KINDS = ("asha", "hyperband", "median", "none")
STEP, EPOCHS, GRACE = 0.25, 3.0, 0.5

EXAMPLES = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
)

Report = tuple[str, float, float]


def built(
    scheduler: dict[str, Any], *, max_epochs: float, steps_per_epoch: int = 1000
) -> StoppingRule:
    section = Scheduler.model_validate(scheduler)
    return build_rule(section, max_epochs=max_epochs, steps_per_epoch=steps_per_epoch)


def rule_of(kind: str) -> StoppingRule:
    return built({"kind": kind, "grace_epochs": GRACE}, max_epochs=EPOCHS)


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


@st.composite
def histories(draw: st.DrawFn) -> list[Report]:
    """Reports of a few trials in any order of turns; some trials end early, some values are NaN."""
    values = st.one_of(st.floats(-1, 1), st.just(math.nan))
    curves = draw(st.lists(st.lists(values, max_size=int(EPOCHS / STEP)), min_size=2, max_size=9))
    turns = [trial for trial, curve in enumerate(curves) for _ in curve]
    told = dict.fromkeys(range(len(curves)), 0)
    history = []
    for trial in draw(st.permutations(turns)):
        told[trial] += 1
        history.append((f"t{trial}", told[trial] * STEP, curves[trial][told[trial] - 1]))
    return history


def tell(rule: StoppingRule, history: Iterable[Report]) -> list[str | None]:
    return [rule.observe(*report) for report in history]


def by_trial(history: Iterable[Report]) -> list[Report]:
    """The order in which a resumed sweep tells them."""
    return sorted(history, key=lambda report: int(report[0][1:]))


class RuleContract:
    """What every rule keeps to; `kind` names it."""

    kind: str

    @given(history=histories())
    @EXAMPLES
    def test_stops_no_trial_before_the_grace_period(self, history: list[Report]) -> None:
        said = tell(rule_of(self.kind), history)
        stopped = [epoch for (_, epoch, _), reason in zip(history, said, strict=True) if reason]
        assert min(stopped, default=GRACE) >= GRACE

    @given(history=histories(), data=st.data())
    @EXAMPLES
    def test_decides_the_same_after_a_refill(
        self, history: list[Report], data: st.DataObject
    ) -> None:
        half = data.draw(st.integers(0, len(history)))
        told, refilled = rule_of(self.kind), rule_of(self.kind)
        tell(told, history[:half])
        tell(refilled, by_trial(history[:half]))
        assert tell(refilled, history[half:]) == tell(told, history[half:])

    @given(history=histories())
    @EXAMPLES
    def test_a_report_told_twice_changes_no_later_decision(self, history: list[Report]) -> None:
        once, twice = rule_of(self.kind), rule_of(self.kind)
        for at, report in enumerate(history):
            assert once.observe(*report) == twice.observe(*report)
            tell(twice, history[: at + 1])

    @given(history=histories())
    @EXAMPLES
    def test_a_value_that_is_no_number_is_passed_over(self, history: list[Report]) -> None:
        numbers = [report for report in history if not math.isnan(report[2])]
        without, said = rule_of(self.kind), tell(rule_of(self.kind), history)
        kept = [reason for (*_, value), reason in zip(history, said, strict=True) if value == value]
        assert kept == tell(without, numbers)

    def test_lets_the_best_trial_run_to_its_end(self) -> None:
        rule = rule_of(self.kind)
        stopped = {trial for trial, *rest in reports(20) if rule.observe(trial, *rest)}
        assert "t19" not in stopped

    def test_a_report_costs_no_more_in_a_long_sweep(self) -> None:
        calls = []
        for trials in (100, 400):
            rule = rule_of(self.kind)
            profile = cProfile.Profile()
            profile.runcall(tell, rule, list(reports(trials)))
            calls.append(pstats.Stats(profile).total_calls / trials)  # type: ignore[attr-defined]
        assert calls[1] < 1.1 * calls[0]


class TestAsha(RuleContract):
    kind = "asha"


class TestHyperBand(RuleContract):
    kind = "hyperband"


class TestMedian(RuleContract):
    kind = "median"


class TestNone(RuleContract):
    kind = "none"


@pytest.mark.parametrize("kind", ["asha", "hyperband", "median"])
def test_a_poor_trial_among_many_is_stopped(kind: str) -> None:
    rule = rule_of(kind)
    stopped = {trial for trial, *rest in reports(20) if rule.observe(trial, *rest)}
    assert len(stopped) >= 5


def test_halving_stops_all_but_the_best_third_and_says_why() -> None:
    rule = SuccessiveHalving(rungs=[0.5, 1.5], factor=3)
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
    rule = SuccessiveHalving(rungs=[0.5, 1, 2], factor=2)
    rule.observe("a", 0.6, 0.9)
    assert rule.observe("b", 0.7, 0.1) is not None


def brackets(rule: HyperBand, *, trials: int, max_epochs: int) -> dict[float | None, int]:
    """When trials are stopped that are worse than all before them → how many of them."""
    epochs = [0.25 * step for step in range(1, 4 * max_epochs + 1)]
    for good in range(trials):
        for epoch in epochs:
            rule.observe(f"g{good:04d}", epoch, 1.0)
    found: dict[float | None, int] = {}
    for poor in range(trials):
        name, value = f"t{poor:04d}", -1.0 - poor
        at = next((epoch for epoch in epochs if rule.observe(name, epoch, value)), None)
        found[at] = found.get(at, 0) + 1
    return found


def test_hyperband_deals_trials_in_the_proportions_of_the_paper() -> None:
    rule = HyperBand(grace=0.5, factor=3, max_epochs=5)
    found = brackets(rule, trials=1400, max_epochs=5)
    assert set(found) == {0.5, 1.5}, "a bracket at 4.5 of 5 epochs would save nothing"
    assert found[0.5] == pytest.approx(900, abs=60)
    assert found[1.5] == pytest.approx(500, abs=60)


@pytest.mark.parametrize("grace", [0.25, 0.5, 1.0])
@pytest.mark.parametrize("factor", [2, 2.5, 3, 4])
@pytest.mark.parametrize("max_epochs", [1, 2, 3, 5, 9])
def test_every_bracket_of_hyperband_stops_trials_well_before_their_end(
    grace: float, factor: float, max_epochs: int
) -> None:
    found = brackets(
        HyperBand(grace=grace, factor=factor, max_epochs=max_epochs),
        trials=200,
        max_epochs=max_epochs,
    )
    latest = max(math.inf if at is None else at for at in found)
    # With one bracket it begins at the end of the grace period, wherever that is.
    assert latest <= 0.75 * max_epochs or list(found) in ([grace], [None])
    assert (list(found) == [None]) == (grace >= max_epochs)


def test_hyperband_deals_by_name_and_so_the_same_after_a_resume() -> None:
    names = [f"t{number:04d}" for number in range(60)]
    told, again = (HyperBand(grace=0.5, factor=3, max_epochs=5) for _ in range(2))
    decisions = {name: told.observe(name, 0.5, -float(name[1:])) for name in names}
    shuffled = random.Random(0).sample(names, len(names))
    for name in shuffled:
        again.observe(name, 0.5, -float(name[1:]))
    probe = [f"p{number}" for number in range(60)]
    assert any(decisions.values())
    assert [again.observe(n, 0.5, -30.5) for n in probe] == [
        told.observe(n, 0.5, -30.5) for n in probe
    ]


@pytest.mark.parametrize(
    ("max_epochs", "expected"),
    [(0.5, []), (1.5, [0.5]), (3, [0.5, 1.5]), (4.5, [0.5, 1.5]), (5, [0.5, 1.5, 4.5])],
)
def test_rungs_lie_below_the_last_epoch(max_epochs: float, expected: list[float]) -> None:
    assert rungs(grace=0.5, factor=3, max_epochs=max_epochs) == expected


def test_the_median_rule_compares_the_best_value_with_running_means() -> None:
    rule = MedianStopping(grace=0.5, min_trials=2)
    for trial, level in (("a", 0.8), ("b", 0.6)):
        rule.observe(trial, 0.25, level - 0.2)
        rule.observe(trial, 0.5, level)
    assert rule.observe("c", 0.5, 0.61) is None
    reason = rule.observe("d", 0.5, 0.4)
    assert reason is not None
    assert "median of 3 trials" in reason


def test_the_median_rule_stands_a_trial_whose_first_values_are_no_numbers() -> None:
    rule = MedianStopping(grace=0.25, min_trials=1)
    rule.observe("late", 0.25, math.nan)
    rule.observe("late", 0.5, 0.9)
    assert rule.observe("b", 0.25, 0.1) is None, "nobody has a value there"
    assert rule.observe("b", 0.5, 0.1) is not None


def test_the_median_rule_is_the_one_of_its_definition() -> None:
    rule = MedianStopping(grace=GRACE, min_trials=3)
    rng = random.Random(3)
    curves: dict[str, dict[float, float]] = {}
    for trial, epoch, _ in reports(30, seed=1):
        value = rng.random()
        curves.setdefault(trial, {})[epoch] = value
        others = [
            statistics.fmean(v for e, v in curve.items() if e <= epoch)
            for name, curve in curves.items()
            if name != trial and epoch in curve
        ]
        poor = len(others) >= 3 and max(curves[trial].values()) < statistics.median(others)
        assert (rule.observe(trial, epoch, value) is not None) == (poor and epoch >= GRACE)
