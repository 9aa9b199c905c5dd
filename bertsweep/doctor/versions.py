"""Checks the versions of Python, bertsweep and its requirements against its own metadata."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Iterator

from bertsweep.doctor.finding import Finding
from bertsweep.version import VERSION

_PYTHON = ((3, 10), (3, 12))
_SHOWN = (
    "ray", "optuna", "wandb", "tensorflow", "tf-keras", "tf-models-official", "tensorflow-hub",
    "tokenizers", "numpy", "pandas", "scikit-learn",
)  # fmt: skip
"""The stack that sweeps stand on; other requirements are named only when broken."""


def findings() -> Iterator[Finding]:
    """Yields Python, bertsweep, the stack, then every other requirement that is not met."""
    yield _python()
    yield Finding("bertsweep", "ok", VERSION)
    required = _required()
    for name in (*_SHOWN, *(name for name in required if name not in _SHOWN)):
        finding = _package(name, required.get(name, ""))
        if name in _SHOWN or finding.status != "ok":
            yield finding


def _python() -> Finding:
    low, high = _PYTHON
    value = f"{platform.python_version()} ({sys.executable})"
    if low <= sys.version_info[:2] <= high:
        return Finding("python", "ok", value)
    asked = f"{low[0]}.{low[1]} to {high[0]}.{high[1]}"
    return Finding("python", "error", value, f"Install bertsweep under Python {asked}.")


def _required() -> dict[str, str]:
    """Returns version specifiers by requirement; none in a checkout that was never installed."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    try:
        lines = importlib.metadata.requires("bertsweep") or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    requirements = [Requirement(line) for line in lines]
    active = [r for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})]
    return {canonicalize_name(r.name): str(r.specifier) for r in active}


def _package(name: str, specifier: str) -> Finding:
    from packaging.specifiers import SpecifierSet

    remedy = "Install it again: pip install -c constraints.txt bertsweep."
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, "error", "not installed", remedy)
    if version in SpecifierSet(specifier, prereleases=True):
        return Finding(name, "ok", version)
    return Finding(name, "error", f"{version}, but {specifier} must hold", remedy)
