"""A moving average of the weights, which is what a trial is judged and kept by."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

Arrays = dict[str, np.ndarray[Any, Any]]

_PREFIX = "average/"
_MOST = 0.99
_EVERY = 10
_TIMES = 20


def interval(steps_per_epoch: int) -> int:
    """Optimizer steps between two updates: 10, and fewer where an epoch would have less than 20.

    Ten steps change a weight little, and a pass over all weights in every step costs its time. It
    does not depend on how often is reported, so neither does the average.
    """
    return max(1, min(_EVERY, steps_per_epoch // _TIMES))


class MovingAverage:
    """Exponential moving average of some weights.

    Update number n (from 0) keeps `min(0.99, (1 + n) / (10 + n))` of the average, so that it soon
    forgets where it began and spans about a ninth of the training so far, up to a hundred updates.
    Source: Polyak & Juditsky 1992 for averaging; the ramp is that of TensorFlow's
    `ExponentialMovingAverage`.
    """

    def __init__(self, weights: Mapping[str, tf.Variable]) -> None:
        self._weights = dict(weights)
        self._means = {n: tf.Variable(v, trainable=False) for n, v in self._weights.items()}
        self._fold = tf.function(
            self._folded, input_signature=[tf.TensorSpec([], tf.float32)], autograph=False
        )

    def averages(self, names: Sequence[str]) -> bool:
        """Whether these are the weights that it averages."""
        return list(names) == list(self._weights)

    def begin(self) -> None:
        """Begins at the weights as they are."""
        for name, weight in self._weights.items():
            self._means[name].assign(weight)

    def update(self, number: int) -> None:
        """Takes the weights in as they are; `number` counts the updates of a trial from 0."""
        self._fold(1.0 - min(_MOST, (1 + number) / (10 + number)))

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """The averages in place of the weights, which return as they were."""
        with replaced(self._weights, {n: v.read_value() for n, v in self._means.items()}):
            yield

    def state(self) -> Arrays:
        """The averages as named arrays."""
        return {f"{_PREFIX}{name}": mean.numpy() for name, mean in self._means.items()}

    def restore(self, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Restores what `state` returned."""
        for name, mean in self._means.items():
            mean.assign(arrays[f"{_PREFIX}{name}"])

    def _folded(self, share: Any) -> None:
        for name, weight in self._weights.items():
            mean = self._means[name]
            mean.assign_add(share * (tf.convert_to_tensor(weight) - mean))


@contextlib.contextmanager
def replaced(weights: Mapping[str, tf.Variable], values: Mapping[str, Any]) -> Iterator[None]:
    """Other values in place of some weights, which return to the bit as they were."""
    # Copied, because on a CPU `numpy()` may return a view of memory that is written to.
    own = {name: np.array(weights[name].numpy()) for name in values}
    for name, value in values.items():
        weights[name].assign(value)
    try:
        yield
    finally:
        for name, value in own.items():
            weights[name].assign(value)
