"""Which rows make up each batch: bucketed by length, decided by seed and epoch alone."""

from __future__ import annotations

from typing import Any

import numpy as np

POOL = 64
"""Batches' worth of rows that are sorted by length together.

Larger pools pad less; the rows of a batch are drawn from a pool, so smaller ones mix more.
"""

RowNumbers = np.ndarray[Any, np.dtype[np.int64]]


def steps_per_epoch(rows: int, batch_size: int) -> int:
    """Batches in one pass over `rows` rows; the last may be smaller."""
    return -(-rows // batch_size)


def epoch_batches(
    lengths: np.ndarray[Any, Any], *, batch_size: int, seed: int, epoch: int
) -> list[RowNumbers]:
    """The batches of one epoch, each int64 row numbers of similar `lengths` (int [rows]).

    Every row comes once. Equal arguments give equal batches, so that a position in the data is an
    epoch and a batch number.
    """
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(lengths))
    batches: list[RowNumbers] = []
    for start in range(0, len(order), batch_size * POOL):
        pool = order[start : start + batch_size * POOL]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [pool[i : i + batch_size] for i in range(0, len(pool), batch_size)]
    return [batches[i] for i in rng.permutation(len(batches))]


def evaluation_batches(lengths: np.ndarray[Any, Any], *, batch_size: int) -> list[RowNumbers]:
    """Batches over all rows in order of length: the least padding there can be."""
    order = np.argsort(lengths, kind="stable")
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
