"""An entry of `space` → its domain: scalar, list, range, or a mapping with a condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bertsweep.space import Choice, Domain, Fixed, Float, Int, Scalar, range_faults
from bertsweep.spec.document import KeyPath
from bertsweep.spec.problems import Problems
from bertsweep.spec.values import checked
from bertsweep.spec.words import branches, quoted, show, unknown

_FORMS = {"low": "range", "high": "range", "choices": "choice", "value": "value"}
_KEYS = {
    "range": ("low", "high", "log", "step", "when"),
    "choice": ("choices", "when"),
    "value": ("value", "when"),
}
_HINT = "Type a value, a list of values, or `{low: …, high: …}`."


def read_domain(name: str, entry: Any, path: KeyPath, problems: Problems) -> Domain | None:
    """The domain that an entry stands for; None where it has a problem."""
    if isinstance(entry, (list, tuple)):
        return _choice(name, entry, path, problems)
    if not isinstance(entry, Mapping):
        value = checked(name, entry, path, problems)
        return None if value is None else Fixed(value)
    forms = {form for key, form in _FORMS.items() if key in entry}
    if len(forms) != 1:
        _formless(name, entry, path, problems)
        return None
    (form,) = forms
    if not _known(entry, _KEYS[form], path, problems):
        return None
    if form == "value":
        value = checked(name, entry["value"], (*path, "value"), problems)
        return None if value is None else Fixed(value)
    if form == "range":
        return _range(name, entry, path, problems)
    options = entry["choices"]
    if not isinstance(options, (list, tuple)):
        rule = f"`choices` must be a list, but got {show(options)}"
        problems.add((*path, "choices"), rule, "Type `choices: [a, b]`, or `value:` for one.")
        return None
    return _choice(name, options, (*path, "choices"), problems)


def _formless(name: str, entry: Mapping[str, Any], path: KeyPath, problems: Problems) -> None:
    every = (*_FORMS, "log", "step", "when")
    if _known(entry, every, path, problems):
        got = quoted(entry) or "nothing"
        rule = f"`{name}` must have either low and high, or choices, or value, but got {got}"
        problems.add(path, rule, _HINT)


def _known(
    entry: Mapping[str, Any], valid: Sequence[str], path: KeyPath, problems: Problems
) -> bool:
    strangers = [key for key in entry if key not in valid]
    for key in strangers:
        rule, advice, _ = unknown(key, valid, f"`{path[-1]}`")
        problems.add((*path, key), rule, advice)
    return not strangers


def _choice(name: str, options: Sequence[Any], path: KeyPath, problems: Problems) -> Domain | None:
    if not options:
        rule = "a choice needs at least one option, but got an empty list"
        problems.add(path, rule, "Type its values, as in `[16, 32]`.")
        return None
    values: list[Scalar | None] = []
    for index, option in enumerate(options):
        value = checked(name, option, (*path, index), problems)
        if value is not None and value in values:
            rule = f"the options of a choice must differ, but got {option} twice"
            problems.add((*path, index), rule, "Delete one of the two.")
            value = None
        values.append(value)
    good = tuple(value for value in values if value is not None)
    if len(good) < len(values):
        return None
    return Fixed(good[0]) if len(good) == 1 else Choice(good)


def _range(name: str, entry: Mapping[str, Any], path: KeyPath, problems: Problems) -> Domain | None:
    from bertsweep.spec.schema import parameter

    schema = parameter(name)
    kinds = {branch.get("type") for branch in branches(schema)}
    if not kinds & {"integer", "number"}:
        listed = ", ".join(str(option) for option in schema.get("enum", ()))
        rule = f"a range needs a parameter that is a number, but got `{name}`"
        problems.add(path, rule, f"Type a list, as in `[{listed}]`.")
        return None
    whole = "integer" in kinds
    ends = [_number(name, entry, key, path, problems) for key in ("low", "high")]
    log = _log(entry, path, problems)
    step = _step(entry, path, problems, whole=whole)
    low, high = ends
    if low is None or high is None or problems.broken(path):
        return None
    faults = list(range_faults(low, high, log=log, step=step))
    for fault in faults:
        key = fault.key if fault.key in entry else "high"
        problems.add((*path, key), fault.rule, fault.remedy)
    if faults:
        return None
    if low == high:
        return Fixed(low)
    if whole:
        return Int(int(low), int(high), log, 1 if step is None else int(step))
    return Float(low, high, log, step)


def _number(
    name: str, entry: Mapping[str, Any], key: str, path: KeyPath, problems: Problems
) -> float | None:
    if key not in entry:
        other = "high" if key == "low" else "low"
        rule = f"a range must have both `low` and `high`, but got only `{other}`"
        problems.add(path, rule, f"Add `{key}`.")
        return None
    value = checked(name, entry[key], (*path, key), problems)
    if isinstance(value, str):  # `all` for the layers: a value of the parameter, but no end
        rule = f"`{key}` must be a number, but got {show(value)}"
        problems.add((*path, key), rule, "Type a number, or a list of values.")
        return None
    return value


def _log(entry: Mapping[str, Any], path: KeyPath, problems: Problems) -> bool:
    log = entry.get("log", False)
    if not isinstance(log, bool):
        rule = f"`log` must be true or false, but got {show(log)}"
        problems.add((*path, "log"), rule, "Type true or false.")
        return False
    return log


def _step(
    entry: Mapping[str, Any], path: KeyPath, problems: Problems, *, whole: bool
) -> float | None:
    step = entry.get("step")
    if step is None:
        return None
    fits = isinstance(step, int) if whole else isinstance(step, (int, float))
    if isinstance(step, bool) or not fits:
        what = "a whole number" if whole else "a number"
        rule = f"`step` must be {what}, but got {show(step)}"
        problems.add((*path, "step"), rule, f"Type {what} above 0, or leave it out.")
        return None
    return int(step) if whole else float(step)
