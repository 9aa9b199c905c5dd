"""Rows that share sequences: the same outputs and gradients as rows that are padded."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from bertsweep.encoders import PreparedEncoder, native, prepare_encoder
from bertsweep.encoders.variables import shapes
from bertsweep.model.classifier import Classifier
from bertsweep.spec.hyperparameters import Hyperparameters, Pooling
from bertsweep.spec.models import Encoder
from bertsweep.tokens import Tokens, WordPieces
from bertsweep.training.feed import cut_batch, make_feed
from bertsweep.training.packed import WIDTH_STEP, cut_packed, make_packed_feed, plan
from bertsweep.training.steps import Form
from bertsweep.training.trainer import Trainer

LENGTH = 24
SHORT_AND_LONG = [
    "why is it " + "very " * times + ending
    for times, ending in zip([0, 30, 2, 7, 1, 0, 12, 4, 3, 9, 2], "abcdefghijk", strict=True)
]
"""Texts of three to more than `LENGTH` word pieces."""


@pytest.fixture(scope="module")
def encoder() -> PreparedEncoder:
    cache = Path(os.environ["BERTSWEEP_CACHE"])
    return prepare_encoder(Encoder(source="builtin:tiny"), cache=cache, base=Path())


def rows(encoder: PreparedEncoder, *, pair: bool, classes: int) -> Tokens:
    pieces = WordPieces(encoder.vocabulary, encoder.lowercase)
    second = SHORT_AND_LONG[::-1] if pair else None
    tokens = Tokens.from_texts(pieces, SHORT_AND_LONG, second)
    labels = (np.arange(tokens.rows) % classes).astype(np.int32)
    return replace(tokens, labels=labels, classes=classes)


def trainer(encoder: PreparedEncoder, *, pair: bool = False, classes: int = 2) -> Trainer:
    """One without dropout, with weights of a size at which every part of the encoder counts."""
    config = replace(encoder.config, dropout=0.0, attention_dropout=0.0)
    rng = np.random.default_rng(0)
    drawn = {
        name: rng.normal(0.0, 0.3, shape).astype(np.float32)
        for name, shape in shapes(config).items()
    }
    network = native.build(encoder)
    native.assign(network, drawn, config=config, where="a test")
    classifier = Classifier(network, config, classes=classes)
    classifier.reset(seed=1, dropout=0.0)
    return Trainer(classifier, rows(encoder, pair=pair, classes=classes))


# Which rows share a sequence


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(3, 90), min_size=1, max_size=70))
def test_every_row_has_its_places_in_one_sequence(lengths: list[int]) -> None:
    planned = plan(np.array(lengths, np.int32))
    held = [row for sequence in planned.sequences for row in sequence]
    assert sorted(held) == list(range(len(lengths)))
    taken = [sum(lengths[row] for row in sequence) for sequence in planned.sequences]
    assert 0 < min(taken) <= max(taken) <= planned.width
    assert planned.width % WIDTH_STEP == 0


def test_packed_rows_leave_little_padding() -> None:
    lengths = np.random.default_rng(0).geometric(0.08, size=3200).clip(3, 128)
    batches = lengths.reshape(-1, 32)
    places = sum(len(p.sequences) * p.width for p in map(plan, batches))
    assert places / lengths.sum() < 1.1
    assert sum(32 * batch.max() for batch in batches) / lengths.sum() > 2


def test_a_batch_of_any_size_is_packed_in_reasonable_time() -> None:
    lengths = np.random.default_rng(0).geometric(0.08, size=20_000).clip(3, 128)
    planned = plan(lengths)
    assert len(planned.sequences) * planned.width / lengths.sum() < 1.01


# What is computed with them


@pytest.mark.parametrize("pair", [False, True])
@pytest.mark.parametrize("pooling", ["pooled", "cls", "mean"])
def test_logits_are_those_of_padded_rows(
    encoder: PreparedEncoder, pooling: Pooling, *, pair: bool
) -> None:
    one = trainer(encoder, pair=pair, classes=3)
    batches = [np.arange(7), np.arange(7, 11)]
    tokens, zeros = one.train_tokens, tf.zeros([3], tf.int32)
    # Labels tell the rows apart: each is its row's number.
    tokens = replace(tokens, labels=np.arange(tokens.rows, dtype=np.int32))
    packed = make_packed_feed(tokens, batches, max_seq_length=LENGTH)
    padded = make_feed(tokens, batches, max_seq_length=LENGTH)
    first = cut_packed(packed, 0, zeros, pair=pair)
    sequences, width, count, most = packed.shapes[0]
    starts = tf.constant([sequences * width, sequences * most, count])
    second = cut_packed(packed, 1, starts, pair=pair)
    skipped = int(padded.rows[0] * padded.widths[0])
    plain = [
        cut_batch(padded, 0, 0, 0, pair=pair),
        cut_batch(padded, 1, skipped, 7, pair=pair),
    ]
    for packs, pads in zip((first, second), plain, strict=True):
        assert packs.ids.shape[0] < pads.ids.shape[0]
        found, wanted = (
            one.classifier.logits(
                one.classifier.words(batch.ids),
                batch.mask,
                batch.types,
                pooling=pooling,
                packing=batch.packing,
            ).numpy()
            for batch in (packs, pads)
        )
        order = np.asarray(packs.labels)
        assert sorted(order) == sorted(np.asarray(pads.labels))
        np.testing.assert_allclose(found, wanted[order - order.min()], atol=5e-6)
        assert np.abs(np.diff(wanted, axis=0)).max() > 1e-2


def gradients(one: Trainer, *, packed: bool, **changed: Any) -> tuple[dict[str, Any], float]:
    """The gradients of a step on all rows, which Adam's first moments are a tenth of, and the loss.

    The rate is small enough for the step to change nothing that matters.
    """
    values = {"learning_rate": 1e-7, "dropout": 0.0, "max_seq_length": LENGTH, "batch_size": 16}
    one.begin(Hyperparameters(batches="random", **{**values, **changed}), seed=7)
    assert one.form.packed
    one.form = replace(one.form, packed=packed)
    loss = one.train(1).loss
    return {n: 10.0 * a for n, a in one.adam.state().items() if n.startswith("first")}, loss


OPTIONS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "weights, clipping, smoothing": {
        "class_weight": "balanced",
        "clip_norm": 0.05,
        "label_smoothing": 0.1,
    },
    "parts, rates, the mean": {
        "accumulate": 3,
        "layer_decay": 0.8,
        "head_learning_rate": 2.0,
        "pooling": "mean",
    },
    "a layer alone, [CLS]": {"trainable_layers": 1, "pooling": "cls"},
}


def agree(one: Trainer, **options: Any) -> None:
    found, loss = gradients(one, packed=True, **options)
    wanted, padded_loss = gradients(one, packed=False, **options)
    assert loss == pytest.approx(padded_loss, rel=1e-6)
    largest = max(np.abs(value).max() for value in wanted.values())
    assert largest > 0
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, atol=1e-5 * largest, rtol=1e-4, err_msg=name)


@pytest.mark.parametrize("options", OPTIONS)
def test_a_step_has_the_gradients_of_padded_rows(encoder: PreparedEncoder, options: str) -> None:
    agree(trainer(encoder, pair=options == "nothing", classes=3), **OPTIONS[options])


def test_with_xla_random_batches_are_padded() -> None:
    random = Hyperparameters(batches="random")
    assert Form.of(random).packed
    assert not Form.of(random, jit=True).packed
    assert not Form.of(Hyperparameters()).packed
