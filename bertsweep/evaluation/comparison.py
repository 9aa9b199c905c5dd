"""A classifier against another one on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest

from bertsweep import metrics
from bertsweep.evaluation.resampling import Interval
from bertsweep.evaluation.rows import Answers, Floats, Ints, plain_number


@dataclass(frozen=True)
class Difference:
    """How much higher a score is than the baseline's, with a 95 % interval."""

    value: float
    interval: Interval

    def to_plain(self) -> dict[str, Any]:
        return {"value": plain_number(self.value), **self.interval.to_plain()}


@dataclass(frozen=True)
class McNemar:
    """The rows that only one of two classifiers labels rightly, and how likely that is by chance.

    `p_value` is that of the exact binomial test on both sides. McNemar 1947, "Note on the sampling
    error of the difference between correlated proportions or percentages"; exact: Dietterich 1998.
    """

    only_winner_right: int
    only_baseline_right: int
    p_value: float

    @classmethod
    def of(cls, labels: Ints, winner: Answers, baseline: Answers) -> McNemar:
        right, other = winner.predicted == labels, baseline.predicted == labels
        ours, theirs = int(np.sum(right & ~other)), int(np.sum(other & ~right))
        if ours + theirs == 0:
            return cls(0, 0, 1.0)
        return cls(ours, theirs, float(binomtest(ours, ours + theirs, 0.5).pvalue))


@dataclass(frozen=True)
class Comparison:
    """The winner against the baseline on the same rows.

    `metrics` are the baseline's, `differences` how much higher the winner's are; their intervals
    are of scores on the same bootstrap samples. `verdict` says in one sentence what follows for the
    metric that the sweep was ranked by.
    """

    threshold: float | None
    metrics: Mapping[str, float]
    differences: Mapping[str, Difference]
    mcnemar: McNemar
    verdict: str

    def to_plain(self) -> dict[str, Any]:
        return {
            "threshold": self.threshold,
            "metrics": {name: plain_number(value) for name, value in self.metrics.items()},
            "differences": {name: one.to_plain() for name, one in self.differences.items()},
            "mcnemar": dict(vars(self.mcnemar)),
            "verdict": self.verdict,
        }


def differences(
    points: tuple[Mapping[str, float], Mapping[str, float]],
    samples: tuple[Mapping[str, Floats], Mapping[str, Floats]],
) -> dict[str, Difference]:
    """Winner less baseline of every metric, from their scores and those of the same samples."""
    (winner, baseline), (ours, theirs) = points, samples
    return {
        name: Difference(winner[name] - baseline[name], Interval.of(ours[name] - theirs[name]))
        for name in ours
        if name in winner
    }


def verdict(metric: str, points: tuple[float, float], difference: Difference, *, rows: int) -> str:
    """One sentence on the winner's and the baseline's score in a metric of `metrics.METRICS`."""
    ours, theirs = points
    low, high = difference.interval.low, difference.interval.high
    if not np.isfinite([ours, theirs, low, high]).all():
        return f"Winner and baseline cannot be compared: {metric} is not defined on these rows."
    better = difference.value if metrics.mode_of(metric) == "max" else -difference.value
    lead = (
        f"On the same {rows:,} rows the winner's {metric} is {ours:.4f} and the baseline's "
        f"{theirs:.4f}: a difference of {difference.value:+.4f} (95 % interval {low:+.4f} to "
        f"{high:+.4f})"
    )
    if low <= 0 <= high:
        return f"{lead}, so the two cannot be told apart."
    return f"{lead}, so the winner is {'better' if better > 0 else 'worse'} than the baseline."
