"""Configurations that ran with the same seeds, compared in pairs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bertsweep.selection.quantiles import largest_quantile, t_probability, t_quantile
from bertsweep.selection.seeds import Noise, Runs

LOWER, UPPER = 0.05, 0.025
"""Errors of the two ends of an interval for a configuration that was chosen; see `widened`."""


def mean(runs: Runs) -> float:
    """The mean score over seeds."""
    return math.fsum(runs.values()) / len(runs)


@dataclass(frozen=True)
class Difference:
    """The mean difference of two configurations over the seeds that both ran with.

    `error` is its standard error, rest · √(2 / seeds) of `seeds.Noise`, in which the part that a
    seed has in common for all is gone; NaN where nothing measures it.
    """

    mean: float
    error: float
    seeds: int


def difference(of: Runs, to: Runs, noise: Noise) -> Difference | None:
    """`of` minus `to`, None where they have no seed in common."""
    shared = sorted(set(of) & set(to))
    if not shared:
        return None
    apart = math.fsum(of[seed] - to[seed] for seed in shared) / len(shared)
    return Difference(apart, noise.rest * math.sqrt(2 / len(shared)), len(shared))


def widened(count: int, degrees: float, correlation: float = 0.0) -> tuple[float, float]:
    """How far an interval of one of `count` reaches down and up, in standard errors.

    The interval is for the one that was chosen among `count` for its mean, larger being better. Its
    mean is too high where it was lucky, so the lower end is far: at the quantile 1 − 0.05 of the
    largest of `count` errors. The upper end is near, at Student's 1 − 0.025: that the chosen one is
    underrated is no likelier than that one configuration named beforehand is (were it underrated
    by so much, so was the truly best, which would have been chosen else). Where all are equal the
    lower end errs in 5 % and the upper in next to none, where one is far ahead in 5 % / count and
    2.5 %: 95 % or a little more are covered in either case (measured: docs/selection.md). That
    intervals for the largest of several need no correction upwards is from Benjamini, Hechtlinger
    and Stark, "Confidence intervals for selected parameters" (arXiv 1906.00505, 2019).
    """
    return (
        largest_quantile(1 - LOWER, count, degrees, correlation),
        t_quantile(1 - UPPER, degrees),
    )


def correlation(runs: Iterable[Runs], to: Runs) -> float:
    """The least correlation of the errors of differences of several to one: 0.5 of equal numbers.

    The errors of one with n runs, to another with m, have the part n / (n + m) in common. The least
    makes a quantile of the largest the widest.
    """
    least = min(len(one) for one in runs)
    return least / (least + len(to))


def probability(apart: Difference, degrees: float) -> float:
    """The probability that the true difference is above 0, with no opinion beforehand."""
    if not apart.error > 0:
        return 0.5 if math.isnan(apart.error) or apart.mean == 0 else float(apart.mean > 0)
    return t_probability(apart.mean / apart.error, degrees)


def contenders(runs: Mapping[str, Runs], leader: str, noise: Noise) -> tuple[str, ...]:
    """Those that the leader is not proved to beat, the leader included, in the order given.

    With 95 % the truly best is among them: multiple comparisons with the best (Hsu, Annals of
    Statistics 12, 1984), each paired difference against the one-sided studentised maximum of all
    (Dunnett's). All of them where there is no noise to measure by, and one that has no seed in
    common with the leader.
    """
    rivals = {name: one for name, one in runs.items() if name != leader}
    if not rivals or not noise.rest_degrees > 0:
        return tuple(runs)
    shared = correlation(rivals.values(), runs[leader])
    limit = largest_quantile(1 - LOWER, len(rivals), noise.rest_degrees, shared)
    beaten = set()
    for name, one in rivals.items():
        apart = difference(runs[leader], one, noise)
        if apart is not None and apart.mean > limit * apart.error:
            beaten.add(name)
    return tuple(name for name in runs if name not in beaten)
