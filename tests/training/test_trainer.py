"""The trial itself, trained for real on the built-in data: every value counts, nothing lingers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from bertsweep import checkpoints
from bertsweep.checkpoints import Checkpoint
from bertsweep.errors import NonFiniteLossError
from bertsweep.model.classifier import cross_entropy
from bertsweep.spec.hyperparameters import Hyperparameters
from bertsweep.trial import session
from bertsweep.trial.job import TrialJob
from bertsweep.trial.session import Session
from bertsweep.trial.workbench import Workbench
from tests.support.trials import PARAMS, proposal, small_job, small_prepared


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workbench, TrialJob]:
    job = small_job(tmp_path_factory.mktemp("sweep"), small_prepared())
    return Workbench(job), job


@pytest.fixture
def bench(shared: tuple[Workbench, TrialJob]) -> Workbench:
    return shared[0]


@pytest.fixture
def job(shared: tuple[Workbench, TrialJob], tmp_path: Path) -> TrialJob:
    return TrialJob.from_plain({**shared[1].to_plain(), "folder": str(tmp_path)})


Numbers = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def unchanged(
    shared: tuple[Workbench, TrialJob], tmp_path_factory: pytest.TempPathFactory
) -> Numbers:
    """One epoch with the parameters that the changes below start from."""
    folder = {"folder": str(tmp_path_factory.mktemp("unchanged"))}
    job = TrialJob.from_plain({**shared[1].to_plain(), **folder})
    return numbers(run(shared[0], job, epochs=1))


def run(bench: Workbench, job: TrialJob, **params: Any) -> list[dict[str, Any]]:
    """Every report of a trial, its clock left out."""
    session = Session(bench, job, proposal(**params))
    reports = []
    while not reports or not reports[-1]["finished"]:
        reports.append(session.next_report())
    return reports


def numbers(reports: list[dict[str, Any]]) -> Numbers:
    """What must be equal between equal trials."""
    timed = ("examples_per_second",)
    return [
        (r["epoch"], r["examples"], {k: v for k, v in r["metrics"].items() if k not in timed})
        for r in reports
    ]


CHANGES: dict[str, dict[str, Any]] = {
    "learning_rate": {"learning_rate": 2e-3},
    "dropout": {"dropout": 0.6},
    "max_seq_length": {"max_seq_length": 6},
    "batch_size": {"batch_size": 16},
    "epochs": {"epochs": 2},
    "optimizer": {"optimizer": "adamw", "weight_decay": 0.1},
    "weight_decay": {"optimizer": "adamw", "weight_decay": 0.5},
    "warmup": {"warmup": 0.5},
    "schedule": {"schedule": "linear"},
    "class_weight": {"class_weight": "balanced"},
    "label_smoothing": {"label_smoothing": 0.2},
    "trainable_layers": {"trainable_layers": 1},
}


def test_every_hyperparameter_is_tried_below() -> None:
    assert set(CHANGES) == set(Hyperparameters.model_fields)


@pytest.mark.parametrize("name", CHANGES)
def test_changing_a_parameter_changes_the_training(
    bench: Workbench, job: TrialJob, unchanged: Numbers, name: str
) -> None:
    assert numbers(run(bench, job, **{"epochs": 1, **CHANGES[name]})) != unchanged


def test_seeds_change_the_training_and_are_honoured_zero_included(
    bench: Workbench, job: TrialJob
) -> None:
    seeds = enumerate((0, 0, 1))
    runs = [numbers(run(bench, job, trial=f"t{n}", seed=seed, epochs=1)) for n, seed in seeds]
    assert runs[0] == runs[1] != runs[2]


def test_a_trial_gives_the_same_numbers_on_a_used_and_on_a_fresh_workbench(
    bench: Workbench, job: TrialJob
) -> None:
    wild = {"learning_rate": 1e-2, "trainable_layers": 0, "batch_size": 64, "optimizer": "adamw"}
    run(bench, job, trial="wild", **wild, weight_decay=0.3, class_weight="balanced")
    used = numbers(run(bench, job, trial="used"))
    assert numbers(run(Workbench(job), job, trial="fresh")) == used


def test_a_trial_gives_the_same_numbers_on_a_rehearsed_workbench(
    bench: Workbench, job: TrialJob
) -> None:
    waiting = TrialJob.from_plain({**job.to_plain(), "tokens": ""})
    rehearsed = Workbench.rehearsed(waiting, proposal(dropout=0.4, batch_size=8).params)
    rehearsed.open(job)
    assert numbers(run(rehearsed, job, trial="first")) == numbers(run(bench, job, trial="used"))


@pytest.fixture
def _every_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Saves the state after every report, however little time the training took."""
    monkeypatch.setattr(session, "STATE_BUDGET", math.inf)


@pytest.mark.usefixtures("_every_state")
def test_an_interrupted_trial_goes_on_to_the_same_numbers(bench: Workbench, job: TrialJob) -> None:
    whole = numbers(run(bench, job, trial="whole"))
    cut = Session(bench, job, proposal("cut"))
    first = [cut.next_report() for _ in range(2)]
    run(bench, job, trial="between", learning_rate=5e-3)
    again = run(bench, job, trial="cut")
    assert numbers(first) == whole[:2]
    assert numbers(again) == whole


