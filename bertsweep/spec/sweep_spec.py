"""`SweepSpec`: a search space file that was read and found right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict

from bertsweep.budget import Bounds
from bertsweep.metrics import ThresholdRule, threshold_rule
from bertsweep.space import Choice, Domain, Fixed, Parameter, Point, Scalar, Space
from bertsweep.spec.encoder_checks import named
from bertsweep.spec.hyperparameters import Hyperparameters
from bertsweep.spec.models import Encoder, Objective, SweepFile


class SweepSpec(SweepFile):
    """What to search, on which data, and how; complete, with every default filled in.

    It has every key of the file, which `SweepFile` alone names; `space` and `baseline` (trial 0)
    are the values that were read from theirs. `objective` is the first one, `further` the others,
    each `mode` max or min. `search.seed` is a number, and the points of `search.warm_start` hold
    every active parameter of the space. `report_every` is exactly 1 / n of an epoch. `warnings` say
    what works but is hardly meant.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    # Plain values in a file, and here what was read from them.
    space: Space  # type: ignore[assignment]
    baseline: Hyperparameters  # type: ignore[assignment]
    objective: Objective
    further: tuple[Objective, ...] = ()
    warnings: tuple[str, ...] = ()

    @classmethod
    def of_file(
        cls,
        file: SweepFile,
        *,
        space: Space,
        baseline: Hyperparameters,
        warnings: tuple[str, ...] = (),
    ) -> SweepSpec:
        """The specification in a file that was checked, of which nothing is checked again."""
        keys = {name: getattr(file, name) for name in SweepFile.model_fields}
        first, *further = file.objectives()
        read = {"space": space, "baseline": baseline, "warnings": warnings}
        read |= {"objective": first, "further": tuple(further)}
        return cls.model_construct(**keys | read)

    def objectives(self) -> tuple[Objective, ...]:
        return (self.objective, *self.further)

    @property
    def encoders(self) -> dict[str, Encoder]:
        """Every encoder by its name; the only one of a file without names has none ("")."""
        return named(self.encoder)

    @property
    def threshold_rule(self) -> ThresholdRule:
        """How the threshold of two classes is set: `objective.threshold`, "auto" resolved."""
        return threshold_rule(self.objective.metric, self.objective.threshold)

    @property
    def bounds(self) -> Bounds:
        """What the search may use; 20 trials where the file bounds nothing."""
        return Bounds.of(self.budget.model_dump())

    @property
    def longest(self) -> int:
        """The epochs of a full training: the most that the space allows."""
        from bertsweep.spec.search_checks import largest

        return largest(self.space, "epochs")

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
        plain = self.model_dump(mode="json", exclude={"space", "baseline", "further"})
        if self.further:
            plain["objective"] = [one.model_dump(mode="json") for one in self.objectives()]
        plain["space"] = {p.name: _entry(p) for p in self.space.parameters}
        plain["baseline"] = self.baseline.to_point()
        return {name: plain[name] for name in type(self).model_fields if name in plain}


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
