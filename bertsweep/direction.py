"""Which of two objective values is better: the one place where maximizing and minimizing differ."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable


class Direction(enum.Enum):
    """Whether larger (`MAX`) or smaller (`MIN`) values of an objective are better."""

    MAX = "max"
    MIN = "min"

    @classmethod
    def of(cls, mode: str) -> Direction:
        """The direction of an `objective.mode`, "max" or "min". Raises `ValueError` for others."""
        try:
            return cls(mode)
        except ValueError:
            raise ValueError(f"a mode must be max or min, but got {mode!r}") from None

    @property
    def sign(self) -> float:
        """1 or -1: a value times `sign` is larger the better it is."""
        return 1.0 if self is Direction.MAX else -1.0

    def better(self, value: float, than: float | None) -> bool:
        """Whether `value` beats `than`: equal values do not, NaN never does.

        Any number beats None, which stands for no value yet, and NaN.
        """
        if math.isnan(value):
            return False
        return than is None or math.isnan(than) or self.sign * value > self.sign * than

    def best(self, values: Iterable[float]) -> float | None:
        """The best of the values, NaN left out; None where no number is among them."""
        numbers = (value for value in values if not math.isnan(value))
        return max(numbers, default=None) if self is Direction.MAX else min(numbers, default=None)
