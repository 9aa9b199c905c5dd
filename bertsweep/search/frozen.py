"""Domains and trials of a sweep as Optuna records them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState

from bertsweep import ledger
from bertsweep.direction import Direction
from bertsweep.space import Choice, Domain, Float, Int, Point, Space

_STATES = {
    ledger.RUNNING: TrialState.RUNNING,
    ledger.FINISHED: TrialState.COMPLETE,
    ledger.STOPPED: TrialState.PRUNED,
}


def distribution(domain: Domain) -> BaseDistribution:
    """The Optuna distribution of a domain that is searched. Raises `TypeError` for a fixed one."""
    if isinstance(domain, Float):
        return FloatDistribution(domain.low, domain.high, log=domain.log, step=domain.step)
    if isinstance(domain, Int):
        return IntDistribution(domain.low, domain.high, log=domain.log, step=domain.step)
    if isinstance(domain, Choice):
        return CategoricalDistribution(domain.options)
    raise TypeError(f"a fixed value has no distribution, but got {domain}")


def frozen_trial(
    space: Space,
    point: Point,
    *,
    status: str,
    values: Mapping[int, float],
    mode: str,
    others: Sequence[float] | None = (),
) -> FrozenTrial:
    """A trial with its state, its parameters, and its `values` by report number.

    A finished trial's value is its best one, not its last; `others` are its values of further
    objectives, None where it lacks one. A point outside the space has no parameters, which a study
    would refuse, but user attributes.
    """
    state = _STATES.get(status, TrialState.FAIL)
    best = Direction.of(mode).best(values.values())
    complete = None if best is None or others is None else [best, *others]
    if state == TrialState.COMPLETE and complete is None:
        state = TrialState.FAIL
    if state == TrialState.RUNNING or (state == TrialState.PRUNED and not others):
        complete = None
    inside = not space.outside(point)
    searched = [p for p in space.searched if p.name in point] if inside else []
    return optuna.trial.create_trial(
        state=state,
        values=None if state == TrialState.FAIL else complete,
        params={p.name: point[p.name] for p in searched},
        distributions={p.name: distribution(p.domain) for p in searched},
        intermediate_values=dict(values),
        user_attrs={} if inside else {"point": dict(point)},
    )
