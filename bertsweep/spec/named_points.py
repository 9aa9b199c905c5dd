"""The configurations that a file names itself: the baseline and the warm starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bertsweep.space import Fixed, Point, Scalar, Space
from bertsweep.spec.document import KeyPath
from bertsweep.spec.hyperparameters import ENCODER, Hyperparameters
from bertsweep.spec.problems import Problems
from bertsweep.spec.values import NAMES, checked, unknown_name


def completed(space: Space, given: Mapping[str, Scalar]) -> Hyperparameters:
    """The given values, then the fixed ones of the space that are active, then the defaults.

    The default of `encoder` is the first one that the space has.
    """
    point: Point = dict(given)
    if ENCODER in space and ENCODER not in point:
        point[ENCODER] = next(iter(space[ENCODER].domain.grid() or ("",)))
    for parameter in space.parameters:
        fixed = parameter.domain
        if isinstance(fixed, Fixed) and parameter.name not in point:
            seen = {**Hyperparameters().to_point(), **point}
            if _active(parameter.name, space, seen):
                point[parameter.name] = fixed.value
    return Hyperparameters.from_point(point)


def projected(space: Space, values: Hyperparameters) -> Point:
    """The parameters of the space that are active under these values, with their values."""
    return space.project(values.to_point())


def _active(name: str, space: Space, values: Mapping[str, Scalar]) -> bool:
    parameter = space[name]
    return parameter.active(values) and all(
        _active(other, space, values) for other in parameter.when
    )


def read_baseline(
    plain: Mapping[str, Any], space: Space, problems: Problems
) -> Hyperparameters | None:
    """Trial 0, complete. Warns where it lies outside the space, and says in what."""
    path: KeyPath = ("baseline",)
    given = _given(plain, path, problems)
    if problems.broken(path, ("space",)):
        return None
    found = completed(space, given)
    _refuse_idle_decay(found, given, path, problems)
    reasons = outside(space, found)
    if reasons:
        said = "; ".join(f"{name} {reason}" for name, reason in reasons.items())
        problems.warn(
            path,
            f"the baseline lies outside the space ({said}): it runs as trial 0 and is compared "
            "with the others, but the sampler does not learn from it",
        )
    return found


def outside(space: Space, values: Hyperparameters) -> dict[str, str]:
    """Parameter → why these values are none that the space could propose."""
    reasons = space.outside(projected(space, values))
    proposed = completed(space, projected(space, values)).to_point()
    for name, value in values.to_point().items():
        if name in reasons or proposed[name] == value:
            continue
        if name in space:
            reasons[name] = f"{value!r} has no effect unless {space[name].condition}"
        else:
            reasons[name] = f"{value!r} is not {proposed[name]!r}, the default that `space` leaves"
    return reasons


def read_warm_start(
    index: int, plain: Mapping[str, Any], space: Space, problems: Problems
) -> Point | None:
    """A point of the space with every active parameter; None where it has a problem."""
    path: KeyPath = ("search", "warm_start", index)
    given = _given(plain, path, problems)
    if problems.broken(path, ("space",)):
        return None
    found = completed(space, given)
    point = projected(space, found)
    reasons = outside(space, found)
    for name, reason in reasons.items():
        where = (*path, name) if name in given else path
        text = f"{name} {reason}"
        rule = f"a warm start must be a point of the space, but got one in which {text}"
        problems.add(where, rule, f"Correct `{name}`, or widen the space to hold it.")
    return None if reasons else point


def _given(plain: Mapping[str, Any], path: KeyPath, problems: Problems) -> Point:
    found: Point = {}
    for name, written in plain.items():
        if name not in NAMES:
            unknown_name(name, (*path, name), problems)
            continue
        value = checked(name, written, (*path, name), problems)
        if value is not None:
            found[name] = value
    return found


def _refuse_idle_decay(
    found: Hyperparameters, given: Mapping[str, Scalar], path: KeyPath, problems: Problems
) -> None:
    if found.weight_decay and found.optimizer != "adamw":
        where = (*path, "weight_decay") if "weight_decay" in given else path
        rule = "`weight_decay` has an effect under adamw only, but got "
        rule += f"{found.weight_decay} with {found.optimizer}"
        problems.add(where, rule, "Add `optimizer: adamw`, or leave `weight_decay` out.")
