"""BERT's forward pass on the variables of Model Garden's encoder, as far as a classifier needs it.

Model Garden's own layers return the same pooled output (`tests/model/test_network.py` compares
them) in more time. Here query, key and value are one matrix product, all tokens of a batch are the
rows of one matrix, and dropout needs half the random numbers. Of the last layer only the row of
[CLS] is computed where no other is asked for: that saves a fourteenth of the products of BERT base
and a seventh of MiniLM's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from bertsweep.encoders.config import EncoderConfig
from bertsweep.model.layers import ACTIVATIONS, Dropout, dense, layer_norm
from bertsweep.model.packing import MASKED, Packing
from bertsweep.spec.hyperparameters import Pooling

WORDS = "word_embeddings/embeddings"
_LAYER_STREAMS = 3
"""Random streams of a layer: it has three dropouts."""

Weights = Mapping[str, Any]
"""Tensors by name; those of one layer without the layer's own prefix."""


class Network:
    """Computes the output of a BERT encoder; `weights` have the names of `variables`."""

    def __init__(
        self,
        weights: Mapping[str, tf.Variable],
        config: EncoderConfig,
        dtype: tf.DType,
        *,
        jit: bool = False,
    ) -> None:
        """Matrix products are computed in `dtype`, everything else in float32.

        `jit` must be true if gradients through this network are compiled with XLA.
        """
        self._weights, self._config, self._dtype = weights, config, dtype
        self._activation = ACTIVATIONS[config.activation]
        # One trace for all layers but the last, since a new worker's first step waits for tracing.
        # XLA must not see it: it takes every argument of a differentiated function, the weights
        # among them, for a constant of the program, and so would compile anew in every step.
        self._any_layer = self._layer if jit else tf.function(self._layer, autograph=False)

    def pooled(self, words: Any, mask: Any, types: Any, dropout: Dropout | None) -> Any:
        """Returns BERT's pooled output, float32 [rows, hidden]; `output` has the arguments."""
        return self.output(words, mask, types, dropout, pooling="pooled")

    def output(
        self,
        words: Any,
        mask: Any,
        types: Any,
        dropout: Dropout | None,
        *,
        pooling: Pooling,
        packing: Packing | None = None,
    ) -> Any:
        """Returns one vector a row, float32 [rows, hidden], made from the last layer's output.

        `pooling` "pooled" is BERT's pooler, the tanh of a dense layer on the row of [CLS]; "cls" is
        that row itself, and "mean" the mean over all word pieces, [CLS] and [SEP] included.

        `words` are word embeddings, float32 [rows, width, hidden]; `mask` is 1 where there is a
        word piece and 0 for padding, int32 [rows, width]; `types` are type ids of that shape, or
        None where all are 0. `dropout` None is for evaluation.

        With `packing`, which says where the rows are, those are matrices of sequences that several
        rows share, and no `mask` is needed.
        """
        size = self._config.hidden_size
        shape = tf.shape(words)
        rows, width = shape[0], shape[1]
        x = tf.reshape(self._embedded(words, types, width, packing), [-1, size])
        x = self._norm(self._weights, "embeddings/layer_norm", x)
        x = self._drop(x, self._config.dropout, dropout)
        if packing is None:
            bias = (1.0 - tf.cast(mask, tf.float32))[:, tf.newaxis, tf.newaxis, :] * MASKED
        else:
            bias = packing.bias()
        final = None if pooling == "mean" else self._config.num_layers - 1
        for number in range(self._config.num_layers):
            streams = None if dropout is None else dropout.reserve(_LAYER_STREAMS)
            weights = self._of_layer(number)
            if number == final:
                x = self._layer(weights, x, bias, rows, streams, last=True, packing=packing)
            else:
                x = self._any_layer(weights, x, bias, rows, streams, last=False)
        if pooling == "mean" and packing is not None:
            return packing.mean(x)
        if pooling == "mean":
            return _mean(tf.reshape(x, [rows, width, size]), tf.cast(mask, tf.float32))
        if pooling == "cls":
            return x
        return tf.tanh(self._dense(self._weights, "pooler_transform", x))

    def _embedded(self, words: Any, types: Any, width: Any, packing: Packing | None) -> Any:
        table = self._weights["type_embeddings/embeddings"]
        places = self._weights["position_embedding/embeddings"]
        places = places[:width] if packing is None else tf.gather(places, packing.places)
        if types is None:
            return words + (places + table[0])
        kinds = tf.one_hot(types, self._config.type_vocab_size)
        return words + places + tf.einsum("bwt,th->bwh", kinds, tf.convert_to_tensor(table))

    def _of_layer(self, number: int) -> Weights:
        """Returns a layer's weights as tensors: arguments of the function traced for all layers."""
        prefix = f"transformer/layer_{number}/"
        return {
            name.removeprefix(prefix): tf.convert_to_tensor(variable)
            for name, variable in self._weights.items()
            if name.startswith(prefix)
        }

    def _layer(
        self,
        weights: Weights,
        x: Any,
        bias: Any,
        rows: Any,
        streams: Any,
        *,
        last: bool,
        packing: Packing | None = None,
    ) -> Any:
        """Applies a transformer layer to [rows × width, hidden].

        The last layer returns the rows of [CLS] alone, [rows, hidden].
        """
        config = self._config
        dropout = None if streams is None else Dropout(*streams)
        attended, x = self._attention(weights, x, bias, rows, dropout, last=last, packing=packing)
        # Model Garden applies the attention's rate to its output too, where BERT has the other.
        attended = self._drop(attended, config.attention_dropout, dropout)
        x = self._norm(weights, "self_attention_layer_norm", x + attended)
        inner = self._activation(self._dense(weights, "intermediate", x))
        output = self._drop(self._dense(weights, "output", inner), config.dropout, dropout)
        return self._norm(weights, "output_layer_norm", x + output)

    def _attention(
        self,
        weights: Weights,
        x: Any,
        bias: Any,
        rows: Any,
        dropout: Dropout | None,
        *,
        last: bool,
        packing: Packing | None,
    ) -> tuple[Any, Any]:
        """Returns the output of the attention and the rows of `x` that it is to be added to."""
        hidden = self._config.hidden_size
        if last:
            keys, values = self._projected(weights, ("key", "value"), x, rows)
            if packing is None:
                x = tf.reshape(x, [rows, -1, hidden])[:, 0]
            else:
                x, bias = tf.gather(x, packing.flat_firsts()), packing.firsts_bias()
            (queries,) = self._projected(weights, ("query",), x, rows)
        else:
            queries, keys, values = self._projected(weights, ("query", "key", "value"), x, rows)
        # Like Keras' MultiHeadAttention, this scales the queries rather than the scores.
        scale = 1.0 / math.sqrt(hidden // self._config.num_attention_heads)
        scores = tf.matmul(queries * tf.cast(scale, self._dtype), keys, transpose_b=True)
        shares = tf.nn.softmax(tf.cast(scores, tf.float32) + bias)
        shares = self._drop(shares, self._config.attention_dropout, dropout)
        context = tf.matmul(tf.cast(shares, self._dtype), values)
        context = tf.reshape(tf.transpose(context, [0, 2, 1, 3]), [-1, hidden])
        if packing is not None:
            context, x = tf.gather(context, packing.order), tf.gather(x, packing.order)
        name = "self_attention/attention_output"
        kernel = tf.reshape(weights[f"{name}/kernel"], [hidden, hidden])
        return dense(context, kernel, weights[f"{name}/bias"], self._dtype), x

    def _projected(self, weights: Weights, parts: tuple[str, ...], x: Any, rows: Any) -> list[Any]:
        """Returns queries, keys or values, each [rows, heads, width, head size], by one product."""
        hidden, heads = self._config.hidden_size, self._config.num_attention_heads
        names = [f"self_attention/{part}" for part in parts]
        kernels = [tf.reshape(weights[f"{name}/kernel"], [hidden, hidden]) for name in names]
        biases = [tf.reshape(weights[f"{name}/bias"], [hidden]) for name in names]
        both = dense(x, tf.concat(kernels, axis=1), tf.concat(biases, axis=0), self._dtype)
        shape = [rows, -1, len(parts), heads, hidden // heads]
        apart = tf.transpose(tf.reshape(tf.cast(both, self._dtype), shape), [2, 0, 3, 1, 4])
        return list(tf.unstack(apart, num=len(parts)))

    def _dense(self, weights: Weights, name: str, x: Any) -> Any:
        return dense(x, weights[f"{name}/kernel"], weights[f"{name}/bias"], self._dtype)

    def _norm(self, weights: Weights, name: str, x: Any) -> Any:
        gamma, beta = weights[f"{name}/gamma"], weights[f"{name}/beta"]
        return layer_norm(x, gamma, beta, epsilon=self._config.layer_norm_eps)

    @staticmethod
    def _drop(x: Any, rate: float, dropout: Dropout | None) -> Any:
        return x if dropout is None else dropout(x, rate)


def _mean(x: Any, mask: Any) -> Any:
    """The mean of `x` [rows, width, hidden] where `mask` is 1; 0 for rows that are all padding."""
    shares = mask / tf.maximum(tf.reduce_sum(mask, axis=1, keepdims=True), 1.0)
    return tf.squeeze(tf.matmul(shares[:, tf.newaxis, :], x), axis=1)
