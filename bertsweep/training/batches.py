"""Which rows form each batch, by length or at random: a function of seed and epoch alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from bertsweep.tokens import RowNumbers

POOL = 64
"""Size of a shuffling pool, in batches: rows are sorted by length within a pool only.

A larger pool needs less padding; a smaller one leaves the composition of batches more random.
"""


def steps_per_epoch(rows: int, batch_size: int) -> int:
    """The number of batches in one pass over `rows` rows; the last may be smaller."""
    return -(-rows // batch_size)


def epoch_batches(
    lengths: np.ndarray[Any, Any], *, batch_size: int, seed: int, epoch: int
) -> list[RowNumbers]:
    """Returns the batches of one epoch: int64 row numbers, of similar `lengths` (int [rows]) each.

    Every row occurs once. Equal arguments return equal batches, so an epoch and a batch number
    are all that a resumed trial needs to find its position in the data.
    """
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(lengths))
    batches: list[RowNumbers] = []
    for start in range(0, len(order), batch_size * POOL):
        pool = order[start : start + batch_size * POOL]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [pool[i : i + batch_size] for i in range(0, len(pool), batch_size)]
    # Without this, the batches of every pool would run from short rows to long ones.
    return [batches[i] for i in rng.permutation(len(batches))]


def random_batches(rows: int, *, batch_size: int, seed: int, epoch: int) -> list[RowNumbers]:
    """Returns the batches of one epoch, as `epoch_batches` does, of `rows` rows in random order."""
    order = np.random.default_rng([seed, epoch]).permutation(rows)
    return [order[i : i + batch_size] for i in range(0, rows, batch_size)]


def evaluation_batches(lengths: np.ndarray[Any, Any], *, batch_size: int) -> list[RowNumbers]:
    """Returns batches over all rows in order of length, which needs the least padding."""
    order = np.argsort(lengths, kind="stable")
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
