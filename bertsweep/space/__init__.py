"""The search space: frozen values that check themselves, and the points drawn from them."""

from __future__ import annotations

from bertsweep.space.domains import Choice, Domain, Fixed, Float, Int, Point, Scalar
from bertsweep.space.ranges import Fault, range_faults
from bertsweep.space.space import Parameter, Space

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
