"""Adam and AdamW in one graph, whose rates and decay are a table with a line for every step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from bertsweep.model.plan import BETA_1, BETA_2, EPSILON, Plan
from bertsweep.model.rows import RowAdam

Arrays = dict[str, np.ndarray[Any, Any]]


class Adam:
    """Adam with decoupled weight decay (Adam where the decay is 0) and a scheduled learning rate.

    Sources: Kingma & Ba 2015, algorithm 1 in the efficient form of section 2, with Keras' epsilon;
    Loshchilov & Hutter 2019, algorithm 2, for the decay, which spares biases and layer norms as
    Devlin et al. 2019 do. Slots belong to variables by name, so that graphs which train different
    subsets of the weights share them. `table` names the one weight of which a step touches few
    rows: see `RowAdam`.
    """

    def __init__(self, weights: Mapping[str, tf.Variable], *, table: str | None = None) -> None:
        self.plan = Plan()
        self.table = None if table is None else RowAdam(weights[table], self.plan)
        named = {name: v for name, v in weights.items() if name != table}
        self._weights = named
        self.first, self.second = _slots(named), _slots(named)

    def clear(self) -> None:
        """Clears the slots; what a trial's steps are like is set in the `plan`."""
        for slot in (*self.first.values(), *self.second.values()):
            slot.assign(tf.zeros_like(slot))
        if self.table is not None:
            self.table.clear()

    def apply(self, step: Any, gradients: Mapping[str, Any]) -> None:
        """Takes step number `step` (an int32 scalar, from 0) by `gradients`, named as the weights.

        Of the table's gradient `RowAdam.apply` takes care.
        """
        line = self.plan.line(step + 1)
        decayed = [name for name in gradients if _decays(name)]
        # A branch, because a pass over every weight to take away nothing is not free.
        tf.cond(line.kept < 1.0, lambda: self._decay(decayed, 1.0 - line.kept), tf.no_op)
        # The plan's `alpha` is the rate with both corrections of bias in it. As tensors, because a
        # number would become one for every weight, which tracing would wait for.
        zero, beta_1, beta_2, epsilon = (tf.constant(x) for x in (0.0, BETA_1, BETA_2, EPSILON))
        for name, gradient in gradients.items():
            tf.raw_ops.ResourceApplyAdam(
                var=self._weights[name].handle,
                m=self.first[name].handle,
                v=self.second[name].handle,
                beta1_power=zero,
                beta2_power=zero,
                lr=line.alpha,
                beta1=beta_1,
                beta2=beta_2,
                epsilon=epsilon,
                grad=gradient,
            )

    def catch_up(self, steps: Any) -> None:
        """Brings every row of the table to what it is after `steps` steps (an int32 scalar)."""
        if self.table is not None:
            self.table.catch_up(steps)

    def state(self) -> Arrays:
        """The slots as named arrays; the table's rows must have been caught up."""
        arrays = {f"first/{name}": v.numpy() for name, v in self.first.items()}
        arrays |= {f"second/{name}": v.numpy() for name, v in self.second.items()}
        return arrays | ({} if self.table is None else self.table.state())

    def restore(self, arrays: Mapping[str, np.ndarray[Any, Any]], *, step: int) -> None:
        """Brings back what `state` gave after `step` steps."""
        for name in self.first:
            self.first[name].assign(arrays[f"first/{name}"])
            self.second[name].assign(arrays[f"second/{name}"])
        if self.table is not None:
            self.table.restore(arrays, step=step)

    def _decay(self, names: list[str], lost: Any) -> Any:
        def shrink(weight: tf.Variable) -> Any:
            value = weight.read_value() * lost
            return tf.raw_ops.AssignSubVariableOp(resource=weight.handle, value=value)

        return tf.group([shrink(self._weights[name]) for name in names])


def _slots(weights: Mapping[str, tf.Variable]) -> dict[str, tf.Variable]:
    return {name: tf.Variable(tf.zeros_like(v), trainable=False) for name, v in weights.items()}


def _decays(name: str) -> bool:
    return not name.endswith(("/bias", "/gamma", "/beta"))
