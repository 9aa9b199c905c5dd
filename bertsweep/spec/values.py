"""A single value of a hyperparameter, held against that parameter's own type and bounds."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from bertsweep.space import Scalar
from bertsweep.spec.document import KeyPath
from bertsweep.spec.hyperparameters import Hyperparameters
from bertsweep.spec.problems import Problems

NAMES: tuple[str, ...] = tuple(Hyperparameters.model_fields)


def default(name: str) -> Scalar:
    """What a parameter is where nothing else is said."""
    value: Scalar = Hyperparameters.model_fields[name].default
    return value


def checked(name: str, value: Any, path: KeyPath, problems: Problems) -> Scalar | None:
    """The value in the parameter's own type (2 → 2.0 for a real number); None with a problem."""
    try:
        found: Scalar = getattr(Hyperparameters.model_validate({name: value}), name)
    except ValidationError:
        from bertsweep.spec.schema import parameter
        from bertsweep.spec.words import broken, remedy

        schema = parameter(name)
        usual = default(name) if len(path) == 2 else None
        problems.add(path, broken(name, schema, value), remedy(schema, value, default=usual))
        return None
    return found


def unknown_name(name: str, path: KeyPath, problems: Problems) -> None:
    """Adds the problem of a parameter that does not exist."""
    from bertsweep.spec.words import unknown

    rule, advice, _ = unknown(name, NAMES, f"`{path[-2]}`")
    problems.add(path, rule, advice)
