"""The search space: parameters, their conditions, and the points drawn from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bertsweep.space.domains import Domain, Fixed, Point, Scalar, largest, lists, same, smallest


@dataclass(frozen=True)
class Parameter:
    """A named domain, active only where every parameter named in `when` has one of its values."""

    name: str
    domain: Domain
    when: Mapping[str, tuple[Scalar, ...]] = field(default_factory=dict, hash=False)

    def active(self, point: Mapping[str, Scalar]) -> bool:
        return all(
            name in point and any(same(point[name], value) for value in values)
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
        return tuple(p.name for p in self.parameters if p.domain.count is None)

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

    def largest(self, name: str) -> float | None:
        """The greatest number a parameter can be.

        None where it is not in the space, and where none of its values is a number.
        """
        return largest(self[name].domain) if name in self else None

    def smallest(self, name: str) -> float | None:
        """The least number a parameter can be, None as in `largest`."""
        return smallest(self[name].domain) if name in self else None

    def grid(self) -> Iterator[Point]:
        """Every point of a space of choices and stepped ranges, conditions heeded, none twice.

        The points are made one at a time. Raises `ValueError` naming the continuous ranges, which
        have no grid.
        """
        if self.continuous:
            raise ValueError(
                f"a grid needs a list or a step, but got the continuous ranges {self.continuous}"
            )
        return _grid({}, self.parameters)

    @property
    def size(self) -> int | None:
        """How many points the grid has; None where a range is continuous.

        Each is a trial of its own: two points differ in the value of a parameter that both have.
        """
        return None if self.continuous else _size({}, self.parameters)


def _grid(point: Point, rest: Sequence[Parameter]) -> Iterator[Point]:
    if not rest:
        yield dict(point)
        return
    head, tail = rest[0], rest[1:]
    if not head.active(point):
        yield from _grid(point, tail)
        return
    for value in head.domain.grid() or ():
        yield from _grid({**point, head.name: value}, tail)


def _size(point: Point, rest: Sequence[Parameter]) -> int:
    """The number of points that begin with `point`, without going through them.

    Values of which no later condition speaks have equally many continuations, so those of one are
    counted for all: a space of 10 ** 12 points is counted as fast as one of ten.
    """
    if not rest:
        return 1
    head, tail = rest[0], rest[1:]
    if not head.active(point):
        return _size(point, tail)
    named: list[Scalar] = []
    for value in (value for other in tail for value in other.when.get(head.name, ())):
        if lists(head.domain, value) and not any(same(value, known) for known in named):
            named.append(value)
    others = (head.domain.count or 0) - len(named)
    total = sum(_size({**point, head.name: value}, tail) for value in named)
    return total + others * _size({**point, head.name: _OTHER}, tail)


_OTHER = "\0"
"""A value that no condition names."""


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
