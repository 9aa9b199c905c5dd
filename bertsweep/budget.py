"""How much a sweep may use, and how much it has used, each in units that a person counts in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

USUAL_TRIALS = 20
"""Trials of a sweep that nothing else bounds."""

WORDS = {"trials": "trials", "trainings": "trainings", "gpu_hours": "GPU-hours", "hours": "hours"}
"""Unit → what it is called in a sentence."""


@dataclass(frozen=True)
class Spent:
    """What a sweep has used: trials, the baseline included, and so on.

    `trainings` are epochs trained over those of the longest trial that the space allows, so that a
    trial stopped half-way counts as half of one. `gpu_hours` are hours of trials times their GPUs,
    `hours` those of the wall clock.
    """

    trials: int = 0
    trainings: float = 0.0
    gpu_hours: float = 0.0
    hours: float = 0.0

    def to_plain(self) -> dict[str, float]:
        """The same as JSON values, by unit."""
        return asdict(self)


@dataclass(frozen=True)
class Bounds:
    """Bounds in the units of `Spent`; the one that is reached first counts. None bounds nothing."""

    trials: int | None = None
    trainings: float | None = None
    gpu_hours: float | None = None
    hours: float | None = None

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Bounds:
        """The bounds in the section `budget` of a file; without any, `USUAL_TRIALS`."""
        bounds = cls(**{unit: plain.get(unit) for unit in WORDS})
        return bounds if bounds.by_unit() else cls(trials=USUAL_TRIALS)

    def by_unit(self) -> dict[str, float]:
        """The bounds that are set, by unit."""
        return {unit: bound for unit, bound in asdict(self).items() if bound is not None}

    def changed(self, bounds: Mapping[str, Any]) -> Bounds:
        """The same with other values of some bounds."""
        return replace(self, **bounds)

    def reached(self, spent: Spent) -> str | None:
        """The unit of the first bound that is used up, None where all leave something."""
        return next(
            (unit for unit, bound in self.by_unit().items() if getattr(spent, unit) >= bound), None
        )

    def share(self, spent: Spent) -> float:
        """How much of the budget is used, 0 to 1: of the bound that is nearest."""
        used = (getattr(spent, unit) / bound for unit, bound in self.by_unit().items())
        return min(1.0, max(used, default=0.0))

    def told(self) -> str:
        """The bounds in words: `20 trials or 3 hours, whichever comes first`."""
        parts = [f"{bound:g} {_word(unit, bound)}" for unit, bound in self.by_unit().items()]
        return " or ".join(parts) + (", whichever comes first" if len(parts) > 1 else "")

    def told_beside(self, spent: Spent) -> str:
        """What is used of each bound in words: `3.5 of 8 trainings, 0.4 of 3 hours`."""
        return ", ".join(
            f"{_short(getattr(spent, unit))} of {bound:g} {_word(unit, bound)}"
            for unit, bound in self.by_unit().items()
        )

    def used(self, spent: Spent) -> str:
        """What is used in every unit in words: `12 trials, 3.5 of 8 trainings, 0.4 hours`."""
        every = {unit: amount for unit, amount in asdict(spent).items() if amount}
        return ", ".join(
            f"{_short(amount)}{_of(self.by_unit().get(unit))} "
            f"{_word(unit, self.by_unit().get(unit, amount))}"
            for unit, amount in every.items()
        )


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _of(bound: float | None) -> str:
    return "" if bound is None else f" of {bound:g}"


def _word(unit: str, bound: float) -> str:
    word = WORDS[unit]
    return word[:-1] if bound == 1 else word
