"""The search space files that come with bertsweep, by name."""

from __future__ import annotations

import difflib
from importlib import resources
from typing import TYPE_CHECKING

from bertsweep.errors import InputError

if TYPE_CHECKING:
    from importlib.abc import Traversable

_SUFFIX = ".yaml"
_IN_REPOSITORY = "search_spaces/"


def names() -> list[str]:
    """The names of all templates, sorted."""
    found = (item.name for item in _folder().iterdir() if item.name.endswith(_SUFFIX))
    return sorted(name.removesuffix(_SUFFIX) for name in found)


def summaries() -> dict[str, str]:
    """Name → the first sentence of its file."""
    return {name: _first_sentence(_read(name)) for name in names()}


def text(name: str, path: str) -> str:
    """The file of a template; commands in its comments name it by the `path` it is written to."""
    check(name)
    return _read(name).replace(f"{_IN_REPOSITORY}{name}{_SUFFIX}", path)


def check(name: str) -> None:
    """Raises `InputError` that lists the templates where there is none of that name."""
    if name not in names():
        near = difflib.get_close_matches(name, names(), n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise InputError(f"there is no template {name!r}, only {', '.join(names())}.{hint}")


def _folder() -> Traversable:
    return resources.files("bertsweep").joinpath("templates")


def _read(name: str) -> str:
    return _folder().joinpath(f"{name}{_SUFFIX}").read_text(encoding="utf-8")


def _first_sentence(content: str) -> str:
    lines = []
    for line in content.splitlines():
        if line.strip() in ("#", "") or not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    return " ".join(lines)
