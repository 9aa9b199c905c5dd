"""What a search space file would search, as `validate` tells it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsweep.metrics import describe_rule
from bertsweep.space import Choice, Domain, Fixed, Float
from bertsweep.spec.recipes import set_by_recipe
from bertsweep.spec.words import inline

if TYPE_CHECKING:
    from bertsweep.spec import SweepSpec


def summary(spec: SweepSpec, file: Path) -> dict[str, Any]:
    """The document of `validate --json`."""
    return {
        "file": str(file),
        "name": spec.name,
        "trials": spec.bounds.trials,
        "budget": spec.bounds.by_unit(),
        "positive": spec.data.positive,
        "objective": {
            "metric": spec.objective.metric,
            "mode": spec.objective.mode,
            "threshold": spec.threshold_rule,
        },
        "encoders": [
            {"name": name or None, "source": encoder.source}
            for name, encoder in spec.encoders.items()
        ],
        "recipe": {"name": spec.recipe, "sets": set_by_recipe(spec.recipe, spec.space)},
        "further": [{"metric": one.metric, "mode": one.mode} for one in spec.further],
        "prefer": _prefer(spec) if spec.further else None,
        "space": {
            "points": spec.space.size,
            "parameters": [
                {
                    "name": parameter.name,
                    "kind": kind(parameter.domain),
                    "values": str(parameter.domain),
                    "when": parameter.condition or None,
                }
                for parameter in spec.space.parameters
            ],
        },
        "baseline": spec.baseline.to_point(),
        "warnings": list(spec.warnings),
    }


def _prefer(spec: SweepSpec) -> str:
    rule = spec.prefer
    return rule if isinstance(rule, str) else f"within {rule.within:g}"


def ranked_by(spec: SweepSpec) -> str:
    """The metric, and the threshold of the labels that go with it."""
    rule = describe_rule(spec.threshold_rule)
    line = f"ranked by {spec.objective.metric}; threshold of two classes: {rule}"
    if spec.further:
        line += f"; further objectives: {', '.join(one.metric for one in spec.further)}"
        line += f"; prefer: {_prefer(spec)}"
    return line


def recipe(spec: SweepSpec) -> str:
    """What the recipe sets, of the parameters that the file leaves out."""
    values = set_by_recipe(spec.recipe, spec.space)
    if not values:
        return f"recipe {spec.recipe}: what is not listed has its default"
    said = ", ".join(f"{name} {value}" for name, value in values.items())
    return f"recipe {spec.recipe} sets {said}; what is not listed has its default"


def encoder_lines(spec: SweepSpec) -> list[str]:
    """Every encoder, a line each."""
    return [
        f"encoder {name}: {one.source}" if name else f"encoder: {one.source}"
        for name, one in spec.encoders.items()
    ]


def positive_class(spec: SweepSpec) -> str:
    """Which of two classes is positive, as far as the file says."""
    if spec.data.positive is not None:
        return f"positive: {inline(spec.data.positive)}"
    rule = "the label 1, true, yes or positive, else the rarer of two"
    return f"positive: decided from the data ({rule})"


def kind(domain: Domain) -> str:
    """The kind of a domain: fixed, choice, float or int."""
    if isinstance(domain, Fixed):
        return "fixed"
    if isinstance(domain, Choice):
        return "choice"
    return "float" if isinstance(domain, Float) else "int"


def points(count: int | None) -> str:
    """The size of a space in words."""
    if count is None:
        return "a continuous space"
    return f"{count:,} point{'s' if count != 1 else ''}"
