"""What fresh seeds say: their noise, the luck of the best of many, a shrunk estimate, how many."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from bertsweep.selection.quantiles import expected_largest

Runs = Mapping[int, float]
"""Seed → score of a configuration trained with it."""

ERROR = 0.05
"""α and β where none are stated: of a false difference, and of a missed one."""


@dataclass(frozen=True)
class Noise:
    """How much a score moves from seed to seed, pooled over configurations.

    Model: score = configuration + seed + rest, where the seed's part is common to all
    configurations trained with it (a common split of the rows has one, a mere seed next to none)
    and the rest is of equal variance for all.

    `deviation` is the standard deviation of one configuration's scores over seeds, for intervals of
    its mean, with `degrees` degrees of freedom. `rest` is that of the rest alone, with
    `rest_degrees`, for differences between configurations that ran with the same seeds. Either is
    NaN where there are no two runs to measure it by.
    """

    deviation: float
    degrees: float
    rest: float
    rest_degrees: float


def noise(runs: Sequence[Runs]) -> Noise:
    """The noise of several configurations, each with its runs by seed.

    The variances are those of a one-way and of a two-way analysis without interaction (least
    squares, so that runs may be missing). With few seeds each they are pooled, since a variance of
    two or three numbers says next to nothing; a configuration whose noise is much larger than that
    of the others gets too narrow an interval by it. The degrees of freedom of `deviation` are
    (n − k) / (1 + (k − 1) ρ²), Satterthwaite's for k variances whose errors are correlated by ρ²:
    with a part common to all, k configurations tell little more of it than one does. ρ is 1 − rest²
    / deviation², not below 0.
    """
    cells = [(row, seed, score) for row, one in enumerate(runs) for seed, score in one.items()]
    seeds = sorted({seed for _, seed, _ in cells})
    values = np.array([score for *_, score in cells])
    rows = np.array([[row == other for other in range(len(runs))] for row, *_ in cells], float)
    columns = np.array([[seed == other for other in seeds] for _, seed, _ in cells], float)
    within, degrees = _residual(rows, values)
    rest, rest_degrees = _residual(np.hstack([rows, columns]), values)
    if degrees > 0 and rest_degrees > 0 and within > 0:
        correlation = max(0.0, 1 - rest / within)
        degrees /= 1 + (len(runs) - 1) * correlation**2
    return Noise(math.sqrt(within), degrees, math.sqrt(rest), rest_degrees)


def _residual(design: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """Mean square of what a least-squares fit leaves over, NaN without degrees of freedom."""
    fitted, _, rank, _ = np.linalg.lstsq(design, values, rcond=None)
    degrees = len(values) - int(rank)
    if degrees <= 0:
        return math.nan, 0.0
    left = values - design @ fitted
    # Rounding of equal scores is no noise.
    scale = float(np.abs(values).max()) * 1e-12
    mean = float(left @ left) / degrees
    return (mean if math.sqrt(mean) > scale else 0.0), float(degrees)


def noise_floor(deviation: float, trials: int) -> float:
    """By how much the best of equal configurations beats their common score through luck alone.

    σ · E[max of N standard normals], for a standard deviation σ from run to run and N trials. An
    improvement of a sweep's best trial that is smaller has nothing to show for itself. It assumes
    normal scores that are independent, and counts only the luck that σ holds: of seeds, not of the
    rows, which all trials share.
    """
    return deviation * expected_largest(trials)


def shrunk(
    means: Mapping[str, float], runs: Mapping[str, int], deviation: float
) -> dict[str, float]:
    """Means of configurations, drawn towards each other by as much as noise tells them apart.

    The empirical Bayes estimate of Efron and Morris (Journal of the American Statistical
    Association 70, 1975), (v · mean + s² · centre) / (v + s²), s² = deviation² / runs, the variance
    v between configurations by the method of moments of DerSimonian and Laird (Controlled Clinical
    Trials 7, 1986), not below 0; where it is 0, every estimate is the centre, their weighted mean.
    It takes the configurations for draws of one normal distribution and is meant for the winner's
    bias: with few of them v is guessed roughly.
    """
    names = list(means)
    values = np.array([means[name] for name in names])
    variances = np.array([deviation**2 / runs[name] for name in names])
    if len(names) < 2 or not (variances > 0).all():
        return dict(means)
    weights = 1 / variances
    centre = float(weights @ values / weights.sum())
    spread = float(weights @ (values - centre) ** 2) - (len(names) - 1)
    between = max(0.0, spread / float(weights.sum() - (weights**2).sum() / weights.sum()))
    weights = 1 / (between + variances)
    centre = float(weights @ values / weights.sum())
    drawn = (between * values + variances * centre) / (between + variances)
    return {name: float(value) for name, value in zip(names, drawn, strict=True)}


def outperforming(difference: float, deviation: float) -> float:
    """γ: the probability that one run of a configuration beats one of another.

    Φ(difference / (√2 · deviation)) for normal scores of equal deviation whose means differ so.
    """
    return float(special.ndtr(difference / (math.sqrt(2) * deviation)))


def seeds_needed(gamma: float, *, alpha: float = ERROR, beta: float = ERROR) -> int | None:
    """Runs of each of two configurations that tell them apart, None where nothing does (γ = 0.5).

    N ≥ ((z₁₋α + z₁₋β) / (√6 · (γ − ½)))², the smallest whole number, at least 2. `gamma` is the
    probability that a run of one beats a run of the other, `alpha` the error of a one-sided
    comparison and `beta` that of missing such a difference. Source: Noether, "Sample size
    determination for some common nonparametric tests", Journal of the American Statistical
    Association 82 (1987): (z₁₋α + z₁₋β)² / (12 c (1 − c) (γ − ½)²) runs in all for the two-sample
    rank test, here with a half (c = ½) of them each. Bouthillier et al., "Accounting for variance
    in machine learning benchmarks" (MLSys 2021), recommend it, with γ = 0.75: at errors of 5 %
    that comes to 29.
    """
    distance = abs(gamma - 0.5)
    if distance < 1e-6:
        return None
    ask = (special.ndtri(1 - alpha) + special.ndtri(1 - beta)) / (math.sqrt(6) * distance)
    return max(2, math.ceil(float(ask**2)))
