"""How a trainer computes: precision of the products, XLA or not, on how many devices at once."""

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
"""With XLA, widths are rounded up to a multiple of this: a handful of shapes to compile."""


@dataclass(frozen=True)
class Compute:
    """`precision` as in a search space file, `jit` for XLA.

    Weights, moments, losses and sums are float32 in every precision.
    """

    precision: str = "float32"
    jit: bool = False

    @property
    def dtype(self) -> tf.DType:
        return _DTYPES[self.precision]

    @property
    def scales(self) -> bool:
        """Whether losses are scaled, so that small gradients do not vanish."""
        return self.precision == "mixed_float16"

    def __str__(self) -> str:
        return f"{self.precision} with XLA" if self.jit else self.precision


class Devices:
    """The devices of one trial: one as TensorFlow places it, or a mirrored copy of all on each."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        """`names` of two or more devices, such as "GPU:0"; fewer leave placing to TensorFlow."""
        several = len(names) > 1
        self._strategy = tf.distribute.MirroredStrategy(list(names)) if several else None
        self.count = len(names) if several else 1

    def scope(self) -> contextlib.AbstractContextManager[Any]:
        """The context in which variables are made."""
        return contextlib.nullcontext() if self._strategy is None else self._strategy.scope()

    def run(self, replica: Callable[..., Any], *arguments: Any) -> Any:
        """Calls `replica` once a device, with its number first, and gives the first one's result.

        Every replica must give the same.
        """
        if self._strategy is None:
            return replica(0, *arguments)
        results = self._strategy.run(self._numbered(replica), args=arguments)
        return tf.nest.map_structure(lambda result: self._first(result), results)

    def total(self, values: Any) -> Any:
        """In a replica: the sum over all of them, of a structure of tensors."""
        context = tf.distribute.get_replica_context()
        return values if self.count == 1 else context.all_reduce("sum", values)

    def all_gather(self, value: Any) -> Any:
        """In a replica: the parts of all of them, end to end, equally long each."""
        if self.count == 1:
            return value
        return tf.distribute.get_replica_context().all_gather(value, axis=0)

    def part(self, value: Any, replica: Any) -> Any:
        """A replica's own rows of a tensor whose rows its number divides; None of None."""
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
