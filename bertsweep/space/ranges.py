"""The rules of a range, told all at once, with what to do about each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

MOST_STEPS = 1_000_000
"""No stepped range may hold more values: a step that small is a slip of the pen."""


class Fault(NamedTuple):
    """A broken rule of a range: the key at fault, the rule with the value got, what to do."""

    key: str
    rule: str
    remedy: str


def range_faults(
    low: float, high: float, *, log: bool = False, step: float | None = None
) -> Iterator[Fault]:
    """Every rule that a range breaks, so that they can be told all at once."""
    for key, value in (("low", low), ("high", high), ("step", step)):
        if value is not None and not math.isfinite(value):
            yield Fault(key, f"`{key}` must be finite, but got {value}", "Type a number.")
            return
    if not low <= high:
        yield Fault(
            "high",
            f"`low <= high` must hold, but got ({low}, {high})",
            f"Type `low: {high}` and `high: {low}`.",
        )
    if log and not low > 0:
        yield Fault(
            "low",
            f"`low > 0` must hold in a log range, but got {low}",
            "Raise `low` above 0 or leave `log` out.",
        )
    if step is not None:
        yield from _step_faults(low, high, log=log, step=step)


def _step_faults(low: float, high: float, *, log: bool, step: float) -> Iterator[Fault]:
    if log:
        rule = f"`log` and `step` exclude each other, but got both log: true and step: {step}"
        yield Fault("step", rule, "Leave one of the two out.")
    elif not step > 0:
        yield Fault(
            "step", f"`step > 0` must hold, but got {step}", "Type a positive step or leave it out."
        )
    elif low < high:
        steps = (high - low) / step
        if steps > MOST_STEPS:
            rule = f"`(high - low) / step <= {MOST_STEPS}` must hold, but got {steps:.3g}"
            yield Fault("step", rule, "Type a larger step or leave it out.")
        elif round(steps) < 1 or not math.isclose(steps, round(steps), abs_tol=1e-6):
            below = float(f"{low + math.floor(steps) * step:.12g}")
            above = float(f"{low + math.ceil(steps) * step:.12g}")
            ends = f"{above:g}" if below <= low else f"{below:g} or {above:g}"
            rule = f"the steps must reach `high`, but got step {step} from {low} to {high}"
            yield Fault("step", rule, f"Type `high: {ends}` or another step.")
