"""pydantic's errors → problems that a person can act on: key, rule, value got, what to type."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from bertsweep.spec.document import KeyPath
from bertsweep.spec.hyperparameters import Hyperparameters
from bertsweep.spec.problems import Problems
from bertsweep.spec.schema import keys, schema_at
from bertsweep.spec.words import allowed, broken, inline, quoted, remedy, unknown


def report(error: ValidationError, plain: dict[str, Any], problems: Problems) -> list[KeyPath]:
    """Adds a problem for every faulty key path and returns the paths."""
    kinds: dict[KeyPath, str] = {}
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        kinds.setdefault(_path(fault["loc"], plain, fault["type"]), fault["type"])
    # A mapping that fits no alternative is told by what is wrong inside it, not by its type.
    paths = [p for p in kinds if not any(o != p and o[: len(p)] == p for o in kinds)]
    meant: set[KeyPath] = set()
    for path in paths:
        if kinds[path] == "extra_forbidden":
            meant |= {(*path[:-1], name) for name in _unknown(path, problems)}
    for path in paths:
        if kinds[path] == "missing":
            if path not in meant:
                _missing(path, problems)
        elif kinds[path] != "extra_forbidden":
            _wrong(path, _at(plain, path), problems)
    return paths


def _unknown(path: KeyPath, problems: Problems) -> list[str]:
    name, section = str(path[-1]), path[:-1]
    where = f"`{section[-1]}`" if section else "the file"
    valid = list(keys(schema_at(section) or {}))
    rule, advice, close = unknown(name, valid, where)
    home = [] if close else _homes(name)
    if home:
        advice = f"`{name}` belongs under {' or '.join(f'`{place}`' for place in home)}."
    problems.add(path, rule, advice)
    return close[:1]


def _homes(name: str) -> list[str]:
    """The sections in which a key of this name exists."""
    found = ["space"] if name in Hyperparameters.model_fields else []
    for section in keys(schema_at(()) or {}):
        below = keys(schema_at((section,)) or {}) if section not in ("space", "baseline") else {}
        found += [section] if name in below else []
        found += [f"{section}.{key}" for key, part in below.items() if name in keys(part)]
    return found if "space" not in found else ["space"]


def _missing(path: KeyPath, problems: Problems) -> None:
    where = f"under `{'.'.join(str(part) for part in path[:-1])}`" if path[:-1] else "in the file"
    schema = schema_at(path) or {}
    example = inline(schema.get("examples", ["…"])[0])
    title = schema.get("title", "")
    rule = f"`{path[-1]}` must be given {where} ({title}), but got nothing"
    problems.add(path, rule, f"Add for example `{path[-1]}: {example}`.")


def _wrong(path: KeyPath, value: Any, problems: Problems) -> None:
    schema = schema_at(path) or {}
    name = str(path[-1]) if path else "file"
    if path and isinstance(path[-1], int):
        name = f"{path[-2]}[{path[-1]}]"
    example = schema.get("examples", [None])[0]
    advice = remedy(schema, value, default=schema.get("default"), example=example)
    below = keys(schema)
    if below and isinstance(value, str) and "source" in below:
        advice = f"Type `{name}: {{source: {value}}}`."
    elif below and not (isinstance(value, str) and allowed(schema)):
        advice = f"Indent its keys below it: {quoted(below)}."
    problems.add(path, broken(name, schema, value), advice)


def _path(loc: tuple[str | int, ...], plain: Any, kind: str) -> KeyPath:
    """The location that pydantic names, without the names of the alternatives it tried."""
    here, path = plain, list[str | int]()
    for index, part in enumerate(loc):
        inside = isinstance(here, dict) and part in here
        if inside or (isinstance(here, list) and isinstance(part, int) and part < len(here)):
            here = here[part]
            path.append(part)
        elif kind == "missing" and index == len(loc) - 1:
            path.append(part)
    return tuple(path)


def _at(plain: Any, path: KeyPath) -> Any:
    for part in path:
        plain = plain[part]
    return plain
