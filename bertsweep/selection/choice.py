"""Which of several tied finalists is taken, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bertsweep.selection.words import and_listed, rounded

CHEAPER, SIMPLER, HIGHEST = "cheaper", "one standard error", "best mean"

SAME_COST = 0.05
"""Costs that differ by less than this share are the same: measured times differ by as much."""


@dataclass(frozen=True)
class Choice:
    """The finalist taken, the rule that took it (one of the names above) and a sentence on why."""

    trial: str
    rule: str
    reason: str


def choose(
    means: Mapping[str, float],
    *,
    error: float,
    costs: Mapping[str, float] | None = None,
    simplicity: Sequence[str] | None = None,
) -> Choice:
    """One of the tied finalists with these means, larger the better.

    With `costs` for all of them it is the cheapest; of those within 5 % of it, the one with the
    best mean. Else with `simplicity`, which names finalists from the simplest on, it is the
    simplest whose mean is at most one standard error `error` below the best mean (Breiman,
    Friedman, Olshen and Stone, Classification and Regression Trees, 1984, section 3.4.3). Else it
    is the one with the best mean.
    """
    best = max(means, key=lambda name: means[name])
    if len(means) == 1:
        return Choice(best, HIGHEST, f"No other finalist is tied with {best}.")
    tied = f"{and_listed(list(means))} cannot be told apart"
    if costs is not None and all(name in costs for name in means):
        least = min(costs[name] for name in means)
        cheap = [name for name in means if costs[name] <= least * (1 + SAME_COST)]
        taken = max(cheap, key=lambda name: means[name])
        if len(cheap) < len(means):
            dearest = max(costs[name] for name in means)
            against = f"{costs[taken]:.3g} against up to {dearest:.3g}"
            reason = f"{tied}; {taken} is taken, which is cheaper to run ({against})."
            return Choice(taken, CHEAPER, reason)
        tied += " and cost the same to run"
    near = [name for name in means if means[best] - means[name] <= error]
    ordered = [name for name in simplicity or () if name in near]
    if ordered:
        within = f"within one standard error ({rounded(error, error)}) of the best mean"
        reason = f"{tied}; {ordered[0]} is taken, the simplest {within}."
        return Choice(ordered[0], SIMPLER, reason)
    return Choice(best, HIGHEST, f"{tied}; {best} is taken for its better mean.")
