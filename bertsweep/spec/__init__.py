"""YAML → a frozen `SweepSpec`, or every problem of the file at once."""

from __future__ import annotations

from typing import Any

from bertsweep.spec.hyperparameters import Hyperparameters
from bertsweep.spec.loading import from_plain, load, load_data, parse
from bertsweep.spec.models import Confirm
from bertsweep.spec.sweep_spec import SweepSpec
from bertsweep.spec.written_points import point_in_words

__all__ = [
    "Confirm",
    "Hyperparameters",
    "SweepSpec",
    "from_plain",
    "json_schema",
    "load",
    "load_data",
    "markdown",
    "parse",
    "point_in_words",
]


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of search space files, for editors."""
    from bertsweep.spec.schema import json_schema as schema

    return schema()


def markdown() -> str:
    """The reference of the search space file, as it stands in docs/search-space.md."""
    from bertsweep.spec.reference import markdown as text

    return text()
