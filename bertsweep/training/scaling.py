"""Loss scaling for float16, in which the smallest gradients would underflow to 0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

_FIRST, _GROWTH_STEPS = 2.0**15, 2000
_NAME = "loss_scale"


class LossScale:
    """A factor of the loss, halved when a gradient overflows and doubled after 2,000 good steps.

    A step whose gradients overflow is taken with gradients of 0, so that steps stay numbered alike
    in every precision. Source: Micikevicius et al. 2018, "Mixed Precision Training", section 3.2,
    with the dynamic choice of the factor.
    """

    def __init__(self) -> None:
        self._scale = tf.Variable(_FIRST, trainable=False)
        self._good = tf.Variable(0, trainable=False, dtype=tf.int32)

    def reset(self) -> None:
        self._scale.assign(_FIRST)
        self._good.assign(0)

    def apply(self, loss: Any) -> Any:
        """Returns the scaled loss, whose gradients are to be computed."""
        return loss * self._scale.read_value()

    def undo(self, first: Any, gradients: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Returns gradients of the unscaled loss, all 0 if one overflowed; adapts the factor."""
        scale = self._scale.read_value()
        sums = [tf.reduce_sum(gradient) for gradient in (first, *gradients.values())]
        # One infinite or NaN element makes the sum so: no second pass over every gradient.
        finite = tf.math.is_finite(tf.add_n(sums))

        def unscaled(gradient: Any) -> Any:
            return tf.where(finite, gradient / scale, tf.zeros_like(gradient))

        good = tf.where(finite, self._good.read_value() + 1, 0)
        grown = tf.where(good == _GROWTH_STEPS, scale * 2.0, scale)
        _set(self._scale, tf.where(finite, grown, tf.maximum(scale * 0.5, 1.0)))
        _set(self._good, good % _GROWTH_STEPS)
        return unscaled(first), {name: unscaled(g) for name, g in gradients.items()}

    def state(self) -> dict[str, np.ndarray[Any, Any]]:
        """Returns the factor and the number of good steps since it changed, as a named array."""
        return {_NAME: np.array([self._scale.numpy(), self._good.numpy()], np.float32)}

    def restore(self, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
        scale, good = arrays[_NAME]
        self._scale.assign(scale)
        self._good.assign(int(good))


def _set(variable: tf.Variable, value: Any) -> None:
    # Not `assign`: mirrored variables refuse it within a replica, though all replicas agree here.
    tf.raw_ops.AssignVariableOp(resource=variable.handle, value=value)
