"""The study's database, written from ledger updates and read back by Optuna."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import optuna
import pytest
from msgspec.structs import replace
from optuna.trial import TrialState

from bertsweep import ledger
from bertsweep.direction import Direction
from bertsweep.ledger import SAMPLER, Event, replay
from bertsweep.ledger.events import (
    CheckpointRemoved,
    SweepResumed,
    SweepStarted,
    TrialFailed,
    TrialFinished,
    TrialInterrupted,
    TrialProposed,
    TrialReported,
    TrialStarted,
    TrialStopped,
)
from bertsweep.pareto import Goal
from bertsweep.search.mirror import StudyMirror
from bertsweep.space import Point
from tests.support.studies import BASE, SPACE

GOALS = (Goal("val_f1", Direction.MAX),)
STARTED = SweepStarted(sweep="x", name="x", objective={"metric": "val_f1", "mode": "max"})


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'study.db'}"


def open_mirror(url: str, warnings: list[str]) -> StudyMirror:
    return StudyMirror(url, study="demo", space=SPACE, goals=GOALS, warn=warnings.append)


def story(trial: str, point: Point, values: list[float], end: Event) -> list[Event]:
    origin: dict[str, Any] = {"params": point, "seed": 0, "origin": SAMPLER}
    reports = [
        TrialReported(trial=trial, report=n, epoch=n, examples=n, seconds=n, metrics={"val_f1": v})
        for n, v in enumerate(values, start=1)
    ]
    return [TrialProposed(trial=trial, point=point, **origin), *reports, end]


def told(url: str, *stories: list[Event]) -> list[str]:
    """Mirrors a sweep of these events; returns the warnings."""
    warnings: list[str] = []
    mirror = open_mirror(url, warnings)
    replay([STARTED, *(event for story in stories for event in story)], mirror.handle)
    mirror.close()
    return warnings


def test_holds_values_intermediate_values_and_states(url: str) -> None:
    ends: list[Event] = [
        TrialFinished(trial="t0"),
        TrialStopped(trial="t1"),
        TrialFailed(trial="t2", error="no"),
        TrialStarted(trial="t3", attempt=1),
    ]
    stories = [story(f"t{number}", BASE, [0.5, 0.9, 0.7], end) for number, end in enumerate(ends)]
    assert told(url, *stories) == []
    trials = optuna.load_study(study_name="demo", storage=url).trials
    assert [t.state for t in trials] == [
        TrialState.COMPLETE,
        TrialState.PRUNED,
        TrialState.FAIL,
        TrialState.RUNNING,
    ]
    assert trials[0].value == 0.9, "the best value, not the last"
    assert trials[1].intermediate_values == {1: 0.5, 2: 0.9, 3: 0.7}
    assert trials[0].params == {p.name: BASE[p.name] for p in SPACE.searched if p.name in BASE}


def test_of_a_resumed_sweep_holds_what_was_before_and_goes_on_with_it(
    url: str, tmp_path: Path
) -> None:
    warnings: list[str] = []
    mirror = open_mirror(url, warnings)
    book = ledger.Ledger(tmp_path / "ledger.jsonl")
    book.append(STARTED)
    for event in (
        *story("t0", BASE, [0.5, 0.9, 0.7], TrialFinished(trial="t0")),
        *story("t1", BASE, [0.4], TrialInterrupted(trial="t1")),
    ):
        book.append(event)
    book.subscribe(mirror.handle)
    book.append(SweepResumed())
    for event in story("t1", BASE, [0.4, 0.6], TrialFinished(trial="t1"))[2:]:
        book.append(event)
    mirror.close()
    assert warnings == []
    first, second = optuna.load_study(study_name="demo", storage=url).trials
    assert first.state == second.state == TrialState.COMPLETE
    assert (first.value, second.value) == (0.9, 0.6)
    assert first.intermediate_values == {1: 0.5, 2: 0.9, 3: 0.7}
    assert second.intermediate_values == {1: 0.4, 2: 0.6}


def test_what_becomes_of_an_ended_trials_checkpoint_is_no_other_trial(url: str) -> None:
    ended = story("t0", BASE, [0.5], TrialFinished(trial="t0"))
    warnings: list[str] = []
    mirror = open_mirror(url, warnings)
    seen: list[ledger.Update] = []
    replay([STARTED, *ended, CheckpointRemoved(trial="t0", path="best-0001")], seen.append)
    for update in seen:
        mirror.handle(update)
        while not mirror._updates.empty():  # each is written on its own
            time.sleep(0.01)
    mirror.close()
    assert warnings == []
    assert len(optuna.load_study(study_name="demo", storage=url).trials) == 1


def test_a_failed_trial_that_is_tried_again_is_another_row(url: str) -> None:
    failed = story("t0", BASE, [0.5], TrialFailed(trial="t0", error="lost"))
    again = [TrialStarted(trial="t0", attempt=2), TrialFinished(trial="t0")]
    assert told(url, failed, again) == []
    states = [t.state for t in optuna.load_study(study_name="demo", storage=url).trials]
    assert states[-1] == TrialState.COMPLETE


def test_shows_a_point_outside_the_space_without_parameters(url: str) -> None:
    point = {**BASE, "learning_rate": 0.5}
    assert told(url, story("t0", point, [0.5], TrialFinished(trial="t0"))) == []
    (trial,) = optuna.load_study(study_name="demo", storage=url).trials
    assert (trial.value, trial.params) == (0.5, {})
    assert trial.user_attrs["point"]["learning_rate"] == 0.5


def test_replaces_the_study_of_a_resumed_sweep(url: str) -> None:
    for _ in range(2):
        told(url, story("t0", BASE, [0.5], TrialFinished(trial="t0")))
    assert len(optuna.load_study(study_name="demo", storage=url).trials) == 1


def test_a_database_that_cannot_be_written_is_one_warning(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/no/such/folder.db"
    warnings = told(url, story("t0", BASE, [0.5], TrialFinished(trial="t0")))
    assert len(warnings) == 1
    assert "the sweep goes on" in warnings[0]


def test_holds_every_objective_of_finished_and_stopped_trials(url: str) -> None:
    goals = (*GOALS, Goal("latency_ms", Direction.MIN))
    objective = {**STARTED.objective, "further": [{"metric": "latency_ms", "mode": "min"}]}
    started = SweepStarted(sweep="x", name="x", objective=objective)
    events: list[Event] = [started]
    for number, end in enumerate([TrialFinished(trial="t0"), TrialStopped(trial="t1")]):
        proposed, *reports, _ = story(f"t{number}", BASE, [0.5, 0.9, 0.7], end)
        costs = [3.0, 4.0, 5.0]
        costly = [
            replace(report, metrics={**report.metrics, "latency_ms": cost})
            for report, cost in zip(reports, costs, strict=True)
            if isinstance(report, TrialReported)
        ]
        events += [proposed, *costly, end]
    warnings: list[str] = []
    mirror = StudyMirror(url, study="demo", space=SPACE, goals=goals, warn=warnings.append)
    replay(events, mirror.handle)
    mirror.close()
    assert warnings == []
    study = optuna.load_study(study_name="demo", storage=url)
    assert study.metric_names == ["val_f1", "latency_ms"]
    assert [trial.values for trial in study.trials] == [[0.9, 4.0], [0.9, 4.0]]
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE, TrialState.PRUNED]
    assert [trial.number for trial in study.best_trials] == [0]
