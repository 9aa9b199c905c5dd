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
        if self.step is None:
            return None
        count = math.floor((self.high - self.low) / self.step + 1e-6) + 1
        return tuple(float(f"{self.low + index * self.step:.12g}") for index in range(count))

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

    def __str__(self) -> str:
        step = self.step if self.step != 1 else None
        return _range_text(self.low, self.high, log=self.log, step=step)


Domain = Fixed | Choice | Float | Int


def same(left: Scalar, right: Scalar) -> bool:
    """Equality that keeps True apart from 1, as YAML does."""
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def _refuse(faults: Iterator[Fault]) -> None:
    for fault in faults:
        raise ValueError(fault.rule)


def _range_text(low: float, high: float, *, log: bool, step: float | None) -> str:
    how = " (log)" if log else "" if step is None else f" in steps of {step}"
    return f"{low} to {high}{how}"
