"""Histograms of characters."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

_EIGHTHS = " ▏▎▍▌▋▊▉"


def log_bars(
    edges: Sequence[int], counts: Sequence[int], *, lines: int, width: int
) -> Iterator[str]:
    """Yields a line for each bin: from, to, a bar as long as the logarithm of its count, the count.

    Neighbouring bins are joined until there are at most `lines`; the last bin has no end.
    """
    joined = -(-len(counts) // lines)
    bins = [
        (edges[at], edges[min(at + joined, len(counts))] - 1, sum(counts[at : at + joined]))
        for at in range(0, len(counts), joined)
    ]
    filled = [index for index, (_, _, count) in enumerate(bins) if count]
    bins = bins[filled[0] : filled[-1] + 1]
    labels = [_label(low, high) for low, high, _ in bins]
    if filled[-1] * joined + joined >= len(counts):
        labels[-1] = f"{bins[-1][0]} or more"
    numbers = [f"{count:,}" for _, _, count in bins]
    left, right = max(map(len, labels)), max(map(len, numbers))
    room = width - left - right - 4
    most = math.log10(max(count for _, _, count in bins) + 1)
    for label, number, (_, _, count) in zip(labels, numbers, bins, strict=True):
        eighths = round(8 * room * math.log10(count + 1) / most)
        bar = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
        yield f"{label:>{left}}  {bar}{' ' * (room - len(bar))}  {number:>{right}}"


def _label(low: int, high: int) -> str:
    return f"{low}" if low == high else f"{low} to {high}"
