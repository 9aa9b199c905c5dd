"""The search space: frozen values that check themselves, and the points drawn from them."""

from __future__ import annotations

from bertsweep.space.domains import Choice, Domain, Fixed, Float, Int, Point, Scalar
from bertsweep.space.points import Parameter, Space
from bertsweep.space.ranges import Fault, range_faults

__all__ = [
    "Choice",
    "Domain",
    "Fault",
    "Fixed",
    "Float",
    "Int",
    "Parameter",
    "Point",
    "Scalar",
    "Space",
    "range_faults",
]
