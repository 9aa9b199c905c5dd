"""How a trainer computes: precision of matrix products, XLA, and the devices of a trial."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

_DTYPES = {
    "float32": tf.float32,
    "mixed_bfloat16": tf.bfloat16,
    "mixed_float16": tf.float16,
}

WIDTH_STEP = 8
"""With XLA, batch widths are rounded up to a multiple of this, so that few shapes are compiled."""


@dataclass(frozen=True)
class Compute:
    """`precision` as in a search space file; `jit` compiles the training step with XLA.

    Only matrix products are computed in the precision: weights, optimizer moments, losses and sums
    are float32 in every one.
    """

    precision: str = "float32"
    jit: bool = False

    @property
    def dtype(self) -> tf.DType:
        return _DTYPES[self.precision]

    @property
    def scales(self) -> bool:
        """Whether the loss is scaled (`LossScale`), so that small gradients do not underflow."""
        return self.precision == "mixed_float16"

    def __str__(self) -> str:
        return f"{self.precision} with XLA" if self.jit else self.precision


class Devices:
    """The devices of one trial: TensorFlow's default one, or several with a replica on each.

    With several, variables are mirrored, each replica computes its rows of a batch, and gradients
    are summed. With one, every method reduces to what it would be without this class.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        """`names` are those of two or more devices, such as "GPU:0"; else placement is default."""
        several = len(names) > 1
        self._strategy = tf.distribute.MirroredStrategy(list(names)) if several else None
        self.count = len(names) if several else 1

    def scope(self) -> contextlib.AbstractContextManager[Any]:
        """Returns the context in which variables must be created."""
        return contextlib.nullcontext() if self._strategy is None else self._strategy.scope()

    def run(self, replica: Callable[..., Any], *arguments: Any) -> Any:
        """Calls `replica(number, *arguments)` on each device and returns the first one's result.

        Every replica must return the same value.
        """
        if self._strategy is None:
            return replica(0, *arguments)
        results = self._strategy.run(self._numbered(replica), args=arguments)
        return tf.nest.map_structure(lambda result: self._first(result), results)

    def total(self, values: Any) -> Any:
        """Within a replica: returns the sums over all replicas of a structure of tensors."""
        context = tf.distribute.get_replica_context()
        return values if self.count == 1 else context.all_reduce("sum", values)

    def all_gather(self, value: Any) -> Any:
        """Within a replica: returns the parts of all replicas, equally long, end to end."""
        if self.count == 1:
            return value
        return tf.distribute.get_replica_context().all_gather(value, axis=0)

    def part(self, value: Any, replica: Any) -> Any:
        """Returns the rows of `value` that belong to a replica; None for None.

        The number of rows must be a multiple of the number of devices.
        """
        if self.count == 1 or value is None:
            return value
        rows = tf.shape(value)[0] // self.count
        return value[replica * rows : (replica + 1) * rows]

    @staticmethod
    def _numbered(replica: Callable[..., Any]) -> Callable[..., Any]:
        def numbered(*arguments: Any) -> Any:
            context = tf.distribute.get_replica_context()
            return replica(context.replica_id_in_sync_group, *arguments)

        return numbered

    def _first(self, result: Any) -> Any:
        return self._strategy.experimental_local_results(result)[0]  # type: ignore[union-attr]
