"""`space` → `Space`: which parameter is active when, and whether that can ever come about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bertsweep.space import Domain, Fixed, Parameter, Scalar, Space
from bertsweep.spec.document import KeyPath
from bertsweep.spec.entries import read_domain
from bertsweep.spec.problems import Problems
from bertsweep.spec.values import NAMES, checked, default, unknown_name
from bertsweep.spec.words import show

When = dict[str, tuple[Scalar, ...]]


def read_space(plain: Mapping[str, Any], problems: Problems) -> Space:
    """The search space of the file; parameters with a problem are left out of it."""
    domains: dict[str, Domain] = {}
    for name, entry in plain.items():
        path: KeyPath = ("space", name)
        if name not in NAMES:
            unknown_name(name, path, problems)
            continue
        found = read_domain(name, entry, path, problems)
        if found is not None:
            domains[name] = found
    whens = {name: _when(name, plain, domains, problems) for name in domains}
    _refuse_circles(whens, problems)
    good = {name for name in domains if not problems.broken(("space", name))}
    while lost := {name for name in good if not good.issuperset(whens[name])}:
        good -= lost  # their condition is on one with a problem
    kept = Space(tuple(Parameter(n, domains[n], whens[n]) for n in domains if n in good))
    for parameter in kept.parameters:
        _refuse_never(parameter, kept, problems)
    _refuse_idle_decay(kept, plain, problems)
    return kept


def _when(
    name: str, plain: Mapping[str, Any], domains: Mapping[str, Domain], problems: Problems
) -> When:
    entry = plain[name]
    written = entry.get("when", {}) if isinstance(entry, Mapping) else {}
    path: KeyPath = ("space", name, "when")
    if not isinstance(written, Mapping):
        rule = f"`when` must be a mapping of parameter and value, but got {show(written)}"
        problems.add(path, rule, "Type for example `when: {optimizer: adamw}`.")
        return {}
    found: When = {}
    for other, values in written.items():
        where = (*path, other)
        if other not in NAMES:
            unknown_name(other, where, problems)
        elif other not in plain:
            rule = "a condition must name a parameter of `space`, but got "
            rule += f"`{other}`, which always has its default, {default(other)}"
            problems.add(where, rule, f"Add `{other}` to `space`, or leave the condition out.")
        elif other in domains:
            found[other] = _values(other, values, domains[other], where, problems)
    return found


def _values(
    other: str, written: Any, domain: Domain, path: KeyPath, problems: Problems
) -> tuple[Scalar, ...]:
    if domain.grid() is None:
        rule = f"a condition must be on a parameter with listed values, but `{other}` is {domain}"
        problems.add(path, rule, f"Give `{other}` a list or a step, or leave the condition out.")
        return ()
    listed = isinstance(written, (list, tuple))
    if listed and not written:
        problems.add(path, "a condition needs at least one value, but got an empty list", "Add it.")
    values: list[Scalar] = []
    for index, item in enumerate(written if listed else [written]):
        where = (*path, index) if listed else path
        value = checked(other, item, where, problems)
        if value is not None and not domain.contains(value):
            rule = f"a condition must be on a value that `{other}` can have, but got {value}"
            problems.add(where, rule, f"`{other}` is {domain}: type one of that, or add {value}.")
        elif value is not None:
            values.append(value)
    return tuple(values)


def _refuse_circles(whens: Mapping[str, When], problems: Problems) -> None:
    for name in whens:
        seen, ahead = set[str](), list(whens[name])
        while ahead:
            other = ahead.pop()
            if other not in seen:
                seen.add(other)
                ahead += whens.get(other, {})
        if name in seen:
            circle = " and ".join(sorted(o for o in seen if o in whens))
            rule = f"conditions must not go in a circle, but got one through {circle}"
            problems.add(("space", name, "when"), rule, "Leave one of the conditions out.")


def _refuse_never(parameter: Parameter, space: Space, problems: Problems) -> None:
    if any(not values for values in needed(parameter, space).values()):
        rule = f"a condition must be able to come true, but got {parameter.condition}, "
        rule += "which contradicts the conditions of those parameters"
        problems.add(("space", parameter.name, "when"), rule, "Correct one of the conditions.")


def needed(parameter: Parameter, space: Space) -> dict[str, set[Scalar]]:
    """Parameter → the values it must have for this one to be active, over all conditions."""
    found = {name: set(values) for name, values in parameter.when.items()}
    for name in parameter.when:
        for other, values in needed(space[name], space).items():
            found[other] = found[other] & values if other in found else values
    return found


def _refuse_idle_decay(space: Space, plain: Mapping[str, Any], problems: Problems) -> None:
    """Only adamw decays weights: searching it under adam would be searching noise."""
    if "weight_decay" not in space or space["weight_decay"].domain == Fixed(0.0):
        return
    decay = space["weight_decay"]
    optimizers = needed(decay, space).get("optimizer")
    if optimizers is None and "optimizer" in space:
        optimizer = space["optimizer"]
        optimizers = set(optimizer.domain.grid() or ()) | ({"adam"} if optimizer.when else set())
    if (optimizers or {"adam"}) == {"adamw"}:
        return
    rule = f"`weight_decay` has an effect under adamw only, but got {decay.domain} "
    rule += "where the optimizer can be adam"
    remedy = "Add `when: {optimizer: adamw}` to it"
    if "optimizer" not in plain:
        remedy = "Add `optimizer: adamw` to `space`"
    problems.add(("space", "weight_decay"), rule, remedy + ".", needs=[("space", "optimizer")])
