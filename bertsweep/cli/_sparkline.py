"""A curve in a few characters."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 8


def sparkline(values: Sequence[float], *, width: int = WIDTH) -> str:
    """The last values as bars between their least and their greatest.

    More values than `width` are drawn as the means of as many neighbours; equal ones are a flat
    line.
    """
    if not values:
        return ""
    if len(values) > width:
        edges = [round(place * len(values) / width) for place in range(width + 1)]
        parts = [values[low:high] for low, high in pairwise(edges)]
        values = [sum(part) / len(part) for part in parts]
    low, high = min(values), max(values)
    if low == high:
        return BARS[len(BARS) // 2 - 1] * len(values)
    return "".join(BARS[round((value - low) / (high - low) * (len(BARS) - 1))] for value in values)
