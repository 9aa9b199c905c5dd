"""Which rows make up a batch."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bertsweep.training.batches import (
    epoch_batches,
    evaluation_batches,
    random_batches,
    steps_per_epoch,
)

LENGTHS = np.random.default_rng(0).geometric(0.08, size=5000).clip(3, 128)


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 600), batch_size=st.integers(1, 40), epoch=st.integers(0, 3))
def test_every_row_comes_once_an_epoch(rows: int, batch_size: int, epoch: int) -> None:
    how = {"batch_size": batch_size, "seed": 1, "epoch": epoch}
    for batches in (epoch_batches(LENGTHS[:rows], **how), random_batches(rows, **how)):
        assert sorted(np.concatenate(batches)) == list(range(rows))
        assert len(batches) == steps_per_epoch(rows, batch_size)
        assert max(len(batch) for batch in batches) <= batch_size


def test_batches_depend_on_seed_and_epoch_alone() -> None:
    def order(kind: str, seed: int, epoch: int) -> list[int]:
        how = {"batch_size": 32, "seed": seed, "epoch": epoch}
        random = kind == "random"
        batches = random_batches(len(LENGTHS), **how) if random else epoch_batches(LENGTHS, **how)
        return [int(row) for row in np.concatenate(batches)]

    for kind in ("bucketed", "random"):
        assert order(kind, 0, 0) == order(kind, 0, 0)
        assert order(kind, 0, 0) != order(kind, 0, 1)
        assert order(kind, 0, 0) != order(kind, 1, 0)


def test_random_batches_do_not_go_by_length() -> None:
    batches = random_batches(len(LENGTHS), batch_size=32, seed=0, epoch=0)
    within = np.mean([LENGTHS[batch].var() for batch in batches])
    assert within > 0.9 * LENGTHS.var()


def test_buckets_leave_little_padding() -> None:
    batches = epoch_batches(LENGTHS, batch_size=32, seed=0, epoch=0)
    padded = sum(len(rows) * LENGTHS[rows].max() for rows in batches)
    assert padded / LENGTHS.sum() < 1.15
    shuffled = np.array_split(np.random.default_rng(0).permutation(len(LENGTHS)), len(batches))
    assert sum(len(rows) * LENGTHS[rows].max() for rows in shuffled) / LENGTHS.sum() > 2


def test_evaluation_goes_by_length() -> None:
    order = np.concatenate(evaluation_batches(LENGTHS, batch_size=64))
    assert sorted(order) == list(range(len(LENGTHS)))
    assert (np.diff(LENGTHS[order]) >= 0).all()
