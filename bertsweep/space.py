"""The search space: frozen values that check themselves, and the points drawn from them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

Scalar = str | int | float | bool
"""What one parameter of a trial can be."""

Point = dict[str, Scalar]
"""Parameter name → value, for the parameters that are active in it."""

MOST_STEPS = 1_000_000
"""No stepped range may hold more values: a step that small is a slip of the pen."""


class Fault(NamedTuple):
    """A broken rule of a range: the key at fault, the rule with the value got, what to do."""

    key: str
    rule: str
    remedy: str


@dataclass(frozen=True)
class Fixed:
    """One value, the same in every trial."""

    value: Scalar

    def contains(self, value: Scalar) -> bool:
        return _same(value, self.value)

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
            if any(_same(option, other) for other in self.options[:index]):
                raise ValueError(f"the options of a choice must differ, but got {option!r} twice")

    def contains(self, value: Scalar) -> bool:
        return any(_same(value, option) for option in self.options)

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


@dataclass(frozen=True)
class Parameter:
    """A named domain, active only where every parameter named in `when` has one of its values."""

    name: str
    domain: Domain
    when: Mapping[str, tuple[Scalar, ...]] = field(default_factory=dict, hash=False)

    def active(self, point: Mapping[str, Scalar]) -> bool:
        return all(
            name in point and any(_same(point[name], value) for value in values)
            for name, values in self.when.items()
        )

    @property
    def condition(self) -> str:
        """`when` in words: "optimizer is adamw"."""
        return " and ".join(
            f"{name} is {' or '.join(str(value) for value in values)}"
            for name, values in self.when.items()
        )


@dataclass(frozen=True)
class Space:
    """Parameters in an order in which every condition speaks only of earlier ones.

    Raises `ValueError` for a repeated name, a condition on an unknown parameter, or a circle.
    """

    parameters: tuple[Parameter, ...]

    def __post_init__(self) -> None:
        names = [parameter.name for parameter in self.parameters]
        if len(set(names)) != len(names):
            raise ValueError(f"parameter names must differ, but got {names}")
        object.__setattr__(self, "parameters", _in_order(self.parameters))

    @property
    def searched(self) -> tuple[Parameter, ...]:
        """The parameters a sampler decides: all that are not fixed."""
        return tuple(p for p in self.parameters if not isinstance(p.domain, Fixed))

    @property
    def continuous(self) -> tuple[str, ...]:
        """Names of the parameters without a finite list of values; a grid has none of them."""
        return tuple(p.name for p in self.parameters if p.domain.grid() is None)

    def __getitem__(self, name: str) -> Parameter:
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return any(parameter.name == name for parameter in self.parameters)

    def project(self, values: Mapping[str, Scalar]) -> Point:
        """The active parameters of the space with their values in `values`, fixed ones filled in.

        Raises `KeyError` for an active searched parameter without a value.
        """
        point: Point = {}
        for parameter in self.parameters:
            if parameter.active(point):
                if isinstance(parameter.domain, Fixed) and parameter.name not in values:
                    point[parameter.name] = parameter.domain.value
                else:
                    point[parameter.name] = values[parameter.name]
        return point

    def outside(self, point: Mapping[str, Scalar]) -> dict[str, str]:
        """Parameter → why `point` does not lie in the space; empty when it does."""
        reasons: dict[str, str] = {}
        for parameter in self.parameters:
            value = point.get(parameter.name)
            if parameter.active(point):
                if value is None:
                    reasons[parameter.name] = "has no value"
                elif not parameter.domain.contains(value):
                    where = "" if isinstance(parameter.domain, Fixed) else "in "
                    reasons[parameter.name] = f"{value!r} is not {where}{parameter.domain}"
            elif value is not None:
                reasons[parameter.name] = f"has no effect unless {parameter.condition}"
        for name in point:
            if name not in self:
                reasons[name] = "is not a parameter of the space"
        return reasons

    def grid(self) -> Iterator[Point]:
        """Every point of a space of choices and stepped ranges, conditions heeded, none twice.

        Raises `ValueError` naming the continuous ranges, which have no grid.
        """
        if self.continuous:
            raise ValueError(
                f"a grid needs a list or a step, but got the continuous ranges {self.continuous}"
            )
        return self._grid({}, self.parameters)

    def size(self, *, limit: int) -> int | None:
        """How many points the grid has, counted up to `limit`; None where a range is continuous."""
        if self.continuous:
            return None
        return sum(1 for _ in itertools.islice(self.grid(), limit))

    def _grid(self, point: Point, rest: Sequence[Parameter]) -> Iterator[Point]:
        if not rest:
            yield dict(point)
            return
        head, tail = rest[0], rest[1:]
        if not head.active(point):
            yield from self._grid(point, tail)
            return
        for value in head.domain.grid() or ():
            yield from self._grid({**point, head.name: value}, tail)


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


def _refuse(faults: Iterator[Fault]) -> None:
    for fault in faults:
        raise ValueError(fault.rule)


def _range_text(low: float, high: float, *, log: bool, step: float | None) -> str:
    how = " (log)" if log else "" if step is None else f" in steps of {step}"
    return f"{low} to {high}{how}"


def _same(left: Scalar, right: Scalar) -> bool:
    """Equality that keeps True apart from 1, as YAML does."""
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def _in_order(parameters: Sequence[Parameter]) -> tuple[Parameter, ...]:
    names = {parameter.name for parameter in parameters}
    for parameter in parameters:
        for condition in parameter.when:
            if condition not in names:
                raise ValueError(
                    f"the condition of {parameter.name} must name a parameter of the space, "
                    f"but got {condition!r}"
                )
    ordered: list[Parameter] = []
    waiting = list(parameters)
    while waiting:
        placed = {parameter.name for parameter in ordered}
        ready = [p for p in waiting if placed.issuperset(p.when)]
        if not ready:
            circle = sorted(p.name for p in waiting)
            raise ValueError(f"conditions must not go in a circle, but got one among {circle}")
        ordered.extend(ready)
        waiting = [p for p in waiting if p not in ready]
    return tuple(ordered)
