"""What decides a sweep, driven without Ray: real ledger, real study, real rule, real files."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bertsweep import ledger as events
from bertsweep.ledger import Ledger
from bertsweep.ledger.events import FaultKind, SweepStarted
from bertsweep.paths import SweepPaths
from bertsweep.search.stopping import build_rule
from bertsweep.search.study import Study
from bertsweep.space import Point
from bertsweep.spec import SweepSpec
from bertsweep.sweep.conductor import HOPELESS, SweepConductor
from bertsweep.sweep.experiment import point_of
from bertsweep.sweep.recorder import EQUAL_FAULTS
from bertsweep.sweep.retention import Retention
from bertsweep.trial.job import TrialJob
from bertsweep.trial.trainable import FAILED, REPORT
from tests.support.trials import small_spec

REPORTS, STEPS = 4, 1000
Make = Callable[..., SweepConductor]


@pytest.fixture
def paths(tmp_path: Path) -> SweepPaths:
    return SweepPaths(tmp_path / "small")


@pytest.fixture
def make(paths: SweepPaths) -> Make:
    """Builds a conductor over a fresh ledger."""

    def make(*overrides: str, stop: Callable[[], bool] = lambda: False) -> SweepConductor:
        wide = ["space.learning_rate={low: 1e-4, high: 1e-2, log: true}", "budget.trials=6"]
        spec = small_spec(*wide, *overrides)
        ledger = Ledger(paths.ledger)
        objective = {"metric": "val_average_precision", "mode": "max"}
        plain = spec.to_plain()
        ledger.append(SweepStarted(sweep="ab", name="small", objective=objective, spec=plain))
        return SweepConductor(
            spec=spec,
            job=job(paths),
            ledger=ledger,
            study=study(spec),
            rule=build_rule(spec.search.scheduler, max_epochs=2, steps_per_epoch=STEPS),
            retention=Retention(paths, ledger, spec.checkpoints.keep),
            stop_requested=stop,
        )

    return make


def job(paths: SweepPaths) -> TrialJob:
    folders = {"folder": str(paths.folder), "tokens": "", "encoder": ""}
    objective = {"metric": "val_average_precision", "mode": "max", "report_every": 0.5}
    rest: dict[str, Any] = {"labels": (0, 1), "text": ("question",), "cpus": 1.0, "gpus": 0.5}
    return TrialJob(**folders, **objective, **rest)


def study(spec: SweepSpec, *, added: Sequence[Point] = ()) -> Study:
    return Study(
        spec.space,
        sampler=spec.search.sampler,
        seed=0,
        mode="max",
        baseline=point_of(spec, spec.baseline),
        key=spec.hyperparameters,
        warm_start=added,
    )


def report(number: int, value: float | None, checkpoint: str | None = None) -> dict[str, str]:
    told = {
        "report": number,
        "epoch": number / 2,
        "examples": 100 * number,
        "seconds": 1.0 * number,
        "metrics": {"loss": 0.5, "val_average_precision": value},
        "system": {},
        "objective": value,
        "checkpoint": checkpoint,
        "threshold": None if checkpoint is None else value,
        "finished": number == REPORTS,
    }
    return {REPORT: json.dumps(told)}


def begin(conductor: SweepConductor) -> str:
    config = conductor.propose()
    assert config is not None
    conductor.started(config["trial"], "node")
    return str(config["trial"])


def run(conductor: SweepConductor, value: float, *, files: SweepPaths | None = None) -> str:
    """Runs a trial as Ray would: every report once or twice, then its end; gives its status."""
    trial = begin(conductor)
    for number in range(1, REPORTS + 1):
        checkpoint = f"trials/{trial}/best-{number:04d}"
        if files is not None:
            (files.trial(trial) / f"state-{number:04d}").mkdir(parents=True, exist_ok=True)
            (files.folder / checkpoint).mkdir(parents=True, exist_ok=True)
        result = report(number, value + number / 100, checkpoint)
        stop = number < REPORTS and conductor.reported(trial, result)
        conductor.reported(trial, result)
        if stop:
            break
    conductor.ended(trial)
    return conductor.ledger.state.trials[trial].status


def test_every_report_is_written_once(make: Make) -> None:
    conductor = make()
    assert run(conductor, 0.5) == events.FINISHED
    (trial,) = conductor.ledger.state.trials.values()
    assert [r["report"] for r in trial.reports] == [1, 2, 3, 4]
    assert trial.gpu_hours == pytest.approx(4 * 0.5 / 3600)


def test_the_budget_ends_the_sweep(make: Make) -> None:
    conductor = make("search.scheduler=none")
    for _ in range(6):
        assert run(conductor, 0.5) == events.FINISHED
    assert conductor.propose() is None


def test_a_space_of_which_every_point_was_tried_ends_the_sweep(make: Make) -> None:
    conductor = make(
        "search={sampler: tpe, scheduler: none}",
        "space={batch_size: [16, 32], epochs: 2}",
        "baseline={batch_size: 16, epochs: 2}",
    )
    assert run(conductor, 0.5) == run(conductor, 0.6) == events.FINISHED
    assert conductor.propose() is None
    assert [t.params["batch_size"] for t in conductor.ledger.state.trials.values()] == [16, 32]


def test_poor_trials_are_stopped_but_never_the_baseline(make: Make) -> None:
    conductor = make("search.scheduler={kind: asha, grace_epochs: 0.5, reduction_factor: 2}")
    statuses = [run(conductor, value) for value in (0.1, 0.9, 0.8, 0.2)]
    assert statuses == [events.FINISHED, events.FINISHED, events.STOPPED, events.STOPPED]
    reason = conductor.ledger.state.trials["t0003"].reason
    assert reason is not None
    assert "at 0.5 epochs" in reason


def test_a_trial_that_fails_is_told_and_the_sweep_goes_on(make: Make) -> None:
    conductor = make()
    run(conductor, 0.5)
    trial = begin(conductor)
    assert not conductor.reported(trial, {REPORT: json.dumps({FAILED: "the loss became nan"})})
    conductor.ended(trial)
    failed = conductor.ledger.state.trials[trial]
    assert (failed.status, failed.error) == (events.FAILED, "the loss became nan")
    assert conductor.propose() is not None


def fail(conductor: SweepConductor, reason: str, fault: FaultKind) -> str:
    trial = begin(conductor)
    conductor.failed(trial, reason, fault=fault)
    return trial


def test_a_sweep_in_which_the_baseline_and_all_others_fail_is_given_up(make: Make) -> None:
    conductor = make("budget.trials=20")
    for _ in range(HOPELESS):
        assert not conductor.hopeless
        fail(conductor, "the loss became nan", "trial")
    assert conductor.hopeless
    assert conductor.propose() is None
    # A resume begins to count anew: what made them fail may have been mended.
    conductor.__post_init__()
    assert not conductor.hopeless


def test_three_quick_failures_end_nothing_while_the_baseline_runs(make: Make) -> None:
    conductor = make("budget.trials=20")
    begin(conductor)
    for _ in range(HOPELESS):
        fail(conductor, "the loss became nan", "trial")
    assert not conductor.interrupted()
    assert conductor.propose() is not None


def test_what_is_not_a_trials_own_fault_costs_no_trial_of_the_budget(make: Make) -> None:
    conductor = make("budget.trials=3", "search.scheduler=none")
    run(conductor, 0.5)
    lost = fail(conductor, "OSError: no such device", "unexpected")
    assert conductor.ledger.state.trials[lost].retryable
    for _ in range(2):
        assert run(conductor, 0.5) == events.FINISHED
    assert conductor.propose() is None


def test_equal_faults_in_a_row_end_the_sweep_with_the_reason(make: Make) -> None:
    conductor = make("budget.trials=20")
    run(conductor, 0.5)
    for number in range(EQUAL_FAULTS):
        assert not conductor.interrupted()
        fail(
            conductor, f"RuntimeError: device 0x7f{number}a of t{number:04d} is gone", "unexpected"
        )
    assert conductor.interrupted()
    assert "3 trials in a row" in (conductor.broken or "")
    assert conductor.propose() is None


def test_faults_with_good_trials_between_them_end_nothing(make: Make) -> None:
    conductor = make("budget.trials=20", "search.scheduler=none")
    for _ in range(EQUAL_FAULTS):
        fail(conductor, "RuntimeError: gone", "unexpected")
        run(conductor, 0.5)
    assert not conductor.interrupted()


def test_a_fault_of_the_environment_ends_the_sweep_at_once(make: Make) -> None:
    conductor = make()
    fail(conductor, "no space left on the device", "environment")
    assert conductor.broken == "no space left on the device"


def test_there_is_more_to_come_while_a_running_trial_may_have_to_be_replaced(make: Make) -> None:
    conductor = make("budget.trials=1")
    trial = begin(conductor)
    assert conductor.propose() is None
    assert not conductor.exhausted()
    conductor.failed(trial, "RuntimeError: gone", fault="unexpected")
    assert conductor.propose() is not None


def test_an_objective_that_is_undefined_stops_nothing(make: Make) -> None:
    conductor = make()
    trial = begin(conductor)
    assert not conductor.reported(trial, report(1, None))
    assert conductor.ledger.state.trials[trial].best is None


def test_nothing_is_proposed_once_interrupted_and_the_unfinished_are_named(make: Make) -> None:
    stopping = False
    conductor = make(stop=lambda: stopping)
    run(conductor, 0.5)
    trial = begin(conductor)
    stopping = True
    assert conductor.propose() is None
    assert conductor.unfinished == [trial]


def test_hours_end_the_proposals(make: Make) -> None:
    conductor = make("budget.hours=1e-12")
    assert conductor.propose() is None


def test_trials_that_stop_early_leave_more_trainings_to_others(make: Make) -> None:
    asha = "search.scheduler={kind: asha, grace_epochs: 0.5, reduction_factor: 2}"
    conductor = make("budget={trainings: 3}", asha)
    statuses = []
    while conductor.ledger.state.bounds.reached(conductor.spent()) is None:
        statuses.append(run(conductor, 0.9 if len(statuses) < 2 else 0.1))
    assert statuses[2:].count(events.STOPPED) == len(statuses) - 2 > 1
    assert 3 <= conductor.spent().trainings < 3.5
    assert conductor.propose() is None


def test_running_trials_count_as_whole_trainings_until_they_end(make: Make) -> None:
    asha = "search.scheduler={kind: asha, grace_epochs: 0.5, reduction_factor: 2}"
    conductor = make("budget={trainings: 3}", asha)
    assert run(conductor, 0.9) == events.FINISHED
    begin(conductor)
    begin(conductor)
    assert conductor.propose() is None
    assert not conductor.exhausted()
    conductor.reported("t0002", report(1, 0.1))
    conductor.ended("t0002")
    assert conductor.propose() is not None


def test_an_objective_that_is_good_enough_ends_the_proposals(make: Make) -> None:
    conductor = make("stop_when={reached: 0.7}", "search.scheduler=none")
    run(conductor, 0.5)
    assert conductor.enough is None
    run(conductor, 0.66)
    assert conductor.enough == "t0001 reached 0.7, and 0.7 was asked for"
    assert conductor.propose() is None


def test_the_best_checkpoints_are_kept_and_the_baselines(make: Make, paths: SweepPaths) -> None:
    conductor = make("search.scheduler=none", "checkpoints.keep=2")
    for value in (0.1, 0.6, 0.5, 0.8, 0.7):
        run(conductor, value, files=paths)
    kept = {name for name, t in conductor.ledger.state.trials.items() if t.checkpoint}
    assert kept == {"t0000", "t0003", "t0004"}
    assert {path.parent.name for path in paths.trials.glob("*/best-*")} == kept
    assert list(paths.trials.glob("*/state-*")) == []
    assert conductor.ledger.state.trials["t0003"].threshold == 0.8 + REPORTS / 100


def test_a_lost_actor_is_another_attempt_that_tells_the_old_reports_again(make: Make) -> None:
    conductor = make()
    trial = begin(conductor)
    conductor.reported(trial, report(1, 0.4))
    conductor.reported(trial, report(2, 0.5))
    conductor.started(trial, "another node")
    for number in range(1, REPORTS + 1):
        conductor.reported(trial, report(number, 0.3 + number / 10))
    conductor.ended(trial)
    state = conductor.ledger.state.trials[trial]
    assert (state.status, state.attempts, len(state.reports)) == (events.FINISHED, 2, REPORTS)
    assert [r["metrics"]["val_average_precision"] for r in state.reports[:2]] == [0.4, 0.5]


@pytest.mark.parametrize(("value", "status"), [(0.2, events.STOPPED), (0.95, events.RUNNING)])
def test_a_stop_that_a_dying_command_did_not_write_is_made_up_for(
    make: Make, value: float, status: str
) -> None:
    dying = make("search.scheduler={kind: asha, grace_epochs: 0.5, reduction_factor: 2}")
    run(dying, 0.1)
    run(dying, 0.9)
    trial = begin(dying)
    dying.reported(trial, report(1, value))
    scheduler = dying.spec.search.scheduler
    conductor = replace(
        dying,
        study=study(dying.spec),
        rule=build_rule(scheduler, max_epochs=2, steps_per_epoch=STEPS),
        resumable=[],
    )
    conductor.refill()
    assert conductor.ledger.state.trials[trial].status == status
    assert conductor.resumable == ([] if status == events.STOPPED else [trial])