def test_learning_happens(bench: Workbench, job: TrialJob) -> None:
    reports = run(bench, job, epochs=3)
    assert reports[-1]["metrics"]["loss"] < 0.8 * reports[0]["metrics"]["loss"]
    assert max(r["metrics"]["val_average_precision"] for r in reports) > 0.5


def test_frozen_layers_stay_and_the_others_move(bench: Workbench, job: TrialJob) -> None:
    weights = bench.trainer.classifier.weights
    session = Session(bench, job, proposal(trainable_layers=1))
    before = {name: np.array(variable.numpy()) for name, variable in weights.items()}
    session.next_report()
    moved = {name for name, v in weights.items() if not np.array_equal(v.numpy(), before[name])}
    last = bench.encoder.config.num_layers - 1
    trained = ("head/", "encoder/pooler_transform/", f"encoder/transformer/layer_{last}/")
    assert moved == {name for name in weights if name.startswith(trained)}


def test_a_diverging_loss_ends_the_trial_with_a_reason(bench: Workbench, job: TrialJob) -> None:
    wild = Session(bench, job, proposal("wild"))
    bench.trainer.classifier.kernel.assign(tf.fill(bench.trainer.classifier.kernel.shape, math.nan))
    with pytest.raises(NonFiniteLossError, match=r"became nan by step \d+ of \d+; a learning rate"):
        wild.next_report()


def test_the_best_checkpoint_holds_the_best_weights_and_says_what_it_is(
    bench: Workbench, job: TrialJob
) -> None:
    reports = run(bench, job, learning_rate=3e-3, epochs=3)
    values = [r["metrics"]["val_average_precision"] for r in reports]
    best = values.index(max(values)) + 1
    assert reports[-1]["checkpoint"] == f"trials/t0000/best-{best:04d}"
    folder = Path(job.folder) / "trials" / "t0000"
    assert [path.name for path in folder.glob("best-*")] == [f"best-{best:04d}"]
    checkpoint = Checkpoint.open(folder / f"best-{best:04d}")
    assert checkpoint.record["metrics"] == reports[best - 1]["metrics"]
    bench.trainer.classifier.load(checkpoint.arrays())
    again = bench.trainer.evaluate(bench.validation)
    assert again.loss == pytest.approx(reports[best - 1]["metrics"]["val_loss"], rel=1e-6)
    assert 0 < checkpoint.record["threshold"] < 1


def test_no_state_is_saved_that_would_take_too_much_of_a_trials_time(
    bench: Workbench, job: TrialJob
) -> None:
    bench.saving_seconds = 1000.0  # what it took last
    run(bench, job)
    assert checkpoints.latest(Path(job.folder) / "trials" / "t0000", checkpoints.STATE) is None
    bench.saving_seconds = 0.0


def test_what_the_first_state_will_take_is_known_from_the_checkpoint(
    bench: Workbench, job: TrialJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "STATE_BUDGET", 1e-6)
    monkeypatch.setattr(bench, "saving_seconds", 0.0)
    run(bench, job)
    assert checkpoints.latest(Path(job.folder) / "trials" / "t0000", checkpoints.STATE) is None


@pytest.mark.usefixtures("_every_state")
def test_a_finished_trial_saves_no_state_after_its_last_report(
    bench: Workbench, job: TrialJob
) -> None:
    run(bench, job)
    state = checkpoints.latest(Path(job.folder) / "trials" / "t0000", checkpoints.STATE)
    assert state is not None
    assert not state.record["reports"][-1]["finished"]
    assert json.dumps(dict(state.record))


def test_reports_count_epochs_and_examples(bench: Workbench, job: TrialJob) -> None:
    reports = run(bench, job)
    assert [r["epoch"] for r in reports] == [0.5, 1.0, 1.5, 2.0]
    rows = bench.trainer.train_tokens.rows
    assert reports[1]["examples"] == rows
    assert reports[-1]["examples"] == rows * PARAMS["epochs"]
    assert reports[-1]["metrics"]["examples_per_second"] > 0
    assert reports[-1]["system"]["memory_mb"] > 100


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_is_keras(smoothing: float) -> None:
    rng = np.random.default_rng(0)
    labels = np.array([0, 1, 2, 1], dtype=np.int32)
    logits = rng.normal(size=(4, 3)).astype(np.float32)
    many = tf_keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=smoothing, reduction="none"
    )
    ours = cross_entropy(tf.constant(logits), labels, classes=3, smoothing=smoothing)
    np.testing.assert_allclose(ours, many(np.eye(3)[labels], logits), rtol=1e-5)
    two = tf_keras.losses.BinaryCrossentropy(
        from_logits=True, label_smoothing=smoothing, reduction="none"
    )
    binary = np.minimum(labels, 1)
    ours = cross_entropy(tf.constant(logits[:, 0]), binary, classes=2, smoothing=smoothing)
    np.testing.assert_allclose(
        ours, two(binary[:, None].astype(np.float32), logits[:, :1]), rtol=1e-5
    )
