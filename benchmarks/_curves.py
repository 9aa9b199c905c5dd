"""How good a search is how soon: reports with their times, and what a sweep did with its time."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

Curve = list[tuple[float, float]]
"""(seconds, best value so far), a pair for every report that was better than all before it."""


class Journal:
    """A file of reports, a JSON line each, that whatever process makes one appends to."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def report(self, trial: str, epoch: float, value: float) -> None:
        line = json.dumps({"time": time.time(), "trial": trial, "epoch": epoch, "value": value})
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def read(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]


def best_so_far(reports: Iterable[tuple[float, float]]) -> Curve:
    """The curve of reports (seconds, value), whatever their order; larger is better."""
    curve: Curve = []
    for seconds, value in sorted(reports):
        if not curve or value > curve[-1][1]:
            curve.append((seconds, value))
    return curve


def seconds_to(curve: Sequence[tuple[float, float]], value: float) -> float | None:
    """When the curve first has `value` or more; None when it never does."""
    return next((seconds for seconds, best in curve if best >= value), None)


def best_at(curve: Sequence[tuple[float, float]], seconds: float) -> float | None:
    """The best value by then; None before the first report."""
    return max((best for when, best in curve if when <= seconds), default=None)


def epochs_trained(reports: Iterable[dict[str, Any]]) -> float:
    """Epochs of all trials together: each by its furthest report."""
    furthest: dict[str, float] = {}
    for report in reports:
        furthest[report["trial"]] = max(report["epoch"], furthest.get(report["trial"], 0.0))
    return sum(furthest.values())
