"""The forward pass of a trial against Model Garden's own layers, and its dropout."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from bertsweep.encoders import PreparedEncoder, native, prepare_encoder
from bertsweep.encoders.config import Activation, EncoderConfig
from bertsweep.encoders.variables import shapes
from bertsweep.encoders.verify import ACTIVATIONS, probe_batch
from bertsweep.model import layers
from bertsweep.model.layers import Dropout
from bertsweep.model.network import WORDS, Network
from bertsweep.spec.hyperparameters import Pooling
from bertsweep.spec.models import Encoder


@pytest.fixture(scope="module")
def tiny() -> PreparedEncoder:
    cache = Path(os.environ["BERTSWEEP_CACHE"])
    return prepare_encoder(Encoder(source="builtin:tiny"), cache=cache, base=Path())


def random_encoder(config: EncoderConfig) -> Any:
    """Model Garden's encoder with weights of a size at which every part of it counts."""
    rng = np.random.default_rng(0)
    drawn = {
        name: rng.normal(0.0, 0.3, shape).astype(np.float32)
        for name, shape in shapes(config).items()
    }
    encoder = native.empty(config)
    native.assign(encoder, drawn, config=config, where="a test")
    return encoder


def config_of(tiny: PreparedEncoder, activation: Activation) -> EncoderConfig:
    return replace(tiny.config, activation=activation, num_layers=3, num_attention_heads=2)


def pooled(encoder: Any, config: EncoderConfig, batch: Any, dtype: tf.DType = tf.float32) -> Any:
    variables = native.variable_names(encoder)
    words = tf.gather(variables[WORDS], batch["input_word_ids"])
    network = Network(variables, config, dtype)
    return network.pooled(words, batch["input_mask"], batch["input_type_ids"], None)


@pytest.mark.parametrize(
    ("activation", "epsilon"), [*((name, 1e-12) for name in ACTIVATIONS), ("gelu", 0.1)]
)
def test_pooled_output_and_gradients_are_model_gardens(
    tiny: PreparedEncoder, activation: Activation, epsilon: float
) -> None:
    config = replace(config_of(tiny, activation), layer_norm_eps=epsilon)
    encoder, batch = random_encoder(config), probe_batch(config)
    variables = native.variable_names(encoder)
    direction = tf.random.stateless_normal([8, config.hidden_size], seed=[1, 2])
    results = []
    for forward in (
        lambda: encoder(batch, training=False)["pooled_output"],
        lambda: pooled(encoder, config, batch),
    ):
        with tf.GradientTape() as tape:
            output = forward()
            loss = tf.reduce_sum(output * direction)
        gradients = tape.gradient(loss, variables)
        results.append((output, {n: tf.convert_to_tensor(g).numpy() for n, g in gradients.items()}))
    (theirs, their_gradients), (ours, our_gradients) = results
    np.testing.assert_allclose(ours, theirs, atol=2e-5)
    largest = max(np.abs(gradient).max() for gradient in their_gradients.values())
    for name, gradient in their_gradients.items():
        np.testing.assert_allclose(
            our_gradients[name], gradient, atol=2e-5 * largest, rtol=1e-3, err_msg=name
        )


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_what_the_last_layer_says_is_model_gardens(tiny: PreparedEncoder, pooling: Pooling) -> None:
    config = config_of(tiny, "gelu")
    encoder, batch = random_encoder(config), probe_batch(config)
    variables = native.variable_names(encoder)
    network = Network(variables, config, tf.float32)
    direction = tf.random.stateless_normal([8, config.hidden_size], seed=[1, 2])
    mask = tf.cast(batch["input_mask"], tf.float32)[:, :, tf.newaxis]
    results = []
    for ours in (False, True):
        with tf.GradientTape() as tape:
            if ours:
                words = tf.gather(variables[WORDS], batch["input_word_ids"])
                masks = batch["input_mask"], batch["input_type_ids"]
                output = network.output(words, *masks, None, pooling=pooling)
            else:
                sequence = encoder(batch, training=False)["sequence_output"]
                mean = tf.reduce_sum(sequence * mask, axis=1) / tf.reduce_sum(mask, axis=1)
                output = sequence[:, 0] if pooling == "cls" else mean
            loss = tf.reduce_sum(output * direction)
        name = "transformer/layer_0/self_attention/query/kernel"
        results.append((output.numpy(), tape.gradient(loss, variables[name]).numpy()))
    (theirs, their_gradient), (found, gradient) = results
    np.testing.assert_allclose(found, theirs, atol=2e-5)
    largest = np.abs(their_gradient).max()
    np.testing.assert_allclose(gradient, their_gradient, atol=2e-5 * largest, rtol=1e-3)


