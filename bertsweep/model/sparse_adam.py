"""Adam on an embedding table of which each step uses few rows, without a pass over all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from bertsweep.model.step_table import BETA_1, BETA_2, EPSILON, RATIO, StepRow, StepTable

_FIRST, _SECOND = "first/table", "second/table"
_BLOCK = 4096
"""Rows caught up at once, which bounds the memory of `catch_up` whatever the vocabulary."""


class EmbeddingRows(NamedTuple):
    """Some rows of the table, float32 [n, size] each: weights and both moments."""

    weights: Any
    first: Any
    second: Any


class SparseAdam:
    """Leaves a row alone until a batch uses it, then applies all the steps it missed at once.

    Under dense Adam a row without a gradient still changes: its moments fade, it moves by what is
    left of them, and weight decay shrinks it. All of that follows from the number of steps missed,
    so it can be applied late. Used rows must be distinct.

    A worked example, without weight decay. After step 10 a row has first moment m, second moment v
    and weight w. Steps 11, 12 and 13 do not use it, step 14 does. Dense Adam would have done::

        step 11:  m = 0.9 m, v = 0.999 v, w -= alpha[11] * m / sqrt(v)   (m, v: the new ones)
        step 12, step 13: the same with alpha[12], alpha[13]

    Each step multiplies m / sqrt(v) by RATIO = 0.9 / sqrt(0.999), so together they subtract
    `m / sqrt(v) * (alpha[11] RATIO + alpha[12] RATIO^2 + alpha[13] RATIO^3)`. With
    `tail[n] = sum over j > n of alpha[j] RATIO^(j - n)` from the step table, the sum in brackets is
    `tail[10] - RATIO^3 tail[13]`: two table rows whatever the number of missed steps. With weight
    decay every term is scaled by what decay leaves after it, which `tail` and `shrunk` include.

    It equals the dense pass but for epsilon, which here fades along with sqrt(v): the difference is
    about a hundredth of epsilon's own share of a move (`tests/model/test_adam.py`).
    """

    def __init__(self, table: tf.Variable, steps: StepTable) -> None:
        self._table, self._steps = table, steps
        self._first = tf.Variable(tf.zeros_like(table), trainable=False)
        self._second = tf.Variable(tf.zeros_like(table), trainable=False)
        # For each row the number of steps that are applied to it.
        self._applied = tf.Variable(tf.zeros([table.shape[0]], tf.int32), trainable=False)

    def clear(self) -> None:
        """Sets the moments to zero; no row has missed a step."""
        for variable in (self._first, self._second, self._applied):
            variable.assign(tf.zeros_like(variable))

    def rows(self, ids: Any, steps: Any) -> EmbeddingRows:
        """Rows `ids` (int32 [n]) with their values after `steps` steps (an int32 scalar) in all."""
        past = tf.gather(self._applied, ids)
        missed = tf.cast(steps - past, tf.float32)[:, tf.newaxis]
        then, now = (_columns(self._steps.row(number)) for number in (past, steps))
        weights, first = tf.gather(self._table, ids), tf.gather(self._first, ids)
        second = tf.gather(self._second, ids)
        shrunk = tf.exp(now.shrunk - then.shrunk)
        moved = then.tail - tf.exp(missed * math.log(RATIO)) / shrunk * now.tail
        weights = shrunk * (weights - first / (tf.sqrt(second) + EPSILON) * moved)
        fade_1, fade_2 = (tf.exp(missed * math.log(beta)) for beta in (BETA_1, BETA_2))
        return EmbeddingRows(weights, first * fade_1, second * fade_2)

    def apply(self, step: Any, ids: Any, rows: EmbeddingRows, gradient: Any) -> None:
        """Takes step number `step` (from 0) for the rows `ids`, by their gradient [n, size].

        `rows` are what the method of that name returned for them.
        """
        now = self._steps.row(step + 1)
        first = rows.first + (1.0 - BETA_1) * (gradient - rows.first)
        second = rows.second + (1.0 - BETA_2) * (tf.square(gradient) - rows.second)
        moved = now.alpha * first / (tf.sqrt(second) + EPSILON)
        self._write(ids, EmbeddingRows(now.kept * rows.weights - moved, first, second), step + 1)

    def catch_up(self, steps: Any) -> None:
        """Brings every row to its value after `steps` steps."""
        total = self._table.shape[0]

        def block(start: Any) -> Any:
            ids = tf.range(start, tf.minimum(start + _BLOCK, total))
            self._write(ids, self.rows(ids, steps), steps)
            return [start + _BLOCK]

        tf.while_loop(lambda start: start < total, block, [tf.constant(0)], parallel_iterations=1)

    def state(self) -> dict[str, np.ndarray[Any, Any]]:
        """Both moments as named arrays; every row must have been caught up."""
        return {_FIRST: self._first.numpy(), _SECOND: self._second.numpy()}

    def restore(self, arrays: Mapping[str, np.ndarray[Any, Any]], *, step: int) -> None:
        """Restores what `state` returned after `step` steps."""
        self._first.assign(arrays[_FIRST])
        self._second.assign(arrays[_SECOND])
        self._applied.assign(tf.fill(self._applied.shape, step))

    def _write(self, ids: Any, rows: EmbeddingRows, steps: Any) -> None:
        variables = (self._table, self._first, self._second)
        for variable, values in zip(variables, rows, strict=True):
            tf.raw_ops.ResourceScatterUpdate(resource=variable.handle, indices=ids, updates=values)
        tf.raw_ops.ResourceScatterUpdate(
            resource=self._applied.handle, indices=ids, updates=tf.fill(tf.shape(ids), steps)
        )


def _columns(row: StepRow) -> StepRow:
    """Scalars or [n] values made [1] or [n, 1], so that each stands for a whole embedding row."""
    return StepRow(*(tf.expand_dims(value, -1) for value in row))
