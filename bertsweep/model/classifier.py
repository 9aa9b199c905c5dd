"""A BERT classifier whose searchable values are variables: one graph serves every trial."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from bertsweep.encoders import native
from bertsweep.seeds import derive


class Classifier:
    """Encoder, dropout on the pooled output, and a dense head.

    Two classes share one logit (sigmoid), more have one each (softmax). `reset` brings weights
    and random generators to the state that a trial's seed decides, whatever ran before.
    """

    def __init__(self, encoder: Any, *, classes: int) -> None:
        self.encoder = encoder
        self.classes = classes
        hidden = int(encoder.get_config()["hidden_size"])
        units = 1 if classes == 2 else classes
        self.dropout = tf.Variable(0.0, trainable=False, name="dropout")
        self.kernel = tf.Variable(tf.zeros([hidden, units]), name="head/kernel")
        self.bias = tf.Variable(tf.zeros([units]), name="head/bias")
        self.generator = tf.random.Generator.from_seed(0)
        self.weights: dict[str, tf.Variable] = {
            **{f"encoder/{name}": v for name, v in native.variable_names(encoder).items()},
            "head/kernel": self.kernel,
            "head/bias": self.bias,
        }
        # Copied: on the CPU, `numpy()` may be a view of the variable that training writes to.
        self._initial = {name: np.array(v.numpy()) for name, v in self.weights.items()}

    def reset(self, *, seed: int, dropout: float) -> None:
        """Pre-trained encoder, a head drawn from `seed` (Glorot uniform), reseeded generators."""
        for name, variable in self.weights.items():
            variable.assign(self._initial[name])
        fan = sum(self.kernel.shape)
        limit = float(np.sqrt(6.0 / fan))
        drawn = np.random.default_rng(seed).uniform(-limit, limit, self.kernel.shape)
        self.kernel.assign(drawn.astype(np.float32))
        self.dropout.assign(dropout)
        for index, generator in enumerate(self.generators):
            generator.reset_from_seed(derive(seed, "dropout", index))

    @property
    def generators(self) -> list[tf.random.Generator]:
        """Every random generator of the model, in a fixed order."""
        return [self.generator, *native.dropout_generators(self.encoder)]

    def logits(self, word_ids: Any, mask: Any, type_ids: Any, *, training: bool) -> Any:
        """Logits, float32 [rows] for two classes and [rows, classes] for more."""
        inputs = {"input_word_ids": word_ids, "input_mask": mask, "input_type_ids": type_ids}
        pooled = tf.cast(self.encoder(inputs, training=training)["pooled_output"], tf.float32)
        if training:
            kept = self.generator.uniform(tf.shape(pooled)) >= self.dropout
            pooled = tf.where(kept, pooled / (1.0 - self.dropout), 0.0)
        logits = tf.matmul(pooled, self.kernel) + self.bias
        return tf.squeeze(logits, axis=1) if self.classes == 2 else logits

    def trained(self, layers: int | str) -> dict[str, tf.Variable]:
        """The weights that train when the top `layers` encoder layers do ("all": every weight).

        The pooler and the head always train.
        """
        if layers == "all":
            return dict(self.weights)
        total = int(self.encoder.get_config()["num_layers"])
        tops = [f"encoder/transformer/layer_{i}/" for i in range(total - int(layers), total)]
        prefixes = ("head/", "encoder/pooler_transform/", *tops)
        return {name: v for name, v in self.weights.items() if name.startswith(prefixes)}

    def load(self, weights: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Assigns every weight by name. Raises `KeyError` when one is missing."""
        for name, variable in self.weights.items():
            variable.assign(weights[name])


def cross_entropy(logits: Any, labels: Any, *, classes: int, smoothing: Any = 0.0) -> Any:
    """Cross-entropy of each row [rows], targets mixed with `smoothing` of the uniform one.

    Source: Szegedy et al. 2016, "Rethinking the Inception Architecture", section 7.
    """
    if classes == 2:
        targets = tf.cast(labels, tf.float32) * (1.0 - smoothing) + 0.5 * smoothing
        return tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits)
    targets = tf.one_hot(labels, classes) * (1.0 - smoothing) + smoothing / classes
    return tf.nn.softmax_cross_entropy_with_logits(labels=targets, logits=logits)


def probabilities(logits: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Probabilities from logits: of class 1 for [rows], of each class for [rows, classes]."""
    if logits.ndim == 1:
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits.astype(np.float64))))
    shifted = np.exp((logits - logits.max(axis=1, keepdims=True)).astype(np.float64))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
