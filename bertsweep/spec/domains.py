"""An entry of `space` → its domain: scalar, list, range, or a mapping with a condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bertsweep.space import Choice, Domain, Fixed, Float, Int, Scalar, range_faults
from bertsweep.spec.document import Path
from bertsweep.spec.gather import Gathered
from bertsweep.spec.values import checked
from bertsweep.spec.words import branches, quoted, show, unknown

_FORMS = {"low": "range", "high": "range", "choices": "choice", "value": "value"}
_KEYS = {
    "range": ("low", "high", "log", "step", "when"),
    "choice": ("choices", "when"),
    "value": ("value", "when"),
}
_HINT = "Type a value, a list of values, or `{low: …, high: …}`."


def domain(name: str, entry: Any, path: Path, gathered: Gathered) -> Domain | None:
    """The domain that an entry stands for; None where it has a problem."""
    if isinstance(entry, (list, tuple)):
        return _choice(name, entry, path, gathered)
    if not isinstance(entry, Mapping):
        value = checked(name, entry, path, gathered)
        return None if value is None else Fixed(value)
    forms = {form for key, form in _FORMS.items() if key in entry}
    if len(forms) != 1:
        _formless(name, entry, path, gathered)
        return None
    (form,) = forms
    if not _known(entry, _KEYS[form], path, gathered):
        return None
    if form == "value":
        value = checked(name, entry["value"], (*path, "value"), gathered)
        return None if value is None else Fixed(value)
    if form == "range":
        return _range(name, entry, path, gathered)
    options = entry["choices"]
    if not isinstance(options, (list, tuple)):
        rule = f"`choices` must be a list, but got {show(options)}"
        gathered.add((*path, "choices"), rule, "Type `choices: [a, b]`, or `value:` for one.")
        return None
    return _choice(name, options, (*path, "choices"), gathered)


def _formless(name: str, entry: Mapping[str, Any], path: Path, gathered: Gathered) -> None:
    every = (*_FORMS, "log", "step", "when")
    if _known(entry, every, path, gathered):
        got = quoted(entry) or "nothing"
        rule = f"`{name}` must have either low and high, or choices, or value, but got {got}"
        gathered.add(path, rule, _HINT)


def _known(entry: Mapping[str, Any], valid: Sequence[str], path: Path, gathered: Gathered) -> bool:
    strangers = [key for key in entry if key not in valid]
    for key in strangers:
        rule, advice, _ = unknown(key, valid, f"`{path[-1]}`")
        gathered.add((*path, key), rule, advice)
    return not strangers


def _choice(name: str, options: Sequence[Any], path: Path, gathered: Gathered) -> Domain | None:
    if not options:
        rule = "a choice needs at least one option, but got an empty list"
        gathered.add(path, rule, "Type its values, as in `[16, 32]`.")
        return None
    values: list[Scalar | None] = []
    for index, option in enumerate(options):
        value = checked(name, option, (*path, index), gathered)
        if value is not None and value in values:
            rule = f"the options of a choice must differ, but got {option} twice"
            gathered.add((*path, index), rule, "Delete one of the two.")
            value = None
        values.append(value)
    good = tuple(value for value in values if value is not None)
    if len(good) < len(values):
        return None
    return Fixed(good[0]) if len(good) == 1 else Choice(good)


def _range(name: str, entry: Mapping[str, Any], path: Path, gathered: Gathered) -> Domain | None:
    from bertsweep.spec.schema import parameter

    schema = parameter(name)
    kinds = {branch.get("type") for branch in branches(schema)}
    if not kinds & {"integer", "number"}:
        listed = ", ".join(str(option) for option in schema.get("enum", ()))
        rule = f"a range needs a parameter that is a number, but got `{name}`"
        gathered.add(path, rule, f"Type a list, as in `[{listed}]`.")
        return None
    whole = "integer" in kinds
    ends = [_number(name, entry, key, path, gathered) for key in ("low", "high")]
    log = _log(entry, path, gathered)
    step = _step(entry, path, gathered, whole=whole)
    low, high = ends
    if low is None or high is None or gathered.broken(path):
        return None
    faults = list(range_faults(low, high, log=log, step=step))
    for fault in faults:
        key = fault.key if fault.key in entry else "high"
        gathered.add((*path, key), fault.rule, fault.remedy)
    if faults:
        return None
    if low == high:
        return Fixed(low)
    if whole:
        return Int(int(low), int(high), log, 1 if step is None else int(step))
    return Float(low, high, log, step)


def _number(
    name: str, entry: Mapping[str, Any], key: str, path: Path, gathered: Gathered
) -> float | None:
    if key not in entry:
        other = "high" if key == "low" else "low"
        rule = f"a range must have both `low` and `high`, but got only `{other}`"
        gathered.add(path, rule, f"Add `{key}`.")
        return None
    value = checked(name, entry[key], (*path, key), gathered)
    if isinstance(value, str):  # `all` for the layers: a value of the parameter, but no end
        rule = f"`{key}` must be a number, but got {show(value)}"
        gathered.add((*path, key), rule, "Type a number, or a list of values.")
        return None
    return value


def _log(entry: Mapping[str, Any], path: Path, gathered: Gathered) -> bool:
    log = entry.get("log", False)
    if not isinstance(log, bool):
        rule = f"`log` must be true or false, but got {show(log)}"
        gathered.add((*path, "log"), rule, "Type true or false.")
        return False
    return log


def _step(entry: Mapping[str, Any], path: Path, gathered: Gathered, *, whole: bool) -> float | None:
    step = entry.get("step")
    if step is None:
        return None
    fits = isinstance(step, int) if whole else isinstance(step, (int, float))
    if isinstance(step, bool) or not fits:
        what = "a whole number" if whole else "a number"
        rule = f"`step` must be {what}, but got {show(step)}"
        gathered.add((*path, "step"), rule, f"Type {what} above 0, or leave it out.")
        return None
    return int(step) if whole else float(step)
