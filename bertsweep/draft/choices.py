"""What of data and encoder decides: metric, split sizes, and the space around usual values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bertsweep.data import Dataset
from bertsweep.data.dataset import Label
from bertsweep.draft.effort import Sizes

_RARE = 0.35
"""Of two classes, a share below which accuracy says little: guessing reaches 65 %."""
_UNEVEN = 3.0
"""Of several classes, how many times the rows of the smallest the largest may have."""
_FEW, _MANY, _VERY_MANY = 1_000, 100_000, 200_000
_HELD_OUT = 10_000
"""Rows that tell two configurations apart well enough."""
_SEARCHED_ON = 100_000
_LONG = 256


@dataclass(frozen=True)
class Classes:
    """The classes by rows in all splits; `rarest` and `share` tell of the smallest."""

    rows: Mapping[Label, int]
    positive: Label | None

    @classmethod
    def of(cls, dataset: Dataset) -> Classes:
        counts = sum(
            np.bincount(frame["label"].to_numpy(), minlength=len(dataset.labels))
            for frame in dataset.splits.values()
        )
        rows = dict(zip(dataset.labels, np.asarray(counts).tolist(), strict=True))
        return cls(rows, dataset.positive)

    @property
    def total(self) -> int:
        return sum(self.rows.values())

    @property
    def rarest(self) -> Label:
        return min(self.rows, key=self.rows.__getitem__)

    @property
    def share(self) -> float:
        return self.rows[self.rarest] / self.total

    @property
    def skewed(self) -> bool:
        if len(self.rows) == 2:
            return self.share < _RARE
        return max(self.rows.values()) > _UNEVEN * self.rows[self.rarest]

    def scored(self) -> Label | None:
        """Of two classes the positive one: as the data say, but the rarer one where it is skewed.

        With the frequent one as positive, a metric of the rare class would look at the wrong one.
        """
        return self.rarest if self.positive is not None and self.skewed else self.positive

    def metric(self) -> tuple[str, str]:
        """The metric that suits, and why."""
        guessing = 1 - self.share if len(self.rows) == 2 else max(self.rows.values()) / self.total
        if len(self.rows) == 2 and self.skewed:
            why = f"always saying the frequent class is right {guessing:.0%} of the time"
            return "val_average_precision", f"the area under precision-recall: {why}"
        if self.skewed:
            return "val_f1", "macro F1, in which every class counts alike, also the small ones"
        return "val_accuracy", "the classes are of similar size"


@dataclass(frozen=True)
class Split:
    """Sizes for `data.split`, and why these."""

    sizes: Mapping[str, float | int | str]
    why: str


def split_of(rows: int, there: tuple[str, ...]) -> Split:
    """The split of `rows` training rows; splits that have files of their own are `there`."""
    sizes: dict[str, float | int | str]
    if rows < _FEW:
        sizes = {"validation": 0.2, "test": 0.2}
        why = "few rows: a fifth each, so that scores mean something"
    elif rows <= _MANY:
        sizes = {"validation": 0.1, "test": 0.1}
        why = "a tenth to rank trials by; a tenth that stays closed until `bertsweep evaluate`"
    else:
        sizes = {"validation": _HELD_OUT, "test": _HELD_OUT}
        why = f"{_HELD_OUT:,} rows tell configurations apart"
        if rows > _VERY_MANY:
            sizes = {"train": _SEARCHED_ON, **sizes}
            why = f"{_SEARCHED_ON:,} of {rows:,} rows to train on; `train: rest` takes all others"
    return Split({name: size for name, size in sizes.items() if name not in there}, why)


@dataclass(frozen=True)
class Training:
    """Ranges for the hyperparameters that depend on encoder and rows."""

    learning_rate: tuple[str, str]
    usual_rate: str
    batch_sizes: tuple[int, ...]
    epochs: int
    dropout: float
    grace_steps: int | None
    why: str


def training_of(sizes: Sizes, *, rows: int, longest: int, scratch: bool) -> Training:
    """Ranges around what is usual for an encoder of that size; `scratch` is one never trained.

    Learning rates: Devlin et al. 2019, appendix A.3, for BERT base and large; smaller encoders
    bear larger ones.
    """
    epochs = 6 if rows < 2_000 else 4 if rows < 10_000 else 3 if rows < _MANY else 2
    batch_sizes = (8, 16) if longest >= _LONG else (16, 32)
    rates, usual, why = (
        ("1e-5", "1e-4"),
        "3e-5",
        "around the 2e-5 to 5e-5 that BERT is usually trained with",
    )
    if scratch:
        rates, usual, why = ("1e-4", "1e-2"), "1e-3", "large, since this encoder was never trained"
    elif sizes.hidden <= 512:
        rates, usual, why = (
            ("2e-5", "5e-4"),
            "1e-4",
            "larger than those of BERT base, which small encoders bear",
        )
    elif sizes.layers >= 24:
        rates, usual, why = (
            ("5e-6", "5e-5"),
            "2e-5",
            "smaller than those of BERT base, which large encoders need",
        )
    return Training(rates, usual, batch_sizes, epochs, 0.1, 15 if scratch else None, why)
