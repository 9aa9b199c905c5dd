"""What each candidate for `max_seq_length` cuts off, and what it costs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from bertsweep.draft.effort import Sizes, row_operations

_USUAL = (16, 32, 64, 128, 256, 512)


def truncation(
    lengths: Mapping[str, npt.NDArray[np.int64]],
    sizes: Sizes,
    *,
    asked: Collection[int],
    most: int,
) -> list[dict[str, Any]]:
    """Returns {max_seq_length, in_space, cut: {split: share}, word_pieces, cost} of each length.

    They are those `asked` for and usual ones, up to the first that cuts no row, or the encoder's
    `most`. `word_pieces` is the mean of the training rows once cut; `cost` the operations of a
    training on them, relative to the longest of the list.
    """
    longest = max(int(each.max()) for each in lengths.values())
    enough = min(most, next((size for size in _USUAL if size >= longest), most))
    tried = sorted({*asked, *(size for size in _USUAL if size <= enough)})
    rows = [_row(lengths, sizes, length, in_space=length in asked) for length in tried]
    whole = rows[-1]["cost"]
    return [{**row, "cost": row["cost"] / whole} for row in rows]


def _row(
    lengths: Mapping[str, npt.NDArray[np.int64]], sizes: Sizes, length: int, *, in_space: bool
) -> dict[str, Any]:
    cut = np.minimum(lengths["train"], length).astype(np.float64)
    return {
        "max_seq_length": length,
        "in_space": in_space,
        "cut": {name: float((each > length).mean()) for name, each in lengths.items()},
        "word_pieces": float(cut.mean()),
        "cost": float(row_operations(sizes, cut).mean()),
    }
