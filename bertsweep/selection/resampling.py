"""Bootstrap resamples of rows, as how often each row was drawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from bertsweep.errors import DataError

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]

CELLS = 1_000_000
"""Rows × resamples that are worked on at once, so that they stay in the processor's cache."""

_FEWEST, _MOST = 16, 512
_TRIES = 100
"""Draws of resamples for each one that is asked for, before too few rows of a class are refused."""


def draws(labels: Ints, *, resamples: int, seed: int) -> Iterator[Floats]:
    """Resamples with replacement, as counts [rows, some resamples], `resamples` in all.

    `labels` are class indices [rows]. A count says how often the row stands in the resample; the
    rows with count 0 are those out of the bag. Rows are drawn with equal probability, without
    stratification: the share of each class varies as it would in another sample of the same size.
    Resamples with rows of one class only, in the bag or out of it, are drawn again, since most
    scores are not defined there. The same seed gives the same resamples.

    Raises `DataError` where that leaves (nearly) none: fewer than two classes with a few rows.
    """
    rows, rng = len(labels), np.random.default_rng(seed)
    # Sums of counts are exact in 32 bits up to there.
    dtype: type[np.floating[Any]] = np.float32 if rows < 2**24 else np.float64
    members = np.stack([labels == label for label in np.unique(labels)]).astype(dtype)
    at_once = min(max(CELLS // max(rows, 1), _FEWEST), _MOST)
    wanted, tries = resamples, _TRIES * resamples
    while wanted > 0:
        if len(members) < 2 or tries <= 0:
            raise DataError(
                "a bootstrap needs rows of two classes, several of each, but "
                f"the {rows:,} rows have {[int(count) for count in members.sum(axis=1)]} by class. "
                "Use more validation rows (data.split.validation)."
            )
        counts = _counted(rng, rows, at_once).astype(dtype)
        usable = _two_classes(members, counts) & _two_classes(members, out_of_bag(counts))
        counts = counts[:, usable][:, :wanted]
        tries, wanted = tries - at_once, wanted - counts.shape[1]
        if counts.shape[1]:
            yield counts


def out_of_bag(counts: Floats) -> Floats:
    """1 for each row that a resample left out, else 0; [rows, resamples] as `counts`."""
    left: Floats = (counts == 0).astype(counts.dtype)
    return left


def _counted(rng: np.random.Generator, rows: int, resamples: int) -> Ints:
    drawn = rng.integers(rows, size=(rows, resamples)) * resamples + np.arange(resamples)
    return np.bincount(drawn.ravel(), minlength=rows * resamples).reshape(rows, resamples)


def _two_classes(members: Floats, counts: Floats) -> npt.NDArray[np.bool_]:
    held: npt.NDArray[np.bool_] = np.count_nonzero(members @ counts, axis=0) >= 2
    return held
