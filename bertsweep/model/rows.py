"""Adam on a table of which each step touches few rows, without the dense pass over all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from bertsweep.model.plan import BETA_1, BETA_2, EPSILON, RATIO, Line, Plan

_FIRST, _SECOND = "first/table", "second/table"
_BLOCK = 4096
"""Rows caught up at once: what is worked on besides stays small, whatever the vocabulary."""


class Rows(NamedTuple):
    """Some rows of the table, float32 [n, size] each: weights and both moments."""

    weights: Any
    first: Any
    second: Any


class RowAdam:
    """Leaves rows alone until they are used, then makes up at once for the steps they missed.

    A row without a gradient still moves under Adam, by its fading moments, and shrinks by weight
    decay. Both follow from the number of steps missed: the moments fade by a power, and the weights
    move by first moment over root of second times a sum that the plan has in its `tail`. That sum
    is exact but for epsilon, taken as fading along with the root: a hundredth of epsilon's own part
    in a move. Used rows must be distinct.
    """

    def __init__(self, table: tf.Variable, plan: Plan) -> None:
        self._table, self._plan = table, plan
        self._first = tf.Variable(tf.zeros_like(table), trainable=False)
        self._second = tf.Variable(tf.zeros_like(table), trainable=False)
        self._steps = tf.Variable(tf.zeros([table.shape[0]], tf.int32), trainable=False)

    def clear(self) -> None:
        """Clears the moments; no row has missed a step."""
        for variable in (self._first, self._second, self._steps):
            variable.assign(tf.zeros_like(variable))

    def rows(self, ids: Any, steps: Any) -> Rows:
        """Rows `ids` (int32 [n]) as they are after `steps` steps (an int32 scalar) in all."""
        past = tf.gather(self._steps, ids)
        missed = tf.cast(steps - past, tf.float32)[:, tf.newaxis]
        then, now = (_columns(self._plan.line(number)) for number in (past, steps))
        weights, first = tf.gather(self._table, ids), tf.gather(self._first, ids)
        second = tf.gather(self._second, ids)
        shrunk = tf.exp(now.shrunk - then.shrunk)
        moved = then.tail - tf.exp(missed * math.log(RATIO)) / shrunk * now.tail
        weights = shrunk * (weights - first / (tf.sqrt(second) + EPSILON) * moved)
        fade_1, fade_2 = (tf.exp(missed * math.log(beta)) for beta in (BETA_1, BETA_2))
        return Rows(weights, first * fade_1, second * fade_2)

    def apply(self, step: Any, ids: Any, rows: Rows, gradient: Any) -> None:
        """Step number `step` (from 0) for the rows `ids`, which `rows` gave, by their gradient."""
        line = self._plan.line(step + 1)
        first = rows.first + (1.0 - BETA_1) * (gradient - rows.first)
        second = rows.second + (1.0 - BETA_2) * (tf.square(gradient) - rows.second)
        moved = line.alpha * first / (tf.sqrt(second) + EPSILON)
        self._write(ids, Rows(line.kept * rows.weights - moved, first, second), step + 1)

    def catch_up(self, steps: Any) -> None:
        """Brings every row to what it is after `steps` steps."""
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
        """Brings back what `state` gave after `step` steps."""
        self._first.assign(arrays[_FIRST])
        self._second.assign(arrays[_SECOND])
        self._steps.assign(tf.fill(self._steps.shape, step))

    def _write(self, ids: Any, rows: Rows, steps: Any) -> None:
        variables = (self._table, self._first, self._second)
        for variable, values in zip(variables, rows, strict=True):
            tf.raw_ops.ResourceScatterUpdate(resource=variable.handle, indices=ids, updates=values)
        tf.raw_ops.ResourceScatterUpdate(
            resource=self._steps.handle, indices=ids, updates=tf.fill(tf.shape(ids), steps)
        )


def _columns(line: Line) -> Line:
    """Values that stand for a whole row each: [] or [n] made [1] or [n, 1]."""
    return Line(*(tf.expand_dims(value, -1) for value in line))
