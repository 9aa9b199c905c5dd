"""The operations of a BERT layer, with gradients that take fewer passes over memory."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf


def dense(x: Any, kernel: Any, bias: Any, dtype: tf.DType) -> Any:
    """Returns `x` [rows, in] times `kernel` [in, out] plus `bias` [out], float32 [rows, out].

    The product is computed in `dtype`; the bias is added, and its gradient summed, in float32.
    """
    if dtype == tf.float32:
        return tf.nn.bias_add(tf.matmul(x, kernel), bias)
    product = tf.matmul(tf.cast(x, dtype), tf.cast(kernel, dtype))
    return tf.nn.bias_add(tf.cast(product, tf.float32), bias)


def layer_norm(x: Any, gamma: Any, beta: Any, *, epsilon: float) -> Any:
    """Normalizes each row of `x` [rows, size], `epsilon` being added to the variance.

    Source: Ba et al. 2016, equation 4.
    """

    @tf.custom_gradient
    def normalized(x: Any, gamma: Any, beta: Any) -> Any:
        centred = x - tf.reduce_mean(x, axis=-1, keepdims=True)
        variance = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
        scale = tf.math.rsqrt(variance + epsilon)
        normal = centred * scale

        def gradient(upstream: Any) -> Any:
            weighted = upstream * normal
            column = gamma[:, tf.newaxis] / tf.cast(tf.shape(x)[1], tf.float32)
            # Row means of the upstream gradient and of its part along `normal`, each as one matrix
            # product in place of a multiplication and a sum.
            mean, along = tf.matmul(upstream, column), tf.matmul(weighted, column)
            down = scale * (upstream * gamma - mean - normal * along)
            return down, tf.reduce_sum(weighted, axis=0), tf.reduce_sum(upstream, axis=0)

        return normal * gamma + beta, gradient

    return normalized(x, gamma, beta)


@tf.custom_gradient
def gelu(x: Any) -> Any:
    """Returns x Φ(x), Φ being the normal CDF. Source: Hendrycks and Gimpel, arXiv:1606.08415."""
    scaled = x * math.sqrt(0.5)
    below = 0.5 + 0.5 * tf.math.erf(scaled)

    def gradient(upstream: Any) -> Any:
        density = tf.exp(-0.5 * math.log(2.0 * math.pi) - tf.square(scaled))
        return upstream * (below + x * density)

    return x * below, gradient


def gelu_tanh(x: Any) -> Any:
    """Returns the tanh approximation of x Φ(x), with which the original BERT was trained."""
    return tf.nn.gelu(x, approximate=True)


ACTIVATIONS = {"gelu": gelu, "gelu_tanh": gelu_tanh, "relu": tf.nn.relu}


class Dropout:
    """Dropout whose masks are a function of seed, step and the order of the calls in that step.

    So there is no generator whose state would have to be saved: each call reads the next stream of
    the counter-based generator Philox (Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1,
    2, 3"). Each 32-bit random word serves two elements, which halves the cost of random numbers and
    rounds rates to multiples of 2^-16.
    """

    _STREAMS = 4096
    """Streams per step: 256 for each of 16 replicas, more than the dropouts of any encoder."""

    _PART = 2**40
    """Streams between two parts of a batch: more than the steps of the longest trial use."""

    def __init__(self, key: Any, first: Any) -> None:
        """`key` is a uint64 [1] tensor; `first`, an int64 scalar, numbers the first stream."""
        self._key, self._next = key, first

    @classmethod
    def of_step(cls, key: Any, step: Any, *, replica: Any = 0, part: Any = None) -> Dropout:
        """Returns the dropout of a step; `step`, `replica` and `part` are int32 scalars.

        `part` numbers the parts that a replica computes its rows in, None where it is one.
        """
        base = tf.cast(step, tf.int64) * cls._STREAMS
        if part is not None:
            base += tf.cast(part, tf.int64) * cls._PART
        return cls(key, base + tf.cast(replica, tf.int64) * 256)

    def reserve(self, streams: int) -> tuple[Any, Any]:
        """Returns the arguments of a `Dropout` for the next `streams` streams, which are skipped.

        A traced function takes them as tensors, and so serves every layer of an encoder.
        """
        first, self._next = self._next, self._next + streams
        return self._key, first

    def __call__(self, x: Any, rate: Any) -> Any:
        """Returns `x` with a share of `rate` (a number or scalar tensor) at 0, the rest scaled."""
        if isinstance(rate, float) and rate == 0.0:
            return x
        return x * self._mask(x, rate)

    def _mask(self, x: Any, rate: Any) -> Any:
        """Returns 0 or 1 / (1 - rate) in the shape of `x`."""
        _, stream = self.reserve(1)
        counter = tf.stack([tf.constant(0, tf.int64), stream])
        size = tf.size(x)
        words = tf.raw_ops.StatelessRandomUniformFullIntV2(
            shape=[(size + 1) // 2],
            key=self._key,
            counter=tf.cast(counter, tf.uint64),
            alg=1,  # Philox
            dtype=tf.uint32,
        )
        halves = tf.reshape(tf.bitcast(words, tf.uint16), [-1])[:size]
        numbers = tf.cast(tf.reshape(halves, tf.shape(x)), tf.float32)
        threshold = tf.round(tf.cast(rate, tf.float32) * 65536.0)
        kept = tf.cast(numbers >= threshold, tf.float32)
        return tf.cast(kept * (65536.0 / (65536.0 - threshold)), x.dtype)
