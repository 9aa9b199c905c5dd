"""A BERT classifier whose hyperparameters are variables, so that one graph serves every trial."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from bertsweep.encoders import native
from bertsweep.encoders.config import EncoderConfig
from bertsweep.model.layers import Dropout
from bertsweep.model.network import WORDS, Network
from bertsweep.model.packing import Packing
from bertsweep.spec.hyperparameters import Pooling

WORD_EMBEDDINGS = f"encoder/{WORDS}"
"""Name of the word embeddings in `Classifier.weights`."""

_POOLER = "encoder/pooler_transform/"
_DEVIATION = 0.02
"""Standard deviation of the kernels of a BERT that was not trained yet."""


class Classifier:
    """Encoder, dropout on its output, and a dense head.

    Two classes share one logit (sigmoid); more have one each (softmax). `encoder` is Model
    Garden's `BertEncoder`, which owns the variables; `Network` computes with them. `reset` returns
    them to the start of a trial, whatever was trained before.
    """

    def __init__(self, encoder: Any, config: EncoderConfig, *, classes: int) -> None:
        self.encoder = encoder
        self.config = config
        self.classes = classes
        units = 1 if classes == 2 else classes
        self.dropout = tf.Variable(0.0, trainable=False, name="dropout")
        self.kernel = tf.Variable(tf.zeros([config.hidden_size, units]), name="head/kernel")
        self.bias = tf.Variable(tf.zeros([units]), name="head/bias")
        self._variables = native.variable_names(encoder)
        self.compute_in(tf.float32)
        self.weights: dict[str, tf.Variable] = {
            **{f"encoder/{name}": v for name, v in self._variables.items()},
            "head/kernel": self.kernel,
            "head/bias": self.bias,
        }
        # Copied, because on a CPU `numpy()` may return a view of memory that training writes to.
        self._initial = {name: np.array(v.numpy()) for name, v in self.weights.items()}

    def compute_in(self, dtype: tf.DType, *, jit: bool = False) -> None:
        """Makes graphs traced from now on compute the encoder's matrix products in `dtype`.

        `jit` must be true if their gradients are compiled with XLA.
        """
        self._network = Network(self._variables, self.config, dtype, jit=jit)

    def reset(self, *, seed: int, dropout: float, reinit_layers: int = 0) -> None:
        """Restores the pre-trained encoder and draws a new head from `seed` (Glorot uniform).

        The top `reinit_layers` encoder layers, and with any of them the pooler, are drawn anew too.
        """
        drawn_anew = self._drawn(reinit_layers, np.random.default_rng([seed, reinit_layers]))
        for name, variable in self.weights.items():
            variable.assign(drawn_anew.get(name, self._initial[name]))
        fan = sum(self.kernel.shape)
        limit = float(np.sqrt(6.0 / fan))
        drawn = np.random.default_rng(seed).uniform(-limit, limit, self.kernel.shape)
        self.kernel.assign(drawn.astype(np.float32))
        self.dropout.assign(dropout)

    def words(self, word_ids: Any) -> Any:
        """Returns the embeddings, float32 [rows, width, hidden], of ids, int32 [rows, width]."""
        return tf.gather(self.weights[WORD_EMBEDDINGS], word_ids)

    def logits(
        self,
        words: Any,
        mask: Any,
        types: Any,
        dropout: Dropout | None = None,
        *,
        pooling: Pooling = "pooled",
        packing: Packing | None = None,
    ) -> Any:
        """Returns logits, float32 [rows] for two classes and [rows, classes] for more.

        The arguments are those of `Network.output`. Word embeddings come from outside, so that a
        training step can take the gradient by the rows it used.
        """
        pooled = self._network.output(words, mask, types, dropout, pooling=pooling, packing=packing)
        if dropout is not None:
            pooled = dropout(pooled, self.dropout)
        logits = tf.matmul(pooled, self.kernel) + self.bias
        return tf.squeeze(logits, axis=1) if self.classes == 2 else logits

    def trained(self, layers: int | str, pooling: Pooling = "pooled") -> dict[str, tf.Variable]:
        """Returns the weights to train if the top `layers` encoder layers are ("all": all weights).

        The head is always trained, the pooler where it is used; embeddings only with "all".
        """
        unused = () if pooling == "pooled" else (_POOLER,)
        chosen = "" if layers == "all" else ("head/", _POOLER, *self._tops(int(layers)))
        return {
            name: v
            for name, v in self.weights.items()
            if name.startswith(chosen) and not name.startswith(unused)
        }

    def _tops(self, layers: int) -> list[str]:
        """What the names of the weights of the top `layers` encoder layers begin with."""
        total = self.config.num_layers
        return [f"encoder/transformer/layer_{i}/" for i in range(total - layers, total)]

    def _drawn(self, layers: int, rng: np.random.Generator) -> dict[str, np.ndarray[Any, Any]]:
        """New values of the top layers and the pooler; none for 0 layers.

        Drawn as BERT's own were before pre-training: normal with a deviation of 0.02, biases 0,
        layer norms the identity. Source: Zhang et al. 2021, "Revisiting Few-sample BERT
        Fine-tuning", section 5, which also draws the pooler anew.
        """
        prefixes = (_POOLER, *self._tops(layers)) if layers else ()
        return {
            name: _anew(name, initial.shape, rng)
            for name, initial in self._initial.items()
            if name.startswith(prefixes)
        }

    def load(self, weights: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Assigns every weight by name. Raises `KeyError` when one is missing."""
        for name, variable in self.weights.items():
            variable.assign(weights[name])


def _anew(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray[Any, Any]:
    if name.endswith("/kernel"):
        return rng.normal(0.0, _DEVIATION, shape).astype(np.float32)
    return np.full(shape, 1.0 if name.endswith("/gamma") else 0.0, np.float32)


def cross_entropy(logits: Any, labels: Any, *, classes: int, smoothing: Any = 0.0) -> Any:
    """Returns the cross-entropy of each row [rows], with label smoothing.

    Targets are `1 - smoothing` times the labels plus `smoothing` times the uniform distribution.
    Source: Szegedy et al. 2016, "Rethinking the Inception Architecture", section 7.
    """
    if classes == 2:
        targets = tf.cast(labels, tf.float32) * (1.0 - smoothing) + 0.5 * smoothing
        return tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits)
    targets = tf.one_hot(labels, classes) * (1.0 - smoothing) + smoothing / classes
    return tf.nn.softmax_cross_entropy_with_logits(labels=targets, logits=logits)


def probabilities(logits: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Returns probabilities, float64: of class 1 for [rows], of each class for [rows, classes]."""
    if logits.ndim == 1:
        # The sigmoid by way of tanh, which overflows for no logit.
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits.astype(np.float64))))
    shifted = np.exp((logits - logits.max(axis=1, keepdims=True)).astype(np.float64))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
