"""Values of a parameter as shares of its domain, from 0 to 1."""

from __future__ import annotations

import math

from bertsweep.space import Choice, Domain, Fixed, Float, Int, Scalar


def share_of(domain: Float | Int, value: float) -> float:
    """Where a value lies between the ends of a range, 0 to 1; by its logarithm in a log range."""
    low, high = _ends(domain)
    share = ((math.log(value) if domain.log else value) - low) / (high - low)
    return min(max(share, 0.0), 1.0)  # where rounding puts an end of the range beyond it


def value_at(domain: Domain, share: float) -> Scalar:
    """The value at a share of a domain; each option of a choice has an equal part of it."""
    if isinstance(domain, Fixed):
        return domain.value
    if isinstance(domain, Choice):
        return domain.options[min(int(share * len(domain.options)), len(domain.options) - 1)]
    low, high = _ends(domain)
    value = low + share * (high - low)
    nearest: Scalar = domain.nearest(math.exp(value) if domain.log else value)
    return nearest


def _ends(domain: Float | Int) -> tuple[float, float]:
    """What 0 and 1 stand for; each value of a stepped range has an equal part between them."""
    half = 0.0 if domain.step is None else domain.step / 2
    low, high = domain.low - half, domain.high + half
    return (math.log(low), math.log(high)) if domain.log else (low, high)
