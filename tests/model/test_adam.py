"""Adam against Keras' own, on whole weights and on a table whose rows are used now and then."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from bertsweep.model.adam import Adam
from bertsweep.spec.hyperparameters import Schedule

STEPS = 60


def reset(adam: Adam, **changed: Any) -> None:
    usual: dict[str, Any] = {
        "learning_rate": 0.01,
        "weight_decay": 0.0,
        "schedule": "constant",
        "warmup": 0.0,
        "total_steps": STEPS,
    }
    adam.begin(**{**usual, **changed})


def keras(decay: float) -> Any:
    if decay:
        return tf_keras.optimizers.AdamW(0.01, weight_decay=decay)
    return tf_keras.optimizers.Adam(0.01)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_the_optimizer_is_keras_adam_and_adamw(decay: float) -> None:
    rng = np.random.default_rng(0)
    start = rng.normal(size=(5, 3)).astype(np.float32)
    ours, theirs = tf.Variable(start), tf.Variable(start)
    adam, other = Adam({"layer/kernel": ours}), keras(decay)
    reset(adam, weight_decay=decay)
    for step in range(20):
        gradient = tf.constant(rng.normal(size=(5, 3)).astype(np.float32))
        adam.apply(step, {"layer/kernel": gradient})
        other.apply_gradients([(gradient, theirs)])
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_groups_of_weights_are_as_if_each_had_a_keras_optimizer_of_its_own(decay: float) -> None:
    """The last of them is the table of which each step uses few rows."""
    rng = np.random.default_rng(0)
    rates = [0.25, 1.0, 3.0]
    names = ["table", "top/kernel", "head/kernel"]
    start = rng.normal(size=(3, 6, 4)).astype(np.float32)
    ours = {name: tf.Variable(one) for name, one in zip(names, start, strict=True)}
    adam = Adam(ours, embeddings="table", groups={name: n for n, name in enumerate(names)})
    reset(adam, weight_decay=decay, warmup=0.3, schedule="linear", rates=rates)
    theirs = [tf.Variable(one) for one in start]
    others = [keras(decay) for _ in names]
    assert adam.embeddings is not None
    for step in range(20):
        ids = np.unique(rng.integers(0, 6, size=3)).astype(np.int32)
        gradients = rng.normal(size=(3, 6, 4)).astype(np.float32)
        gradients[0] = np.where(np.isin(np.arange(6), ids)[:, None], gradients[0], 0.0)
        rows = adam.embeddings.rows(tf.constant(ids), step)
        adam.embeddings.apply(step, tf.constant(ids), rows, tf.constant(gradients[0][ids]))
        rest = {name: tf.constant(one) for name, one in zip(names, gradients, strict=True)}
        del rest["table"]
        adam.apply(step, rest, grouped=True)
        for optimizer, rate, weight, one in zip(others, rates, theirs, gradients, strict=True):
            optimizer.learning_rate.assign(rate * adam.steps.rate(step))
            optimizer.apply_gradients([(tf.constant(one), weight)])
    adam.catch_up(20)
    for name, weight in zip(names, theirs, strict=True):
        np.testing.assert_allclose(ours[name].numpy(), weight.numpy(), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", ["layer/bias", "output_layer_norm/gamma", "layer_norm/beta"])
def test_biases_and_layer_norms_do_not_decay(name: str) -> None:
    weight = tf.Variable(tf.ones([3]))
    adam = Adam({name: weight})
    reset(adam, weight_decay=0.5)
    adam.apply(0, {name: tf.zeros([3])})
    assert weight.numpy().tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [0.5, 1.0, 1.0, 1.0, 1.0, 1.0]),
        ("linear", [0.5, 1.0, 1.0, 0.75, 0.5, 0.25]),
        ("cosine", [0.5, 1.0, 1.0, 0.8535534, 0.5, 0.1464466]),
    ],
)
def test_schedules_warm_up_and_then_fall(schedule: Schedule, expected: list[float]) -> None:
    adam = Adam({"w": tf.Variable([0.0])})
    reset(adam, learning_rate=1.0, schedule=schedule, warmup=1 / 3, total_steps=6)
    assert [adam.steps.rate(step) for step in range(6)] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_rows_used_now_and_then_end_where_a_dense_pass_takes_them(
    decay: float, schedule: Schedule
) -> None:
    rng = np.random.default_rng(1)
    start = rng.normal(size=(12, 4)).astype(np.float32)
    sparse, dense = tf.Variable(start), tf.Variable(start)
    ours = Adam({"table": sparse}, embeddings="table")
    whole = Adam({"table": dense})
    for adam in (ours, whole):
        reset(adam, weight_decay=decay, schedule=schedule, warmup=0.1)
    assert ours.embeddings is not None
    for step in range(STEPS):
        # The first rows come often, the last ones hardly ever, and one never.
        ids = np.unique(rng.geometric(0.25, size=5).clip(max=11) - 1).astype(np.int32)
        used = 0.01 * rng.normal(size=(len(ids), 4)).astype(np.float32)
        gradient = np.zeros_like(start)
        gradient[ids] = used
        rows = ours.embeddings.rows(tf.constant(ids), step)
        np.testing.assert_allclose(rows.weights, dense.numpy()[ids], rtol=2e-5, atol=2e-5)
        ours.embeddings.apply(step, tf.constant(ids), rows, tf.constant(used))
        whole.apply(step, {"table": tf.constant(gradient)})
        if step == STEPS // 2:  # as after every report, and nothing else may come of it
            ours.catch_up(step + 1)
    ours.catch_up(STEPS)
    np.testing.assert_allclose(sparse.numpy(), dense.numpy(), rtol=2e-5, atol=2e-5)
    moved = np.abs(dense.numpy() - start).max(axis=1)
    assert (moved[:10] > 0.01).all()
    assert (moved[11] > 0) == (decay > 0)
