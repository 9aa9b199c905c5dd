"""Whether the splits look alike: tests, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bertsweep.data import Dataset

LEVEL = 0.01
"""Below it a difference is told: chance alone does that to one comparison in a hundred."""

_SLIGHT = {"chi-square": 0.05, "Kolmogorov-Smirnov": 0.05}
_PAIRS = (("train", "validation"), ("train", "test"))


@dataclass(frozen=True)
class Comparison:
    """A test of one thing between two splits.

    `distance` is Cramér's V of the labels, and of lengths the largest distance of the two
    cumulative distributions; both are between 0 and 1.
    """

    what: str
    splits: tuple[str, str]
    test: str
    distance: float
    p_value: float

    @property
    def alike(self) -> bool:
        return self.p_value >= LEVEL

    @property
    def told(self) -> str:
        one, other = self.splits
        p_value = f"p = {self.p_value:.2g}"
        if self.alike:
            return f"{self.what}: {one} and {other} are alike ({self.test}, {p_value})."
        size = "slightly" if self.distance < _SLIGHT[self.test] else "clearly"
        return (
            f"{self.what}: {one} and {other} differ {size} ({self.test}, {p_value}, distance "
            f"{self.distance:.2f})."
        )

    def to_plain(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "splits": list(self.splits),
            "test": self.test,
            "distance": self.distance,
            "p_value": self.p_value,
            "alike": self.alike,
            "told": self.told,
        }


def compare(
    dataset: Dataset, lengths: Mapping[str, Mapping[str, npt.NDArray[np.int64]]]
) -> list[Comparison]:
    """Compares train with validation and with test: labels, and every kind of `lengths` by split.

    Labels by Pearson's chi-square, lengths by the two-sample Kolmogorov-Smirnov test, as SciPy
    computes them. Rows within a split count as drawn independently.
    """
    found = []
    for splits in _PAIRS:
        found.append(_labels(dataset, splits))
        found += [_lengths(kind, by_split, splits) for kind, by_split in lengths.items()]
    return found


def verdict(comparisons: list[Comparison]) -> str:
    """All of them in one sentence."""
    different = [one for one in comparisons if not one.alike]
    if not different:
        return (
            "The splits look alike: no difference in labels or lengths that chance would not "
            f"explain (every p >= {LEVEL:g})."
        )
    what = ", ".join(dict.fromkeys(one.what for one in different))
    others = ", ".join(dict.fromkeys(one.splits[1] for one in different))
    return (
        f"The splits differ in {what} (train against {others}): scores there may not hold for "
        "other rows. Are they from other sources or times?"
    )


def _labels(dataset: Dataset, splits: tuple[str, str]) -> Comparison:
    from scipy.stats import chi2_contingency

    counts = np.stack(
        [
            np.bincount(dataset.splits[name]["label"].to_numpy(), minlength=len(dataset.labels))
            for name in splits
        ]
    )
    counts = counts[:, counts.sum(axis=0) > 0]
    if counts.shape[1] < 2:
        return Comparison("labels", splits, "chi-square", 0.0, 1.0)
    found = chi2_contingency(counts, correction=False)
    cramer = float(np.sqrt(found.statistic / counts.sum()))  # two rows: the smaller side less 1
    return Comparison("labels", splits, "chi-square", cramer, float(found.pvalue))


def _lengths(
    kind: str, lengths: Mapping[str, npt.NDArray[np.int64]], splits: tuple[str, str]
) -> Comparison:
    from scipy.stats import ks_2samp

    found = ks_2samp(*(lengths[name] for name in splits), method="asymp")
    test = "Kolmogorov-Smirnov"
    return Comparison(kind, splits, test, float(found.statistic), float(found.pvalue))
