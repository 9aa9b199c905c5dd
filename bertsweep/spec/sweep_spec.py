"""`SweepSpec`: a search space file that was read and found right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bertsweep.metrics import ThresholdRule, threshold_rule
from bertsweep.space import Choice, Domain, Fixed, Parameter, Point, Scalar, Space
from bertsweep.spec.hyperparameters import Hyperparameters
from bertsweep.spec.models import (
    Budget,
    Checkpoints,
    Data,
    Encoder,
    Objective,
    Resources,
    Search,
    Tracking,
)


@dataclass(frozen=True)
class SweepSpec:
    """What to search, on which data, and how; complete, with every default filled in.

    `baseline` is trial 0. `objective.mode` is max or min, `search.seed` a number, and the points of
    `search.warm_start` hold every active parameter of the space. `report_every` is exactly 1 / n of
    an epoch. `warnings` say what works but is hardly meant.
    """

    name: str
    data: Data
    encoder: Encoder
    space: Space
    baseline: Hyperparameters
    objective: Objective
    search: Search
    budget: Budget
    resources: Resources
    checkpoints: Checkpoints
    tracking: Tracking
    report_every: float
    precision: str
    jit: bool | str
    seed: int
    warnings: tuple[str, ...] = ()

    @property
    def threshold_rule(self) -> ThresholdRule:
        """How the threshold of two classes is set: `objective.threshold`, "auto" resolved."""
        return threshold_rule(self.objective.metric, self.objective.threshold)

    def hyperparameters(self, point: Mapping[str, Scalar]) -> Hyperparameters:
        """What a trial of this point runs with: its active values, then fixed ones, then defaults.

        Raises `pydantic.ValidationError` for a name or value that breaks a rule.
        """
        from bertsweep.spec.named_points import completed

        active = {
            name: value
            for name, value in point.items()
            if name not in self.space or self.space[name].active(point)
        }
        return completed(self.space, active)

    def baseline_point(self) -> Point:
        """The baseline's values of those parameters of the space that are active under them."""
        return self.space.project(self.baseline.to_point())

    def to_plain(self) -> dict[str, Any]:
        """The whole specification as JSON-able values, in the form of the file it was read from."""
        sections = {
            name: getattr(self, name).model_dump(mode="json")
            for name in ("objective", "search", "budget", "resources", "checkpoints", "tracking")
        }
        return {
            "name": self.name,
            "data": self.data.model_dump(mode="json"),
            "encoder": self.encoder.model_dump(mode="json"),
            "space": {p.name: _entry(p) for p in self.space.parameters},
            "baseline": self.baseline.to_point(),
            **sections,
            "report_every": self.report_every,
            "precision": self.precision,
            "jit": self.jit,
            "seed": self.seed,
            "warnings": list(self.warnings),
        }


def _entry(parameter: Parameter) -> Any:
    domain: Domain = parameter.domain
    when = {name: list(values) for name, values in parameter.when.items()}
    if isinstance(domain, Fixed):
        return {"value": domain.value, "when": when} if when else domain.value
    if isinstance(domain, Choice):
        options = list(domain.options)
        return {"choices": options, "when": when} if when else options
    entry: dict[str, Any] = {"low": domain.low, "high": domain.high}
    entry |= {"log": True} if domain.log else {}
    entry |= {"step": domain.step} if domain.step is not None and not domain.log else {}
    return {**entry, "when": when} if when else entry
