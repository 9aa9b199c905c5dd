"""Points near a known one."""

from __future__ import annotations

import random
from collections.abc import Mapping

from bertsweep.search.shares import share_of, value_at
from bertsweep.space import Choice, Domain, Fixed, Point, Scalar, Space

WIDTH = 0.1
"""The standard deviation of what is drawn near a number, as a share of its range."""


def near(space: Space, centre: Mapping[str, Scalar], *, draw: random.Random) -> Point:
    """A point drawn near `centre`, which may leave parameters out: these are drawn evenly.

    A number is drawn from a normal distribution about that of `centre`, by the shares of its
    range; a choice is that of `centre` in every second point and drawn evenly in the others.
    """
    point: Point = {}
    for parameter in space.parameters:
        if parameter.active(point):
            value = centre.get(parameter.name)
            point[parameter.name] = _drawn(parameter.domain, value, draw)
    return point


def _drawn(domain: Domain, value: Scalar | None, draw: random.Random) -> Scalar:
    if value is None or isinstance(domain, Fixed):
        return value_at(domain, draw.random())
    if isinstance(domain, Choice):
        return value if draw.random() < 0.5 else draw.choice(domain.options)
    share = -1.0
    while not 0 <= share <= 1:
        share = draw.gauss(share_of(domain, float(value)), WIDTH)
    return value_at(domain, share)
