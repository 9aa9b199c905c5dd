"""Adam and AdamW in one graph; what changes from step to step is looked up in a `StepTable`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from bertsweep.model.sparse_adam import SparseAdam
from bertsweep.model.step_table import BETA_1, BETA_2, EPSILON, StepRow, StepTable
from bertsweep.spec.hyperparameters import Schedule

Arrays = dict[str, np.ndarray[Any, Any]]

ByName = Callable[[str], Any]
"""The name of a weight → a scalar."""


class Adam:
    """Adam with decoupled weight decay (plain Adam where the decay is 0) and a learning schedule.

    Sources: Kingma & Ba 2015, algorithm 1 in the efficient form of section 2, with Keras' epsilon;
    Loshchilov & Hutter 2019, algorithm 2, for the decay, which spares biases and layer norms as
    Devlin et al. 2019 do. Both moments belong to variables by name, so that graphs which train
    different subsets of the weights share them. `embeddings` names the one weight of which a step
    uses few rows; `SparseAdam` updates that one, in `self.embeddings`.

    `groups` numbers, from 0, the groups of weights that may have a learning rate of their own: a
    factor of the trial's, by which the decay of a weight falls too, as if each group had an
    optimizer to itself. The embeddings have a step table of their own for theirs.
    """

    def __init__(
        self,
        weights: Mapping[str, tf.Variable],
        *,
        embeddings: str | None = None,
        groups: Mapping[str, int] | None = None,
    ) -> None:
        self.steps, self._embedding_steps = StepTable(), StepTable()
        self._groups = dict.fromkeys(weights, 0) if groups is None else dict(groups)
        self._embeddings = embeddings
        self._rates = tf.Variable(tf.ones([max(self._groups.values()) + 1]), trainable=False)
        self.embeddings = (
            None if embeddings is None else SparseAdam(weights[embeddings], self._embedding_steps)
        )
        self._weights = {name: v for name, v in weights.items() if name != embeddings}
        self.first, self.second = _zeros_like(self._weights), _zeros_like(self._weights)

    def begin(
        self,
        *,
        learning_rate: float,
        weight_decay: float,
        schedule: Schedule,
        warmup: float,
        total_steps: int,
        rates: Sequence[float] | None = None,
    ) -> None:
        """Sets all moments to zero and the rates of every step (see `StepTable.set`).

        `rates` are the factors of the groups, which `apply` reads where `grouped` is true.
        """
        for moment in (*self.first.values(), *self.second.values()):
            moment.assign(tf.zeros_like(moment))
        usual = np.ones(self._rates.shape, np.float32)
        factors = usual if rates is None else np.asarray(rates, np.float32)
        self._rates.assign(factors)
        how: dict[str, Any] = {
            "weight_decay": weight_decay,
            "schedule": schedule,
            "warmup": warmup,
            "total_steps": total_steps,
        }
        self.steps.set(learning_rate=learning_rate, **how)
        if self.embeddings is not None and self._embeddings is not None:
            self.embeddings.clear()
            own = float(factors[self._groups[self._embeddings]])
            self._embedding_steps.set(learning_rate=learning_rate * own, **how)

    def apply(self, step: Any, gradients: Mapping[str, Any], *, grouped: bool = False) -> None:
        """Takes step number `step` (an int32 scalar, from 0) by `gradients`, named as the weights.

        With `grouped` each group has its own learning rate. The gradient of the embeddings goes to
        `SparseAdam.apply` instead.
        """
        row = self.steps.row(step + 1)
        alpha, lost = self._by_group(row, grouped=grouped)
        decayed = [name for name in gradients if _decays(name)]
        # A branch, because a pass over every weight that subtracts nothing still costs its time.
        tf.cond(row.kept < 1.0, lambda: self._decay(decayed, lost), tf.no_op)
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
                lr=alpha(name),
                beta1=beta_1,
                beta2=beta_2,
                epsilon=epsilon,
                grad=gradient,
            )

    def _by_group(self, row: StepRow, *, grouped: bool) -> tuple[ByName, Callable[[], ByName]]:
        """The learning rate of a weight by its name, and the share of it that decays."""
        if not grouped:
            return (lambda _: row.alpha), lambda: _everywhere(1.0 - row.kept)
        groups, count = self._groups, self._rates.shape[0]
        alphas = tf.unstack(row.alpha * self._rates, num=count)

        def lost() -> ByName:
            shares = tf.unstack((1.0 - row.kept) * self._rates, num=count)
            return lambda name: shares[groups[name]]

        return (lambda name: alphas[groups[name]]), lost

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

    def _decay(self, names: list[str], lost: Callable[[], ByName]) -> Any:
        share = lost()

        def shrink(name: str) -> Any:
            weight = self._weights[name]
            value = weight.read_value() * share(name)
            return tf.raw_ops.AssignSubVariableOp(resource=weight.handle, value=value)

        return tf.group([shrink(name) for name in names])


def _zeros_like(weights: Mapping[str, tf.Variable]) -> dict[str, tf.Variable]:
    return {name: tf.Variable(tf.zeros_like(v), trainable=False) for name, v in weights.items()}


def _everywhere(value: Any) -> ByName:
    return lambda _: value


def _decays(name: str) -> bool:
    return not name.endswith(("/bias", "/gamma", "/beta"))
