"""Training and validation rows drawn anew from both, to see how much a score owes to the split."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bertsweep.tokens.tokens import Tokens

Rows = npt.NDArray[np.integer[Any]]


def resplit(train: Tokens, validation: Tokens, *, seed: int) -> tuple[Tokens, Tokens]:
    """Another split of the same rows in parts of the same sizes, stratified by the label.

    A class with a single row stands on either side. Rows are copied into memory.
    """
    both = Tokens.joined(train, validation)
    taken, left = redrawn(both.labels, train=train.rows, seed=seed)
    return both.take(taken), both.take(left)


def redrawn(labels: Rows, *, train: int, seed: int) -> tuple[Rows, Rows]:
    """The numbers of the training rows, `train` of them, and of the validation rows of that split.

    `labels` are the class indices of the sweep's training rows and then of its validation rows.
    """
    from sklearn.model_selection import train_test_split

    counts = np.bincount(labels)
    stratify = labels if counts[counts > 0].min() > 1 else None
    taken, left = train_test_split(
        np.arange(len(labels)), train_size=train, stratify=stratify, random_state=seed
    )
    return taken, left
