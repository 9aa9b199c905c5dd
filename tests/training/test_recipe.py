"""What a step may do besides: rates by layer, clipping, pooling, parts of a batch, a new start."""

from __future__ import annotations

import collections
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bertsweep.checkpoints import Checkpoint
from bertsweep.encoders import native
from bertsweep.model.classifier import WORD_EMBEDDINGS, Classifier
from bertsweep.predict import Predictor
from bertsweep.spec.hyperparameters import Hyperparameters
from bertsweep.training.averaging import interval
from bertsweep.training.evaluating import evaluate
from bertsweep.training.trainer import Trainer
from bertsweep.trial import session
from bertsweep.trial.job import TrialJob
from bertsweep.trial.session import Session
from bertsweep.trial.soup import Soup
from bertsweep.trial.workbench import Workbench
from tests.support.trials import proposal, small_job, small_prepared

pytestmark = pytest.mark.slow  # test_trainer.py has the fast proof that each of them counts

LAYERS = 2
"""Encoder layers of the built-in encoder."""


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> TrialJob:
    return small_job(tmp_path_factory.mktemp("sweep"), small_prepared())


@pytest.fixture(scope="module")
def bench(job: TrialJob) -> Workbench:
    return Workbench(job)


@pytest.fixture(scope="module")
def trainer(bench: Workbench) -> Trainer:
    """One whose encoder has no dropout, so that equal rows give equal gradients."""
    config = replace(bench.encoder.config, dropout=0.0, attention_dropout=0.0)
    classifier = Classifier(native.build(bench.encoder), config, classes=2)
    return Trainer(classifier, bench.trainer.train_tokens)


def parameters(**changed: Any) -> Hyperparameters:
    return Hyperparameters.from_point(proposal(**{"dropout": 0.0, **changed}).params)


def arrays(named: Any) -> dict[str, Any]:
    return {name: np.array(v.numpy()) for name, v in named.items()}


def stepped(trainer: Trainer, **changed: Any) -> dict[str, Any]:
    """How far each weight moved in the first step of a trial."""
    trainer.begin(parameters(**changed), seed=7)
    before = arrays(trainer.classifier.weights)
    trainer.train(1)
    return {n: a - before[n] for n, a in arrays(trainer.classifier.weights).items()}


def gradients(trainer: Trainer, **changed: Any) -> dict[str, Any]:
    """The gradients of the first step, which Adam's first moments are a tenth of."""
    stepped(trainer, **changed)
    found = {name: 10.0 * a for name, a in trainer.adam.state().items() if name.startswith("first")}
    assert len(found) == len(trainer.classifier.weights)
    return found


@pytest.fixture(scope="module")
def plain(trainer: Trainer) -> dict[str, Any]:
    return gradients(trainer)


# What a graph holds


def operations(trainer: Trainer, **changed: Any) -> collections.Counter[str]:
    """The kinds of operations in the graph of a step, and how often each stands in it."""
    trainer.begin(parameters(**changed), seed=7)
    graph = trainer._graph().get_concrete_function().graph.as_graph_def()  # type: ignore[attr-defined]
    functions = [node.op for one in graph.library.function for node in one.node_def]
    return collections.Counter([*(node.op for node in graph.node), *functions])


IDLE: dict[str, Any] = {"head_learning_rate": 1.0 + 1e-12, "clip_norm": 1e9, "accumulate": 2}
"""Options that are on, and change nothing but rounding."""


def test_what_is_off_costs_no_operation(trainer: Trainer) -> None:
    off = operations(trainer)
    values = {"dropout": 0.3, "weight_decay": 0.1, "optimizer": "adamw", "warmup": 0.2}
    assert operations(trainer, **values, reinit_layers=1) == off
    # What a step was made of before there was any of these options, arguments not counted.
    assert sum(off.values()) - off["Placeholder"] == 1276
    assert (off["ResourceApplyAdam"], off["While"], off["L2Loss"]) == (40, 1, 0)
    on = operations(trainer, **IDLE)
    assert on["While"] == 2
    assert on["L2Loss"] == 41


def test_another_value_of_an_option_traces_nothing(trainer: Trainer) -> None:
    def graph(**changed: Any) -> Any:
        stepped(trainer, **changed)
        return trainer._graph()

    one = graph(**IDLE)
    other = graph(layer_decay=0.5, head_learning_rate=3.0, clip_norm=0.1, accumulate=5)
    assert one is other
    assert one.experimental_get_tracing_count() == 1


# What a step does


