"""The trial itself, trained for real on the built-in data: every value counts, nothing lingers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from bertsweep import checkpoints
from bertsweep.checkpoints import Checkpoint, State
from bertsweep.errors import NonFiniteLossError
from bertsweep.model.classifier import cross_entropy
from bertsweep.spec.hyperparameters import Hyperparameters
from bertsweep.trial import session
from bertsweep.trial.job import TrialJob
from bertsweep.trial.session import Session
from bertsweep.trial.workbench import Workbench
from tests.support.checkpoints import flipped_bits
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
    "batches": {"batches": "random"},
    "epochs": {"epochs": 2},
    "optimizer": {"optimizer": "adamw", "weight_decay": 0.1},
    "weight_decay": {"optimizer": "adamw", "weight_decay": 0.5},
    "warmup": {"warmup": 0.5},
    "schedule": {"schedule": "linear"},
    "class_weight": {"class_weight": "balanced"},
    "label_smoothing": {"label_smoothing": 0.2},
    "trainable_layers": {"trainable_layers": 1},
    "layer_decay": {"layer_decay": 0.5},
    "head_learning_rate": {"head_learning_rate": 10.0},
    "clip_norm": {"clip_norm": 0.1},
    "pooling": {"pooling": "mean"},
    "reinit_layers": {"reinit_layers": 1},
    "accumulate": {"accumulate": 4},
    "patience": {"patience": 0.5},
    "average": {"average": "ema"},
}

FROM: dict[str, dict[str, Any]] = {"patience": {"learning_rate": 1e-12, "epochs": 2}}
"""What a change starts from, where it would have no effect on one epoch that goes well."""


def test_every_hyperparameter_is_tried_below() -> None:
    assert set(CHANGES) == set(Hyperparameters.model_fields) - {"encoder"}


@pytest.mark.parametrize("name", CHANGES)
def test_changing_a_parameter_changes_the_training(
    bench: Workbench, job: TrialJob, unchanged: Numbers, name: str
) -> None:
    start = {"epochs": 1, **FROM.get(name, {})}
    before = numbers(run(bench, job, trial="before", **start)) if name in FROM else unchanged
    assert numbers(run(bench, job, **{**start, **CHANGES[name]})) != before


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


def weights(bench: Workbench) -> dict[str, Any]:
    """A copy of every weight; `numpy()` itself may be a view of the variable."""
    return {n: np.array(v.numpy()) for n, v in bench.trainer.classifier.weights.items()}


def differing(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {name for name in before if before[name].tobytes() != after[name].tobytes()}


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_frozen_weights_stay_bit_for_bit_whatever_decays_and_however_often_is_reported(
    bench: Workbench, job: TrialJob, layers: int
) -> None:
    classifier = bench.trainer.classifier
    params = {"trainable_layers": layers, "optimizer": "adamw", "weight_decay": 0.3, "epochs": 1}
    begun = Session(bench, job, proposal("begun", **params))
    initial = weights(bench)
    ends = []
    for every in (0.5, 0.25):
        often = TrialJob.from_plain({**job.to_plain(), "report_every": every})
        reports = run(bench, often, trial=f"every-{every}", **params)
        assert len(reports) == round(1 / every)
        ends.append(weights(bench))
    assert begun.reports == []
    assert differing(initial, ends[0]) == set(classifier.trained(layers))
    assert "encoder/word_embeddings/embeddings" not in classifier.trained(layers)
    assert differing(ends[0], ends[1]) == set(), "a report changes no weight"


def test_how_often_is_reported_changes_no_more_than_rounding_where_all_is_trained(
    bench: Workbench, job: TrialJob
) -> None:
    """The word embeddings are caught up at a report, which rounds once more."""
    params = {"optimizer": "adamw", "weight_decay": 0.3, "epochs": 1}
    ends = []
    for every in (0.5, 0.25):
        often = TrialJob.from_plain({**job.to_plain(), "report_every": every})
        run(bench, often, trial=f"every-{every}", **params)
        ends.append(weights(bench))
    for name, one in ends[0].items():
        np.testing.assert_allclose(one, ends[1][name], rtol=1e-3, atol=1e-5, err_msg=name)


@dataclass(frozen=True)
class Begun:
    """What a trial is right before its first step, and right after it."""

    initial: dict[str, Any]
    evaluation: tuple[float, list[float]]
    batches: list[list[int]]
    rates: list[float]
    loss: float
    stepped: dict[str, Any]


def begun(bench: Workbench, **params: Any) -> Begun:
    trainer = bench.trainer
    trainer.begin(Hyperparameters.from_point(proposal(**params).params), seed=7)
    initial, evaluation = weights(bench), trainer.evaluate(bench.validation)
    batches = [trainer._rows(step).tolist() for step in range(trainer.steps_per_epoch)]
    rates = [trainer.adam.steps.rate(step) for step in range(trainer.steps_per_epoch)]
    loss = trainer.train(1).loss
    scores = (evaluation.loss, evaluation.probabilities.tolist())
    return Begun(initial, scores, batches, rates, loss, weights(bench))


CALM = {"epochs": 1, "dropout": 0.0}
"""What the changes below start from."""

LEAVES: dict[str, set[str]] = {
    "learning_rate": {"initial", "evaluation", "batches", "loss"},
    "dropout": {"initial", "evaluation", "batches", "rates"},
    "max_seq_length": {"initial", "rates"},
    "batch_size": {"initial", "evaluation"},
    "batches": {"initial", "evaluation", "rates"},
    "epochs": {"initial", "evaluation", "batches", "rates", "loss", "stepped"},
    "optimizer": {"initial", "evaluation", "batches", "rates", "loss", "stepped"},
    "weight_decay": {"initial", "evaluation", "batches", "rates", "loss"},
    "warmup": {"initial", "evaluation", "batches", "loss"},
    "schedule": {"initial", "evaluation", "batches", "loss", "stepped"},
    "class_weight": {"initial", "evaluation", "batches", "rates"},
    "label_smoothing": {"initial", "evaluation", "batches", "rates"},
    "trainable_layers": {"initial", "evaluation", "batches", "rates", "loss"},
    "layer_decay": {"initial", "evaluation", "batches", "rates", "loss"},
    "head_learning_rate": {"initial", "evaluation", "batches", "rates", "loss"},
    "clip_norm": {"initial", "evaluation", "batches", "rates", "loss"},
    "pooling": {"initial", "batches", "rates"},
    "reinit_layers": {"batches", "rates"},
    "accumulate": {"initial", "evaluation", "batches", "rates"},
    "patience": {"initial", "evaluation", "batches", "rates", "loss", "stepped"},
    "average": {"initial", "evaluation", "batches", "rates", "loss", "stepped"},
}
"""Hyperparameter → what it must not change of the beginning of a trial, to the bit.

