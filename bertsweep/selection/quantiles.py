"""Quantiles and means of the largest of several normal errors, by numerical integration."""

from __future__ import annotations

import functools

import numpy as np
from scipy import integrate, optimize, special

_NODES = 64
_WIDEST = 12.0
"""Standard deviations beyond which a normal has no mass that 64 bits could show."""


def t_quantile(probability: float, degrees: float) -> float:
    """The quantile of Student's t distribution; of the normal one where `degrees` is infinite."""
    if np.isinf(degrees):
        return float(special.ndtri(probability))
    return float(special.stdtrit(degrees, probability))


def t_probability(value: float, degrees: float) -> float:
    """The probability that Student's t stays below `value`."""
    if np.isinf(degrees):
        return float(special.ndtr(value))
    return float(special.stdtr(degrees, value))


@functools.cache
def expected_largest(count: int) -> float:
    """The mean of the largest of `count` independent standard normals.

    ∫ x · n · φ(x) · Φ(x)ⁿ⁻¹ dx, for example 0 for 1, 0.564 for 2, 1.539 for 10 and 2.249 for 50.
    Raises `ValueError` for fewer than 1.
    """
    if count < 1:
        raise ValueError(f"the largest of {count} numbers is not defined")

    def density(x: float) -> float:
        log = special.log_ndtr(x) * (count - 1) - x * x / 2
        return float(x * count * np.exp(log) / np.sqrt(2 * np.pi))

    return float(integrate.quad(density, -_WIDEST, _WIDEST, limit=200)[0])


@functools.cache
def largest_quantile(
    probability: float, count: int, degrees: float, correlation: float = 0.0
) -> float:
    """The quantile of the largest of `count` errors over one estimate of their deviation.

    The errors are standard normals, each pair correlated by `correlation` (0 to below 1), and the
    estimate has `degrees` degrees of freedom: the one-sided studentised maximum, which for a
    correlation of 0.5 is Dunnett's (Journal of the American Statistical Association 50, 1955). For
    one error it is Student's t. Within 1e-4, since Gauss-Hermite and mid-point sums stand for the
    integrals over the part that is common and over the estimate.
    """
    if count == 1:
        return t_quantile(probability, degrees)
    shared, weights = np.zeros(1), np.ones(1)
    if correlation > 0:
        shared, weights = np.polynomial.hermite_e.hermegauss(_NODES)
        weights = weights / weights.sum()
    middles = (np.arange(20 * _NODES) + 0.5) / (20 * _NODES)
    scales = (
        np.ones(1)
        if np.isinf(degrees)
        else np.sqrt(special.chdtri(degrees, 1 - middles) / degrees)[:, None]
    )

    def excess(quantile: float) -> float:
        own = (quantile * scales + np.sqrt(correlation) * shared) / np.sqrt(1 - correlation)
        return float((special.ndtr(own) ** count @ weights).mean()) - probability

    least = t_quantile(probability, degrees)
    most = t_quantile(1 - (1 - probability) / count, degrees) + 1e-3
    if excess(least - 1e-3) > 0:
        return least
    return float(optimize.brentq(excess, least - 1e-3, most + 1e-3))