def test_each_layer_learns_slower_than_the_one_above_and_the_head_at_its_own_rate(
    trainer: Trainer,
) -> None:
    usual = stepped(trainer, **IDLE)
    moved = stepped(trainer, **{**IDLE, "layer_decay": 0.5, "head_learning_rate": 4.0})
    prefixes = {"head/": 4.0, "encoder/pooler_transform/": 1.0, "encoder/": 0.5**LAYERS}
    for layer in range(LAYERS):
        prefixes[f"encoder/transformer/layer_{layer}/"] = 0.5 ** (LAYERS - 1 - layer)
    for name, far in moved.items():
        prefix = max((p for p in prefixes if name.startswith(p)), key=len)
        np.testing.assert_allclose(far, prefixes[prefix] * usual[name], rtol=1e-3, atol=2e-7)
        assert np.abs(far).max() > 0


def test_a_clipped_step_is_that_of_tensorflows_clipping_by_the_global_norm(
    trainer: Trainer, plain: dict[str, Any]
) -> None:
    norm = math.sqrt(sum(float(np.sum(a.astype(np.float64) ** 2)) for a in plain.values()))
    wanted, told = tf.clip_by_global_norm([tf.constant(a) for a in plain.values()], 0.3 * norm)
    assert float(told) == pytest.approx(norm, rel=1e-5)
    for limit, values in ((0.3 * norm, wanted), (3.0 * norm, plain.values())):
        found = gradients(trainer, **{**IDLE, "clip_norm": limit})
        for value, name in zip(values, plain, strict=True):
            np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-7, err_msg=name)


@pytest.mark.parametrize("parts", [2, 5])
def test_parts_of_a_batch_add_up_to_the_whole(
    trainer: Trainer, plain: dict[str, Any], parts: int
) -> None:
    """Of 32 rows, five parts have 7, 7, 7, 7 and 4."""
    found = gradients(trainer, **{**IDLE, "accumulate": parts})
    for name, value in plain.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-6, err_msg=name)
    trainer.begin(parameters(**{**IDLE, "accumulate": parts}), seed=7)
    in_parts = trainer.train(1).loss
    trainer.begin(parameters(), seed=7)
    assert in_parts == pytest.approx(trainer.train(1).loss, rel=1e-6)


def test_without_the_pooler_it_is_not_trained_and_does_not_decay(trainer: Trainer) -> None:
    every, classifier = set(trainer.classifier.weights), trainer.classifier
    pooler = {name for name in every if name.startswith("encoder/pooler_transform/")}
    assert set(classifier.trained("all")) == every
    assert set(classifier.trained("all", "mean")) == every - pooler
    assert set(classifier.trained(1, "cls")) == set(classifier.trained(1)) - pooler
    assert len(pooler) == 2


def test_layers_that_begin_anew_are_drawn_from_the_seed(trainer: Trainer) -> None:
    def initial(count: int, seed: int = 7) -> dict[str, Any]:
        trainer.begin(parameters(reinit_layers=count), seed=seed)
        return arrays(trainer.classifier.weights)

    usual, anew, again, other = initial(0), initial(1), initial(1), initial(1, seed=8)
    prefixes = (f"encoder/transformer/layer_{LAYERS - 1}/", "encoder/pooler_transform/")
    assert {n for n in usual if not np.array_equal(usual[n], anew[n])} <= {
        n for n in usual if n.startswith(prefixes)
    }
    for name, value in anew.items():
        np.testing.assert_array_equal(value, again[name])
        if name.startswith(prefixes) and name.endswith("/kernel"):
            assert np.std(value) == pytest.approx(0.02, rel=0.1)
            assert not np.array_equal(value, other[name])
        elif name.startswith(prefixes):
            assert set(value.ravel()) == {1.0 if name.endswith("/gamma") else 0.0}


# A trial with all of it

EVERYTHING: dict[str, Any] = {
    "layer_decay": 0.8,
    "head_learning_rate": 2.0,
    "clip_norm": 0.5,
    "pooling": "mean",
    "reinit_layers": 1,
    "accumulate": 3,
    "average": "ema",
    "patience": 1.5,
}
OTHERWISE: dict[str, Any] = {
    "layer_decay": 0.5,
    "head_learning_rate": 0.1,
    "clip_norm": 5.0,
    "pooling": "mean",
    "reinit_layers": 2,
    "accumulate": 7,
    "average": "ema",
    "learning_rate": 5e-3,
}


# What is judged


def test_a_moving_average_follows_every_few_steps(bench: Workbench) -> None:
    trainer = bench.trainer
    trainer.begin(parameters(average="ema", dropout=0.1), seed=7)
    assert (interval(trainer.steps_per_epoch), interval(60), interval(10_000)) == (1, 3, 10)
    mean = arrays(trainer.classifier.weights)
    for number in range(6):
        trainer.train(number + 1)
        own = arrays(trainer.classifier.weights)
        keeps = (1 + number) / (10 + number)
        mean = {name: keeps * mean[name] + (1 - keeps) * value for name, value in own.items()}
    with trainer.averaged():
        found = arrays(trainer.classifier.weights)
    for name, value in found.items():
        np.testing.assert_allclose(value, mean[name], rtol=1e-5, atol=1e-7, err_msg=name)
    again = arrays(trainer.classifier.weights)
    assert all(np.array_equal(again[name], value) for name, value in own.items())
    assert not np.array_equal(found["head/kernel"], own["head/kernel"])