def test_without_types_the_first_one_is_meant(tiny: PreparedEncoder) -> None:
    config = config_of(tiny, "gelu")
    encoder, batch = random_encoder(config), probe_batch(config)
    batch["input_type_ids"] = tf.zeros_like(batch["input_type_ids"])
    variables = native.variable_names(encoder)
    words = tf.gather(variables[WORDS], batch["input_word_ids"])
    ours = Network(variables, config, tf.float32).pooled(words, batch["input_mask"], None, None)
    np.testing.assert_allclose(ours, pooled(encoder, config, batch), atol=1e-6)


def test_padding_changes_nothing(tiny: PreparedEncoder) -> None:
    config = config_of(tiny, "gelu")
    encoder, batch = random_encoder(config), probe_batch(config)
    short = {name: value[:2, :8] for name, value in batch.items()}
    wide = {name: tf.pad(value, [[0, 0], [0, 9]]) for name, value in short.items()}
    assert tf.reduce_sum(batch["input_mask"][:2, 8:]) == 0
    np.testing.assert_allclose(
        pooled(encoder, config, wide), pooled(encoder, config, short), atol=1e-6
    )


def test_half_precision_is_near(tiny: PreparedEncoder) -> None:
    encoder, batch = native.build(tiny), probe_batch(tiny.config)
    exact = pooled(encoder, tiny.config, batch)
    half = pooled(encoder, tiny.config, batch, tf.bfloat16)
    assert half.dtype == tf.float32
    difference = np.abs(half.numpy() - exact.numpy()).max()
    assert 0 < difference < 0.05


def test_gelu_is_keras() -> None:
    x = tf.constant(np.linspace(-6, 6, 101).astype(np.float32))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        ours, theirs = layers.gelu(x), tf_keras.activations.gelu(x, approximate=False)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        tape.gradient(ours, x), tape.gradient(theirs, x), rtol=1e-5, atol=1e-6
    )


def draw(seed: int, step: int, *rates: float, replica: int = 0) -> list[np.ndarray[Any, Any]]:
    dropout = Dropout.of_step(tf.constant([seed], tf.uint64), tf.constant(step), replica=replica)
    return [dropout(tf.ones([101, 333]), rate).numpy() for rate in rates]


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.97])
def test_dropout_drops_its_share_and_keeps_the_mean(rate: float) -> None:
    (masked,) = draw(7, 0, rate)
    assert np.mean(masked == 0) == pytest.approx(rate, abs=0.01)
    assert masked.max() == pytest.approx(1 / (1 - rate), rel=1e-3)
    # Rows, columns and neighbours are as mixed as the whole.
    assert np.abs(np.mean(masked == 0, axis=0) - rate).max() < 0.25
    assert np.mean((masked[:, 1:] == 0) & (masked[:, :-1] == 0)) == pytest.approx(
        rate**2, abs=0.015
    )


def test_dropout_follows_from_seed_step_and_place_alone() -> None:
    first = draw(7, 3, 0.5, 0.5)
    np.testing.assert_array_equal(first, draw(7, 3, 0.5, 0.5))
    others = [first[1], *(draw(*where, 0.5)[0] for where in ((8, 3), (7, 4)))]
    others += draw(7, 3, 0.5, replica=1)
    for other in others:
        assert 0.45 < np.mean(other == first[0]) < 0.55


def test_dropout_of_nothing_is_nothing() -> None:
    assert (draw(7, 0, 0.0)[0] == 1).all()
    dropout = Dropout(tf.constant([7], tf.uint64), tf.constant(0, tf.int64))
    assert (dropout(tf.ones([9]), tf.constant(0.0)).numpy() == 1).all()
