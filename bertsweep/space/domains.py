"""What values a parameter can have: frozen domains that check themselves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bertsweep.space.ranges import Fault, range_faults

Scalar = str | int | float | bool
"""What one parameter of a trial can be."""

Point = dict[str, Scalar]
"""Parameter name → value, for the parameters that are active in it."""


@dataclass(frozen=True)
class Fixed:
    """One value, the same in every trial."""

    value: Scalar

    def contains(self, value: Scalar) -> bool:
        return same(value, self.value)

    def grid(self) -> Sequence[Scalar]:
        return (self.value,)

    @property
    def count(self) -> int:
        return 1

    def __str__(self) -> str:
        return f"{self.value}"


@dataclass(frozen=True)
class Choice:
    """One of several values, without order. Raises `ValueError` when empty or repeating itself."""

    options: tuple[Scalar, ...]

    def __post_init__(self) -> None:
        if not self.options:
            raise ValueError("a choice needs at least one option, but got an empty list")
        for index, option in enumerate(self.options):
            if any(same(option, other) for other in self.options[:index]):
                raise ValueError(f"the options of a choice must differ, but got {option!r} twice")

    def contains(self, value: Scalar) -> bool:
        return any(same(value, option) for option in self.options)

    def grid(self) -> Sequence[Scalar]:
        return self.options

    @property
    def count(self) -> int:
        return len(self.options)

    def __str__(self) -> str:
        return "[" + ", ".join(str(option) for option in self.options) + "]"


@dataclass(frozen=True)
class Float:
    """A range of real numbers, both ends included, uniform in the value or (`log`) its logarithm.

    With `step` the values are low, low + step, …, high. Raises `ValueError`.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None

    def __post_init__(self) -> None:
        _refuse(range_faults(self.low, self.high, log=self.log, step=self.step))

    def contains(self, value: Scalar) -> bool:
        if isinstance(value, (bool, str)) or not self.low <= value <= self.high:
            return False
        if self.step is None:
            return True
        steps = (value - self.low) / self.step
        return math.isclose(steps, round(steps), abs_tol=1e-6)

    def grid(self) -> Sequence[Scalar] | None:
        """Every value of a stepped range; None for a continuous one, which has no grid."""
        if self.count is None:
            return None
        step = self.step or 0.0
        return tuple(self.nearest(self.low + index * step) for index in range(self.count))

    @property
    def count(self) -> int | None:
        """How many values the range has; None for a continuous one."""
        if self.low == self.high:
            return 1
        return None if self.step is None else round((self.high - self.low) / self.step) + 1

    def nearest(self, value: float) -> float:
        """The value of the range that is nearest; of a stepped one, as `grid` lists it.

        0.1 + 2 * 0.1 and 0.3 differ in the last bit. With one spelling for both, equal trials are
        recognised as equal.
        """
        if self.step is not None:
            index = round((value - self.low) / self.step)
            value = float(f"{self.low + index * self.step:.12g}")
        return min(max(value, self.low), self.high)

    def __str__(self) -> str:
        return _range_text(self.low, self.high, log=self.log, step=self.step)


@dataclass(frozen=True)
class Int:
    """A range of whole numbers, both ends included; `step` defaults to 1. Raises `ValueError`."""

    low: int
    high: int
    log: bool = False
    step: int = 1

    def __post_init__(self) -> None:
        step = self.step if self.step != 1 else None
        _refuse(range_faults(self.low, self.high, log=self.log, step=step))

    def contains(self, value: Scalar) -> bool:
        if isinstance(value, (bool, str)) or not self.low <= value <= self.high:
            return False
        return value == int(value) and (int(value) - self.low) % self.step == 0

    def grid(self) -> Sequence[Scalar]:
        return range(self.low, self.high + 1, self.step)

    @property
    def count(self) -> int:
        # Not `len` of the grid, which refuses more than 2 ** 63.
        return (self.high - self.low) // self.step + 1

    def nearest(self, value: float) -> int:
        """The value of the range that is nearest."""
        index = round((value - self.low) / self.step)
        return self.low + min(max(index, 0), self.count - 1) * self.step

    def __str__(self) -> str:
        step = self.step if self.step != 1 else None
        return _range_text(self.low, self.high, log=self.log, step=step)


Domain = Fixed | Choice | Float | Int


def lists(domain: Domain, value: Scalar) -> bool:
    """Whether the grid of a domain holds exactly this value."""
    if isinstance(domain, Float) and not isinstance(value, (bool, str)):
        return domain.contains(value) and domain.nearest(value) == value
    return domain.contains(value)


def largest(domain: Domain) -> float | None:
    """The greatest number among a domain's values; None where it has none."""
    if isinstance(domain, (Float, Int)):
        return domain.high
    numbers = [v for v in domain.grid() if isinstance(v, (int, float)) and not isinstance(v, bool)]
    return max(numbers, default=None)


def smallest(domain: Domain) -> float | None:
    """The least number among a domain's values; None where it has none."""
    if isinstance(domain, (Float, Int)):
        return domain.low
    numbers = [v for v in domain.grid() if isinstance(v, (int, float)) and not isinstance(v, bool)]
    return min(numbers, default=None)


def same(left: Scalar, right: Scalar) -> bool:
    """Equality that keeps True apart from 1, as YAML does."""
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def _refuse(faults: Iterator[Fault]) -> None:
    for fault in faults:
        raise ValueError(fault.rule)


def _range_text(low: float, high: float, *, log: bool, step: float | None) -> str:
    how = " (log)" if log else "" if step is None else f" in steps of {step}"
    return f"{low} to {high}{how}"