def test_a_soup_is_the_mean_of_its_members() -> None:
    soup, mean = Soup(), np.zeros(3, np.float32)
    assert soup.with_more({"w": tf.Variable(mean)}) is None
    for number, value in enumerate(np.eye(3, dtype=np.float32)):
        more = soup.with_more({"w": tf.Variable(value)})
        soup.take({"w": value} if more is None else more, joined=number > 0)
        other = Soup()
        other.restore(soup.state())
        assert other.members == number + 1
    more = other.with_more({"w": tf.Variable(np.ones(3, np.float32))})
    assert more is not None
    np.testing.assert_allclose(more["w"], np.full(3, 0.5), rtol=1e-6)


@pytest.mark.parametrize("average", ["ema", "soup"])
def test_an_average_is_judged_and_kept_and_the_training_goes_on_without_it(
    bench: Workbench, job: TrialJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, average: str
) -> None:
    monkeypatch.setattr(session, "STATE_BUDGET", math.inf)
    here = TrialJob.from_plain({**job.to_plain(), "folder": str(tmp_path), "report_every": 0.25})
    wild = {"learning_rate": 1e-3, "epochs": 2}
    usual = reports(Session(bench, here, proposal("usual", **wild)))
    cut = Session(bench, here, proposal("cut", average=average, **wild))
    first = [cut.next_report() for _ in range(5)]
    members = cut.soup.members if cut.soup else 0
    found = reports(Session(bench, here, proposal("cut", average=average, **wild)))
    assert numbers(found)[:5] == numbers(first)
    assert numbers(found) == numbers(
        reports(Session(bench, here, proposal("whole", average=average, **wild)))
    )
    losses = [[report["metrics"]["loss"] for report in told] for told in (usual, found)]
    # For a moving average the word embeddings are caught up more often, which rounds.
    assert losses[0] == pytest.approx(losses[1], abs=1e-3 if average == "ema" else 0)
    scores = [[report["objective"] for report in told] for told in (usual, found)]
    assert scores[0] != scores[1]
    if average == "soup":
        assert members > 1
        assert max(scores[1]) >= max(scores[0])
    bench.trainer.classifier.load(Checkpoint.open(tmp_path / found[-1]["checkpoint"]).arrays())
    told = bench.trainer.evaluate(bench.validation)
    best = max(found, key=lambda report: report["objective"])
    assert told.loss == pytest.approx(best["metrics"]["val_loss"], rel=1e-6)


def test_a_trial_ends_when_its_patience_does(bench: Workbench, job: TrialJob) -> None:
    for patience, count in ((0.5, 2), (1.0, 3), (1.5, 4), (0.0, 4)):
        told = proposal(f"p{count}-{patience}", learning_rate=1e-12, patience=patience)
        found = reports(Session(bench, job, told))
        assert [report["finished"] for report in found] == [False] * (count - 1) + [True]


def reports(session: Session) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while not found or not found[-1]["finished"]:
        found.append(session.next_report())
    return found


def numbers(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    timed = "examples_per_second"
    return [{k: v for k, v in report["metrics"].items() if k != timed} for report in told]


def test_a_trial_with_all_options_on_ends_alike_on_a_used_worker_interrupted_or_not(
    bench: Workbench, job: TrialJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "STATE_BUDGET", math.inf)
    here = TrialJob.from_plain({**job.to_plain(), "folder": str(tmp_path)})
    cut = Session(bench, here, proposal("cut", **EVERYTHING))
    first = [cut.next_report() for _ in range(2)]
    reports(Session(bench, here, proposal("between", epochs=1, **OTHERWISE)))
    again = reports(Session(bench, here, proposal("cut", **EVERYTHING)))
    whole = reports(Session(Workbench(here), here, proposal("whole", **EVERYTHING)))
    assert numbers(first) == numbers(whole)[:2]
    assert numbers(again) == numbers(whole)

    checkpoint = Checkpoint.open(tmp_path / whole[-1]["checkpoint"])
    assert checkpoint.record.pooling == "mean"
    predictor = Predictor(checkpoint)
    told = evaluate(predictor._forward, bench.validation, max_seq_length=32)
    best = max(whole, key=lambda report: report["objective"])
    assert told.loss == pytest.approx(best["metrics"]["val_loss"], rel=1e-5)
    assert WORD_EMBEDDINGS in checkpoint.arrays()
