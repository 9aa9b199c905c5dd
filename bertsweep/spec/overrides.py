"""`--set key.path=VALUE`: single values of a file set from outside it."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Sequence
from typing import Any

from bertsweep.errors import Problem
from bertsweep.spec.document import Document, KeyPath, read

SHORTHANDS: tuple[tuple[str, str, str], ...] = (
    ("search", "sampler", "kind"),
    ("search", "scheduler", "kind"),
)
"""Section, key, and the key below that a plain text in its place stands for."""


def expanded(plain: dict[str, Any]) -> dict[str, Any]:
    """A copy in which every shorthand is written out, so that keys below it can be set."""
    plain = copy.deepcopy(plain)
    for section, key, below in SHORTHANDS:
        holder = plain.get(section)
        if isinstance(holder, dict) and isinstance(holder.get(key), str):
            holder[key] = {below: holder[key]}
    if isinstance(plain.get("encoder"), list):
        plain["encoder"] = _with_names(plain["encoder"])
    return plain


def _with_names(encoders: list[Any]) -> dict[str, Any]:
    """A list of encoders, each a section or its source alone, by the last parts of their sources.

    A number is a version and no name. A name that is taken already gets a number.
    """
    found: dict[str, Any] = {}
    for encoder in encoders:
        section = {"source": encoder} if isinstance(encoder, str) else encoder
        source = section.get("source") if isinstance(section, dict) else section
        parts = str(source).partition("@")[0].split("/")
        last = next((part for part in reversed(parts) if part and not part.isdigit()), "")
        base = re.sub(r"[^A-Za-z0-9._-]+", "-", last).strip("-._") or "encoder"
        names = itertools.chain([base], (f"{base}-{number}" for number in itertools.count(2)))
        found[next(name for name in names if name not in found)] = section
    return found


def override(document: Document, settings: Sequence[str]) -> tuple[Document, list[Problem]]:
    """The document with every setting made in turn, and what is wrong with the settings.

    A setting may add a key, and the next item of a list by its index. The lines of what was set
    are None.
    """
    plain, lines, problems = expanded(document.plain), dict(document.lines), list[Problem]()
    for setting in settings:
        dotted, equals, text = setting.partition("=")
        if not equals or not all(dotted.strip().split(".")):
            rule = f"a setting must be key.path=VALUE, but got {setting!r}"
            problems.append(Problem((), None, rule, "Type for example `budget.trials=5`."))
            continue
        path: KeyPath = tuple(_part(part) for part in dotted.strip().split("."))
        value, faults = read(text)
        if faults:
            rule = f"VALUE must be YAML, but in {setting!r} {faults[0].rule}"
            problems.append(Problem(path, None, rule, faults[0].remedy))
            continue
        wrong = _put(plain, path, value.plain)
        if wrong is not None:
            problems.append(Problem(path, None, wrong[0], wrong[1]))
            continue
        plain = expanded(plain)
        for old in [old for old in lines if old[: len(path)] == path]:
            del lines[old]
        lines[path] = None
    return Document(plain, lines), problems


def _part(text: str) -> str | int:
    return int(text) if text.isdecimal() else text


def _put(plain: dict[str, Any], path: KeyPath, value: Any) -> tuple[str, str] | None:
    """Puts `value` at `path`; rule and remedy where there is no such place."""
    here: Any = plain
    for depth, part in enumerate(path):
        above = ".".join(str(key) for key in path[:depth]) or "the file"
        last = depth == len(path) - 1
        if isinstance(here, list):
            if not isinstance(part, int) or part > len(here) or (part == len(here) and not last):
                rule = f"`{above}` is a list of {len(here)} and takes an index, but got `{part}`"
                return rule, f"Type an index from 0 to {len(here)}; the last one adds an item."
            if part == len(here):
                here.append(None)
        elif isinstance(here, dict):
            part = str(part)
            if not last and here.get(part) is None:
                here[part] = {}
        else:
            rule = f"`{above}` must be a mapping or list to set `{part}` in it, but got {here!r}"
            return rule, f"Set `{above}` as a whole: `--set {above}={{{part}: …}}`."
        if last:
            here[part] = value
        else:
            here = here[part]
    return None
