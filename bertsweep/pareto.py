"""Several objectives: which trials no other one beats in all of them, and which of these to use.

Numbers in, names out. Candidates are given as name → values, one value for each goal in the order
of the goals, the earlier trial first; it wins where all else is equal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bertsweep.direction import Direction

Values = tuple[float, ...]

Rule = Literal["best_first", "knee", "within"]


@dataclass(frozen=True)
class Goal:
    """A metric and which direction of it is better."""

    metric: str
    direction: Direction

    def loss(self, value: float) -> float:
        """The value, turned so that less is better; of a loss, the value again."""
        return -self.direction.sign * value


@dataclass(frozen=True)
class Preference:
    """The rule that picks one trial of a front; `within` is in the units of the first goal."""

    rule: Rule = "best_first"
    within: float = 0.0

    @classmethod
    def of_plain(cls, plain: Any) -> Preference:
        """The rule as a search space file and a ledger write it: a name, or {within: number}."""
        if isinstance(plain, Mapping):
            return cls("within", float(plain["within"]))
        return cls(plain)

    def __str__(self) -> str:
        return f"within {self.within:g}" if self.rule == "within" else self.rule


@dataclass(frozen=True)
class Pick:
    """The candidate that a rule picks, and a sentence that says why."""

    name: str
    reason: str


def front(candidates: Mapping[str, Values], goals: Sequence[Goal]) -> list[str]:
    """The Pareto front: the candidates of which no other is at least as good in every goal and
    better in one; best by the first goal first. Of candidates with equal values all are in it.
    """
    return list(_unbeaten(_losses(candidates, goals)))


def pick(candidates: Mapping[str, Values], goals: Sequence[Goal], preference: Preference) -> Pick:
    """The one candidate that a rule picks; it always lies on the front.

    - `best_first`: the best by the first goal, of equals by the second, and so on.
    - `within`: the best by the second goal of those whose first value is at most that much worse
      than the best one.
    - `knee`: the one whose losses add to the least, each counted from the front's best (0) to its
      worst (1). With two goals that is the point of the front furthest from the straight line
      between its ends, towards the better: the knee of Das 1999 ("On characterizing the knee of the
      Pareto curve based on normal-boundary intersection", Structural Optimization 18).

    Raises `ValueError` without candidates.
    """
    losses = _losses(candidates, goals)
    if not losses:
        raise ValueError("a pick needs at least one candidate, but got none")
    rules = {"best_first": _best_first, "knee": _knee, "within": _within}
    name, why = rules[preference.rule](losses, goals, preference)
    return Pick(name, f"{name} {why} (prefer: {preference})")


def _best_first(
    losses: Mapping[str, Values], goals: Sequence[Goal], preference: Preference
) -> tuple[str, str]:
    return _least(losses), f"has the {_best_word(goals[0])} {goals[0].metric}"


def _within(
    losses: Mapping[str, Values], goals: Sequence[Goal], preference: Preference
) -> tuple[str, str]:
    best = min(values[0] for values in losses.values())
    # 0.75 - 0.74 is more than 0.01 in binary numbers.
    most = best + preference.within + 1e-9 * max(1.0, abs(best))
    near = {
        name: (values[1], values[0], *values[2:])
        for name, values in losses.items()
        if values[0] <= most
    }
    first, second = goals[0], goals[1]
    count = f"of {len(near)} trials" if len(near) > 1 else "of the one trial"
    return _least(near), (
        f"has the {_best_word(second)} {second.metric} {count} within {preference.within:g} of the "
        f"best {first.metric}, {first.loss(best):.4f}"
    )


def _knee(
    losses: Mapping[str, Values], goals: Sequence[Goal], preference: Preference
) -> tuple[str, str]:
    on_it = _unbeaten(losses)
    lows = [min(column) for column in zip(*on_it.values(), strict=True)]
    highs = [max(column) for column in zip(*on_it.values(), strict=True)]
    spans = [high - low for low, high in zip(lows, highs, strict=True)]

    def total(values: Values) -> float:
        shares = zip(values, lows, spans, strict=True)
        return float(sum((value - low) / span for value, low, span in shares if span > 0))

    name = _least({name: (total(values), *values) for name, values in on_it.items()})
    return name, (
        "is the knee of the front: its losses, each as a share of the front's range, add to the "
        f"least, {total(on_it[name]):.2f}"
    )


def _losses(candidates: Mapping[str, Values], goals: Sequence[Goal]) -> dict[str, Values]:
    return {
        name: tuple(goal.loss(value) for goal, value in zip(goals, values, strict=True))
        for name, values in candidates.items()
    }


def _unbeaten(losses: Mapping[str, Values]) -> dict[str, Values]:
    found: dict[str, Values] = {}
    # In this order a candidate is only ever beaten by one that came before it.
    for name, values in sorted(losses.items(), key=lambda item: item[1]):
        if not any(_dominates(other, values) for other in found.values()):
            found[name] = values
    return found


def _dominates(one: Values, other: Values) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def _least(keys: Mapping[str, Values]) -> str:
    return min(keys, key=lambda name: keys[name])


def _best_word(goal: Goal) -> str:
    return "highest" if goal.direction is Direction.MAX else "lowest"
