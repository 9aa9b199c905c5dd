"""Training and validation rows drawn anew from both, to see how much a score owes to the split."""

from __future__ import annotations

import numpy as np

from bertsweep.tokens.tokens import Tokens


def resplit(train: Tokens, validation: Tokens, *, seed: int) -> tuple[Tokens, Tokens]:
    """Another split of the same rows in parts of the same sizes, stratified by the label.

    A class with a single row stands on either side. Rows are copied into memory.
    """
    from sklearn.model_selection import train_test_split

    both = Tokens.joined(train, validation)
    counts = np.bincount(both.labels)
    stratify = both.labels if counts[counts > 0].min() > 1 else None
    taken, left = train_test_split(
        np.arange(both.rows), train_size=train.rows, stratify=stratify, random_state=seed
    )
    return both.take(taken), both.take(left)
