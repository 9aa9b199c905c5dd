"""The tables of `benchmarks.sweep`: what each side did, how soon it was how good."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks._curves import Curve, best_at, best_so_far, epochs_trained, seconds_to
from benchmarks._tables import spread, table

Repeats = Sequence[Mapping[str, Mapping[str, Any]]]
"""Of each repeat, by side: seconds, and reports (seconds, trial, epoch, value)."""

LEVELS = (0.9, 0.95, 0.99, 1.0)
"""Parts of the best value that both sides are asked for."""

MINUTES = (0.5, 1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240)


def written(repeats: Repeats, *, ours: str) -> str:
    """All tables, one under the other, and what our time went into."""
    sides = list(repeats[0])
    curves = {side: [_curve(repeat[side]) for repeat in repeats] for side in sides}
    parts = [table(*_searches(repeats, curves))]
    if ours in sides:
        parts += [
            table(*sooner(curves[other], curves[ours], other=other, ours=ours))
            for other in sides
            if other != ours
        ]
    parts.append(table(*_over_time(curves)))
    if ours in sides:
        parts.append(_shares([repeat[ours]["shares"] for repeat in repeats]))
    if len(repeats) > 1:
        parts.append(f"Median (least to greatest) of {len(repeats)} repeats.")
    return "\n\n".join(parts)


def _curve(search: Mapping[str, Any]) -> Curve:
    return best_so_far((report["seconds"], report["value"]) for report in search["reports"])


def _searches(
    repeats: Repeats, curves: Mapping[str, Sequence[Curve]]
) -> tuple[list[str], list[list[str]]]:
    head = ["", "trials", "epochs", "seconds", "first value after", "best", "best after"]
    lines = []
    for side, found in curves.items():
        searches = [repeat[side] for repeat in repeats]
        trials = [len({report["trial"] for report in s["reports"]}) for s in searches]
        lines.append(
            [
                side,
                spread(trials, 0),
                spread([epochs_trained(search["reports"]) for search in searches], 2),
                spread([search["seconds"] for search in searches], 0),
                spread([curve[0][0] for curve in found], 0),
                spread([curve[-1][1] for curve in found], 4),
                spread([curve[-1][0] for curve in found], 0),
            ]
        )
    return head, lines


def sooner(
    theirs: Sequence[Curve], our: Sequence[Curve], *, other: str, ours: str
) -> tuple[list[str], list[list[str]]]:
    """Seconds of both sides to parts of the best value of the other, and of the best of both.

    The best of both is what both reached: the lesser of the two bests. A repeat in which we do not
    reach a value has no ratio, and the line says in how many we did.
    """
    head = [
        f"to reach, of {other}",
        "average precision",
        f"{other}, s",
        f"{ours}, s",
        "times sooner",
    ]
    asked = [(f"{level:.0%} of its best", _parts(theirs, level)) for level in LEVELS]
    common = [min(a[-1][1], b[-1][1]) for a, b in zip(theirs, our, strict=True)]
    lines = []
    for what, values in [*asked, ("the best of both", common)]:
        times = [
            (seconds_to(a, value), seconds_to(b, value))
            for a, b, value in zip(theirs, our, values, strict=True)
        ]
        both = [(a, b) for a, b in times if a is not None and b is not None]
        some = "" if len(both) == len(times) else f" ({len(both)} of {len(times)})"
        lines.append(
            [
                what,
                spread(values, 4),
                spread([a for a, _ in times if a is not None], 0),
                (spread([b for _, b in both], 0) if both else "not reached") + some,
                spread([a / b for a, b in both], 2) if both else "",
            ]
        )
    return head, lines


def _parts(curves: Sequence[Curve], level: float) -> list[float]:
    return [level * curve[-1][1] for curve in curves]


def _over_time(curves: Mapping[str, Sequence[Curve]]) -> tuple[list[str], list[list[str]]]:
    """The median over the repeats of the best value by then."""
    last = max(curve[-1][0] for found in curves.values() for curve in found)
    first = [minutes for minutes in MINUTES if 60 * minutes < last]
    rows = []
    for minutes in [*first, *MINUTES[len(first) : len(first) + 1]]:
        line = [f"{minutes:g} min"]
        for found in curves.values():
            by_then = [best_at(curve, 60 * minutes) for curve in found]
            values = [value for value in by_then if value is not None]
            line.append(f"{statistics.median(values):.4f}" if len(values) == len(found) else "")
        rows.append(line)
    return ["best average precision by", *curves], rows


def _shares(shares: Sequence[Mapping[str, float]]) -> str:
    said = {name: spread([share[name] for share in shares], 3) for name in shares[0]}
    return (
        "Share of the machine's time from when the first actor was up to the "
        f"end of the sweep: in training steps {said['training']}, in training and evaluation "
        f"steps {said['steps']}, in trials with scores and their best checkpoints {said['trials']}."
    )
