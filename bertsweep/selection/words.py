"""Numbers and names in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence


def rounded(value: float, precision: float) -> str:
    """A value with as many decimals as show two digits of its precision, six at most."""
    if not precision > 0 or not math.isfinite(precision):
        return f"{value:.4g}"
    decimals = min(max(1 - math.floor(math.log10(precision)), 0), 6)
    return f"{value + 0.0:.{decimals}f}"


def and_listed(names: Sequence[str]) -> str:
    """Names as a sentence lists them: "t0001, t0002 and t0003"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def verdict_text(
    trial: str,
    *,
    outcome: str,
    difference: float,
    low: float | None,
    high: float | None,
    seeds: int,
) -> str:
    """A sentence on a finalist against the baseline, a positive difference being for it."""
    if low is None or high is None:
        return (
            f"{trial} cannot be told from the baseline: one seed each shows nothing of their noise."
        )
    half = (high - low) / 2
    size = rounded(abs(difference), half)
    known = f"95 % interval {rounded(low, half)} to {rounded(high, half)}, {seeds} seeds"
    if outcome == "better":
        return f"{trial} beats the baseline by {size} on the validation rows ({known})."
    if outcome == "worse":
        return f"{trial} is worse than the baseline by {size} on the validation rows ({known})."
    side = "better" if difference >= 0 else "worse"
    return (
        f"{trial} cannot be told from the baseline: {size} {side} on the validation rows ({known})."
    )