`optimizer` is adamw without any decay, which is adam; `epochs` is under a constant schedule;
`patience` and `average` act on reports alone.
"""


@pytest.fixture(scope="module")
def calm(shared: tuple[Workbench, TrialJob]) -> Begun:
    return begun(shared[0], **CALM)


def test_every_hyperparameter_says_what_it_leaves_alone() -> None:
    assert set(LEAVES) == set(Hyperparameters.model_fields) - {"encoder"}


@pytest.mark.parametrize("name", LEAVES)
def test_a_parameter_changes_nothing_that_is_not_its_own(
    bench: Workbench, calm: Begun, name: str
) -> None:
    change = {"optimizer": "adamw"} if name == "optimizer" else CHANGES[name]
    changed = begun(bench, **{**CALM, **change})
    fields = ("initial", "evaluation", "batches", "rates", "loss", "stepped")
    same = {f for f in fields if equal(getattr(calm, f), getattr(changed, f))}
    assert same >= LEAVES[name]
    elsewhere = ("epochs", "optimizer", "patience", "average")
    assert len(same) < len(fields) or name in elsewhere, "it changes something"


def equal(one: Any, other: Any) -> bool:
    return not differing(one, other) if isinstance(one, dict) else one == other


def test_weight_decay_spares_biases_and_layer_norms(bench: Workbench, calm: Begun) -> None:
    decayed = begun(bench, **CALM, optimizer="adamw", weight_decay=0.5)
    spared = {n for n in calm.stepped if n.endswith(("/bias", "/gamma", "/beta"))}
    assert differing(calm.stepped, decayed.stepped) == set(calm.stepped) - spared


def test_after_the_warm_up_the_rate_is_that_without_one(bench: Workbench, calm: Begun) -> None:
    warm = begun(bench, **CALM, warmup=0.5)
    half = round(0.5 * len(calm.rates))
    assert warm.rates[half:] == calm.rates[half:]
    assert all(slow < full for slow, full in zip(warm.rates[: half - 1], calm.rates, strict=False))


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
    checkpoint = Checkpoint.open(folder / f"best-{best:04d}")
    record = checkpoint.record
    assert (record.trial, record.report, record.text) == ("t0000", best, ("question",))
    assert dict(record.metrics) == reports[best - 1]["metrics"]
    assert dict(record.params) == proposal(learning_rate=3e-3, epochs=3).params
    assert checkpoint.vocabulary.read_bytes() == bench.encoder.vocabulary.read_bytes()
    bench.trainer.classifier.load(checkpoint.arrays())
    again = bench.trainer.evaluate(bench.validation)
    assert again.loss == pytest.approx(reports[best - 1]["metrics"]["val_loss"], rel=1e-6)
    assert record.threshold is not None
    assert 0 < record.threshold < 1


def best_folders(job: TrialJob, trial: str = "t0000") -> dict[str, float]:
    """The checkpoints of a trial, whole, with the score that each had."""
    folders = sorted((Path(job.folder) / "trials" / trial).glob("best-*"))
    found = [Checkpoint.open(folder) for folder in folders]
    for checkpoint in found:
        checkpoint.verify()
    return {c.folder.name: c.record.metrics["val_average_precision"] or 0.0 for c in found}


def test_a_trial_that_begins_again_removes_and_rewrites_no_checkpoint(
    bench: Workbench, job: TrialJob
) -> None:
    reports = run(bench, job, learning_rate=3e-3, epochs=3)
    before = best_folders(job)
    folder = Path(job.folder) / "trials" / "t0000"
    assert f"trials/t0000/{list(before)[-1]}" == reports[-1]["checkpoint"]
    assert list(before.values()) == sorted(before.values())
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    again = Session(bench, job, proposal(learning_rate=3e-3, epochs=3))
    while not again.next_report()["finished"]:
        assert best_folders(job) == before, "the first report is no reason to remove a better one"
    assert numbers(again.reports) == numbers(reports)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == times


@pytest.mark.usefixtures("_every_state")
def test_a_trial_goes_on_from_a_state_only_where_its_best_weights_are_left(
    bench: Workbench, job: TrialJob
) -> None:
    cut = Session(bench, job, proposal())
    first = [cut.next_report() for _ in range(3)]
    assert len(Session(bench, job, proposal()).reports) == 3
    best = Path(job.folder) / first[-1]["checkpoint"]
    for _ in flipped_bits(best / "weights.safetensors", count=1):
        assert Session(bench, job, proposal()).reports == [], "only training brings them back"
    best.rename(best.with_name("best-0009"))
    assert len(Session(bench, job, proposal()).reports) == 3, "a better one came after it"


@pytest.mark.usefixtures("_every_state")
def test_a_damaged_state_costs_time_and_no_number(bench: Workbench, job: TrialJob) -> None:
    whole = numbers(run(bench, job, trial="whole"))
    cut = Session(bench, job, proposal("cut"))
    for _ in range(2):
        cut.next_report()
    for name in ("checkpoint.json", "weights.safetensors"):
        (state,) = (Path(job.folder) / "trials" / "cut").glob("state-*")
        (state / name).write_bytes((state / name).read_bytes()[:100])
        assert numbers(run(bench, job, trial="cut")) == whole


def test_no_state_is_saved_that_would_take_too_much_of_a_trials_time(
    bench: Workbench, job: TrialJob
) -> None:
    bench.saving_seconds = 1000.0  # what it took last
    run(bench, job)
    assert newest_state(job) is None
    bench.saving_seconds = 0.0


def test_what_the_first_state_will_take_is_known_from_the_checkpoint(
    bench: Workbench, job: TrialJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "STATE_BUDGET", 1e-6)
    monkeypatch.setattr(bench, "saving_seconds", 0.0)
    run(bench, job)
    assert newest_state(job) is None


@pytest.mark.usefixtures("_every_state")
def test_a_finished_trial_saves_no_state_after_its_last_report(
    bench: Workbench, job: TrialJob
) -> None:
    run(bench, job)
    state = newest_state(job)
    assert state is not None
    assert not state.reports[-1]["finished"]


def newest_state(job: TrialJob) -> State | None:
    told = proposal()
    folder = Path(job.folder) / "trials" / "t0000"
    return checkpoints.newest_state(folder, params=told.params, seed=told.seed)


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
