"""What further objectives ask of a trial: latency measured in turns, weights counted, seconds."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertsweep.spec.hyperparameters import Hyperparameters
from bertsweep.tokens import Tokens
from bertsweep.training.compute import Compute
from bertsweep.training.latency import LEAST_ROUNDS, TEXTS, Latency, Way, measure
from bertsweep.trial import costs
from bertsweep.trial.costs import costs_of
from bertsweep.trial.job import TrialJob
from bertsweep.trial.session import Session
from bertsweep.trial.workbench import Workbench
from tests.support.trials import proposal, small_job, small_prepared

REFERENCE = {"max_seq_length": 32, "pooling": "pooled"}
COSTS = ("latency_ms", "latency_ms_batch_32", "parameters", "train_seconds")


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> TrialJob:
    job = small_job(tmp_path_factory.mktemp("sweep"), small_prepared())
    return replace(job, costs=COSTS, reference=REFERENCE)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """As few rounds as there must be."""
    monkeypatch.setattr(costs, "measure", partial(measure, seconds=0.0))


class Forward:
    """Takes half a millisecond for each column of a batch, and notes what it was given."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, int]] = []

    def __call__(self, feed: Any) -> Forward:
        ((rows, width),) = zip(feed.rows.tolist(), feed.widths.tolist(), strict=True)
        self.shapes.append((rows, width))
        time.sleep(0.0005 * width)
        return self

    def numpy(self) -> None:
        """What a graph's result has."""


def timed(forward: Forward, tokens: Tokens, *, batch: int, lengths: tuple[int, int]) -> Latency:
    own, reference = (Way(forward, length) for length in lengths)
    return measure(tokens, batch=batch, own=own, reference=reference, seconds=0.0)


@pytest.fixture(scope="module")
def validation(job: TrialJob) -> Tokens:
    return Tokens.open(Path(job.tokens), "validation")


def test_both_lengths_are_timed_in_turns_and_the_turns_change(validation: Tokens) -> None:
    forward = Forward()
    found = timed(forward, validation, batch=32, lengths=(6, 12))
    calls = forward.shapes[2:]
    assert set(calls) == {(32, 6), (32, 12)}
    assert [width for _, width in calls] == [6, 12, 12, 6, 6, 12, 12, 6, 6, 12]
    assert found.rounds == LEAST_ROUNDS
    assert 0.3 < found.ratio < 0.9


def test_the_texts_are_the_same_for_both_lengths_and_from_short_to_long(
    validation: Tokens,
) -> None:
    forward = Forward()
    timed(forward, validation, batch=1, lengths=(9, 500))
    warm = forward.shapes[: 2 * TEXTS]
    short, long = [w for _, w in warm[:TEXTS]], [w for _, w in warm[TEXTS:]]
    assert short == [min(width, 9) for width in long]
    lengths = validation.lengths(500)
    assert (min(long), max(long)) == (lengths.min(), lengths.max())
    assert abs(np.median(long) - np.median(lengths)) <= 1


def test_texts_that_neither_length_cuts_bring_no_noise(validation: Tokens) -> None:
    widest = int(validation.lengths(500).max())
    found = timed(Forward(), validation, batch=1, lengths=(widest - 1, widest))
    assert 0.9 < found.ratio < 1.0


def test_lengths_that_cut_no_text_take_the_same_time(validation: Tokens) -> None:
    found = timed(Forward(), validation, batch=32, lengths=(400, 500))
    assert found.ratio == 1.0


def test_a_trial_reports_its_costs_and_what_was_measured_for_them(
    bench: Workbench, job: TrialJob
) -> None:
    bench.trainer.use(Compute())
    session = Session(bench, job, proposal("t0000"))
    first, second = session.next_report(), session.next_report()
    metrics = first["metrics"]
    assert set(COSTS) <= metrics.keys()
    weights = bench.trainer.classifier.weights
    assert metrics["parameters"] == sum(variable.numpy().size for variable in weights.values())
    assert metrics["train_seconds"] == first["system"]["training_seconds"]
    total = sum(report["system"]["training_seconds"] for report in (first, second))
    assert second["metrics"]["train_seconds"] == pytest.approx(total)
    for name, batch in (("latency_ms", 1), ("latency_ms_batch_32", 32)):
        (measured,) = [one for one in first["latency"] if one["cost"] == name]
        assert measured["batch"] == batch
        assert measured["params"] == measured["reference"] == REFERENCE
        assert measured["ratio"] == 1.0
        # The baseline's own length: what it took is what all others are compared with.
        assert metrics[name] == measured["reference_ms"] > 0
        assert second["metrics"][name] == metrics[name]
    assert second["latency"] == []


def test_trials_that_predict_alike_share_one_measurement(bench: Workbench, job: TrialJob) -> None:
    found = []
    for seed, pooling in ((1, "pooled"), (2, "pooled"), (3, "mean")):
        point = {"max_seq_length": 6, "epochs": 1, "pooling": pooling}
        bench.trainer.begin(Hyperparameters.from_point(point), seed=seed)
        found.append(costs_of(bench, job, None, training_seconds=1.0))
    (first, measured), (second, again), (other, anew) = found
    assert [one["params"]["pooling"] for one in anew] == ["mean", "mean"]
    hidden = bench.encoder.config.hidden_size
    assert first["parameters"] - other["parameters"] == hidden * hidden + hidden, "the pooler"
    assert first == second
    assert [one["params"]["max_seq_length"] for one in measured] == [6, 6]
    assert again == []
    for one in measured:
        assert first[one["cost"]] == one["ratio"] * one["reference_ms"]


def test_another_encoder_is_measured_apart_at_a_length_that_it_has(
    bench: Workbench, job: TrialJob
) -> None:
    # The baseline's length, which the encoder of this workbench has no positions for.
    job = replace(job, reference={"max_seq_length": 512, "pooling": "pooled", "encoder": "long"})
    found = []
    for encoder in ("a", "b"):
        point = {"max_seq_length": 16, "epochs": 1, "encoder": encoder}
        bench.trainer.begin(Hyperparameters.from_point(point), seed=1)
        found.append(costs_of(bench, job, None, training_seconds=1.0)[1])
    for encoder, measured in zip("ab", found, strict=True):
        assert [one["params"]["encoder"] for one in measured] == [encoder, encoder]
    assert found[0][0]["reference_ms"] != found[1][0]["reference_ms"]


def test_without_further_objectives_nothing_is_measured(bench: Workbench, job: TrialJob) -> None:
    bench.trainer.begin(Hyperparameters(epochs=1), seed=1)
    assert costs_of(bench, replace(job, costs=()), None, training_seconds=1.0) == ({}, [])
