"""Stratified splits, made one after the other with scikit-learn's `train_test_split`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bertsweep.data.dataset import SPLITS, Label
from bertsweep.errors import DataError
from bertsweep.spec.data_models import Split

if TYPE_CHECKING:
    import numpy as np

    Positions = np.ndarray[Any, Any]

_NAMED = 5


@dataclass(frozen=True)
class Cutter:
    """Splits rows stratified by `codes`, the class index of each row (int32) among `labels`."""

    codes: Positions
    labels: Sequence[Label]
    random_state: int

    def cut_all(self, rows: Positions, split: Split, names: Sequence[str]) -> dict[str, Positions]:
        """Returns the positions of each split in `names`, taken from the positions `rows`.

        Train is taken first, validation and then test from the remaining rows; if train is `rest`
        it is taken last. Each split is `train_test_split(remaining, train_size=size,
        stratify=codes of remaining, random_state=random_state)[0]`, so that the names of the
        classes change nothing. Raises `DataError` for too few rows.
        """
        if split.train == split.test == "rest" and "test" in names:
            raise DataError(
                "only one split can be the rest, but data.split.train and data.split.test both "
                "are. Set one of them to a share or a number of rows."
            )
        order = [name for name in SPLITS if name in names]
        if split.train == "rest":
            order.sort(key=lambda name: name == "train")
        parts = {}
        for name in order:
            size = getattr(split, name)
            if not len(rows):
                raise DataError(
                    f"data.split.{name} asks for {_size(size)}, but no rows are left for it. "
                    "Ask for fewer in the other splits."
                )
            if size == "rest":
                parts[name], rows = rows, rows[:0]
            else:
                parts[name], rows = self.cut(rows, size, f"data.split.{name}")
        return parts

    def cut(self, rows: Positions, size: int | float, key: str) -> tuple[Positions, Positions]:
        """Returns a stratified part of `rows` and the rest; errors name the part by `key`."""
        from sklearn.model_selection import train_test_split

        if isinstance(size, int) and size > len(rows):
            raise DataError(
                f"{key} asks for {size:,} rows, but {len(rows):,} are there. Set it to a smaller "
                "number or a share below 1."
            )
        if isinstance(size, int) and size == len(rows):
            return rows, rows[:0]
        self._check_classes(rows, key)
        self._check_size(rows, size, key)
        taken, left = train_test_split(
            rows, train_size=size, stratify=self.codes[rows], random_state=self.random_state
        )
        return taken, left

    def sample(self, rows: Positions, limit: int) -> Positions:
        """Returns at most `limit` rows, stratified, in their original order."""
        import numpy as np

        if limit >= len(rows):
            return rows
        return np.sort(self.cut(rows, limit, "data.limit")[0])

    def _check_classes(self, rows: Positions, key: str) -> None:
        import numpy as np

        counts = np.bincount(self.codes[rows], minlength=len(self.labels))
        few = np.flatnonzero(counts == 1)
        if not len(few):
            return
        named = ", ".join(repr(self.labels[code]) for code in few[:_NAMED])
        more = f" and {len(few) - _NAMED:,} more" if len(few) > _NAMED else ""
        raise DataError(
            f"{key} is cut so that every class stands on both sides, which takes at least 2 rows "
            f"of each, but only 1 of the {len(rows):,} rows there then is of class {named}{more}. "
            "Add rows, merge or remove these classes, or check that data.label names a column of "
            "classes."
        )

    def _check_size(self, rows: Positions, size: int | float, key: str) -> None:
        import numpy as np

        classes = len(np.unique(self.codes[rows]))
        there = len(rows)
        taken = size if isinstance(size, int) else math.floor(size * there)
        if classes <= taken <= there - classes:
            return
        if there < 2 * classes:
            remedy = "Give more rows, or fewer to the splits cut before it."
        else:
            remedy = f"Ask for {classes:,} to {there - classes:,} rows"
            remedy += f", or for all {there:,}." if isinstance(size, int) else "."
        raise DataError(
            f"{key} must take and leave at least one row of each of the {classes:,} classes, but "
            f"{_size(size)} of the {there:,} rows there then takes {taken:,} and leaves "
            f"{there - taken:,}. {remedy}"
        )


def _size(size: int | float | str) -> str:
    if size == "rest":
        return "the rest"
    return f"{size:,} rows" if isinstance(size, int) else f"a share of {size:g}"
