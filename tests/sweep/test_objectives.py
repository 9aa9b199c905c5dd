"""A sweep with several objectives, from the command line: measured, recorded, weighed, picked."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest

from bertsweep import ledger
from bertsweep.ledger.events import LatencyMeasured, TrialProposed
from bertsweep.results import Sweep
from tests.support.sweeps import REPOSITORY, document, events

pytestmark = pytest.mark.slow

FILE = str(REPOSITORY / "search_spaces" / "latency.yaml")
SMALLER = (
    *("--set", "data.limit=600", "--set", "data.split={validation: 120, test: 50}"),
    *("--set", "search.sampler={kind: tpe, startup_trials: 2}"),
    *("--set", "space.epochs=1", "--set", "report_every=0.5", "--set", "tracking.wandb=disabled"),
    *("--set", "objective.2={metric: train_seconds}", "--set", "prefer=knee"),
)


def test_two_costs_are_measured_recorded_and_weighed(tmp_path: Path) -> None:
    storage = str(tmp_path)
    found = document(
        *("run", FILE, "--storage", storage, "--set", "budget.trials=5"),
        *SMALLER,
    )["best"]
    sweep = Sweep.open("latency", storage=tmp_path)
    goals = ["val_average_precision", "latency_ms_batch_32", "train_seconds"]
    assert [goal.metric for goal in sweep.goals] == goals
    measured = [e for e in events(sweep.folder) if isinstance(e, LatencyMeasured)]
    lengths = [event.params["max_seq_length"] for event in measured]
    assert sorted(lengths) == sorted({t.params["max_seq_length"] for t in sweep.trials})
    assert measured[0].ratio == 1.0, "the baseline is the reference"

    front = found["front"]
    assert front["picked"] == found["trial"] == sweep.best().id
    assert [one["trial"] for one in front["trials"]] == [trial.id for trial in sweep.front()]
    assert Path(found["checkpoint"]).is_dir()
    for one in front["trials"]:
        assert sweep.state.trials[one["trial"]].checkpoint is not None
        assert one["values"].keys() == set(goals)

    (study,) = optuna.get_all_study_summaries(f"sqlite:///{sweep.paths.study}")
    assert len(study.directions) == 3
    mirrored = optuna.load_study(
        study_name=study.study_name, storage=f"sqlite:///{sweep.paths.study}"
    )
    assert all(len(trial.values) == 3 for trial in mirrored.trials)

    assert_proposed_by_the_ledger_alone(sweep.folder)


def assert_proposed_by_the_ledger_alone(folder: Path) -> None:
    """The same study, refilled with what the ledger held, proposes what the sweep ran next."""
    from bertsweep.search.study import Study
    from bertsweep.spec import from_plain
    from bertsweep.sweep.experiment import point_of
    from bertsweep.sweep.further import further_values

    lines = events(folder)
    last = max(i for i, event in enumerate(lines) if isinstance(event, TrialProposed))
    proposed = lines[last]
    assert isinstance(proposed, TrialProposed)
    state = ledger.fold(lines[:last])
    spec = from_plain(dict(state.started.spec))
    study = Study(
        spec.space,
        sampler=spec.search.sampler,
        seed=spec.seed if spec.search.seed is None else spec.search.seed,
        mode="max",
        further=["min", "min"],
        baseline=point_of(spec, spec.baseline),
        key=spec.hyperparameters,
    )
    for trial in state.trials.values():
        study.refill(
            trial.number,
            trial.point,
            status=trial.status,
            values={n: value for n, _, value in trial.reports.curve(state.metric)},
            others=further_values(state, trial),
        )
    asked = study.ask()
    assert asked is not None
    assert asked.point == dict(proposed.point)
