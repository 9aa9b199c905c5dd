"""Adam and AdamW in one graph; what changes from step to step is looked up in a `StepTable`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from bertsweep.model.sparse_adam import SparseAdam
from bertsweep.model.step_table import BETA_1, BETA_2, EPSILON, StepTable

Arrays = dict[str, np.ndarray[Any, Any]]


class Adam:
    """Adam with decoupled weight decay (plain Adam where the decay is 0) and a learning schedule.

    Sources: Kingma & Ba 2015, algorithm 1 in the efficient form of section 2, with Keras' epsilon;
    Loshchilov & Hutter 2019, algorithm 2, for the decay, which spares biases and layer norms as
    Devlin et al. 2019 do. Both moments belong to variables by name, so that graphs which train
    different subsets of the weights share them. `embeddings` names the one weight of which a step
    uses few rows; `SparseAdam` updates that one, in `self.embeddings`.
    """

    def __init__(
        self, weights: Mapping[str, tf.Variable], *, embeddings: str | None = None
    ) -> None:
        self.steps = StepTable()
        self.embeddings = (
            None if embeddings is None else SparseAdam(weights[embeddings], self.steps)
        )
        self._weights = {name: v for name, v in weights.items() if name != embeddings}
        self.first, self.second = _zeros_like(self._weights), _zeros_like(self._weights)

    def clear(self) -> None:
        """Sets all moments to zero. The rates of a trial are set in `steps`."""
        for moment in (*self.first.values(), *self.second.values()):
            moment.assign(tf.zeros_like(moment))
        if self.embeddings is not None:
            self.embeddings.clear()

    def apply(self, step: Any, gradients: Mapping[str, Any]) -> None:
        """Takes step number `step` (an int32 scalar, from 0) by `gradients`, named as the weights.

        The gradient of the embeddings goes to `SparseAdam.apply` instead.
        """
        row = self.steps.row(step + 1)
        decayed = [name for name in gradients if _decays(name)]
        # A branch, because a pass over every weight that subtracts nothing still costs its time.
        tf.cond(row.kept < 1.0, lambda: self._decay(decayed, 1.0 - row.kept), tf.no_op)
        # `alpha` holds both bias corrections already, hence the beta powers of 0. Constants are
        # made once: a Python number would be traced anew for every weight.
        zero, beta_1, beta_2, epsilon = (tf.constant(x) for x in (0.0, BETA_1, BETA_2, EPSILON))
        for name, gradient in gradients.items():
            tf.raw_ops.ResourceApplyAdam(
                var=self._weights[name].handle,
                m=self.first[name].handle,
                v=self.second[name].handle,
                beta1_power=zero,
                beta2_power=zero,
                lr=row.alpha,
                beta1=beta_1,
                beta2=beta_2,
                epsilon=epsilon,
                grad=gradient,
            )

    def catch_up(self, steps: Any) -> None:
        """Brings every row of the embeddings to its value after `steps` steps (an int32 scalar).

        Only for trials that train the embeddings: it would decay frozen ones.
        """
        if self.embeddings is not None:
            self.embeddings.catch_up(steps)

    def state(self) -> Arrays:
        """All moments as named arrays; the embeddings must have been caught up."""
        arrays = {f"first/{name}": v.numpy() for name, v in self.first.items()}
        arrays |= {f"second/{name}": v.numpy() for name, v in self.second.items()}
        return arrays | ({} if self.embeddings is None else self.embeddings.state())

    def restore(self, arrays: Mapping[str, np.ndarray[Any, Any]], *, step: int) -> None:
        """Restores what `state` returned after `step` steps."""
        for name in self.first:
            self.first[name].assign(arrays[f"first/{name}"])
            self.second[name].assign(arrays[f"second/{name}"])
        if self.embeddings is not None:
            self.embeddings.restore(arrays, step=step)

    def _decay(self, names: list[str], lost: Any) -> Any:
        def shrink(weight: tf.Variable) -> Any:
            value = weight.read_value() * lost
            return tf.raw_ops.AssignSubVariableOp(resource=weight.handle, value=value)

        return tf.group([shrink(self._weights[name]) for name in names])


def _zeros_like(weights: Mapping[str, tf.Variable]) -> dict[str, tf.Variable]:
    return {name: tf.Variable(tf.zeros_like(v), trainable=False) for name, v in weights.items()}


def _decays(name: str) -> bool:
    return not name.endswith(("/bias", "/gamma", "/beta"))
