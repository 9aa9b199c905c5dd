"""Another split of the same rows: every row once, equal sizes, equal shares of the classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bertsweep.tokens import Special, Tokens, resplit
from bertsweep.tokens.ragged import Ragged


def tokens(rows: range, *, pair: bool) -> Tokens:
    """Row i holds i three times, or as often as i is long; its label is i % 3 == 0."""
    counts = np.array([1 + i % 4 for i in rows])
    ids = np.repeat(np.array(rows, np.int32), counts)
    first = Ragged(ids, np.append(0, np.cumsum(counts)))
    labels = np.array([i % 3 == 0 for i in rows], np.int32)
    special = Special(pad=0, unk=1, cls=2, sep=3)
    return Tokens(first, first if pair else None, labels, 2, special)


@pytest.mark.parametrize("pair", [False, True])
def test_it_holds_the_same_rows_in_parts_of_the_same_size(pair: bool) -> None:
    old = tokens(range(10, 70), pair=pair), tokens(range(70, 100), pair=pair)
    new = resplit(*old, seed=1)
    assert [part.rows for part in new] == [60, 30]
    held = [int(part.first.ids[start]) for part in new for start in part.first.offsets[:-1]]
    assert sorted(held) == list(range(10, 100))
    for part in new:
        assert part.labels.tolist() == [
            int(i % 3 == 0) for i in part.first.ids[part.first.offsets[:-1]]
        ]
        assert part.labels.mean() == pytest.approx(1 / 3, abs=0.01)
        ids, _, _ = part.batch(np.arange(part.rows), max_seq_length=16)
        assert ids[:, 1].tolist() == part.first.ids[part.first.offsets[:-1]].tolist()
        assert (part.second is not None) is pair


def test_equal_seeds_draw_equal_splits_and_others_another() -> None:
    old = tokens(range(10, 70), pair=False), tokens(range(70, 100), pair=False)
    draws = [resplit(*old, seed=seed)[1].first.ids.tolist() for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]


def test_a_class_of_one_row_is_no_obstacle() -> None:
    train = tokens(range(10, 40), pair=False)
    labels = train.labels.copy()
    labels[0] = 2
    new = resplit(replace(train, labels=labels), tokens(range(40, 50), pair=False), seed=3)
    assert sum(int((part.labels == 2).sum()) for part in new) == 1
