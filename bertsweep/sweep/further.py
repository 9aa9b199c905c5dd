"""Several objectives of a sweep: in its ledger, in its study, and where its winner is confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bertsweep.ledger import STOPPED, SweepState, TrialState
from bertsweep.pareto import front, pick
from bertsweep.ranking import pareto_front, picked, values_of
from bertsweep.selection import Confirmation
from bertsweep.spec import SweepSpec

TRAIN_SECONDS = "train_seconds"


def further_values(state: SweepState, trial: TrialState) -> tuple[float, ...] | None:
    """The trial's values of all objectives but the first; None where it lacks one.

    A trial that was stopped has trained for less, whatever its parameters: its seconds are carried
    on in proportion to the epochs that it would have had, as samplers carry on the first objective.
    """
    values = values_of(state.goals, trial)
    if values is None:
        return None
    best = trial.best
    share = 1.0
    if trial.status == STOPPED and best is not None:
        share = best["epoch"] / float(trial.params["epochs"])
    named = zip(state.goals[1:], values[1:], strict=True)
    return tuple(value / share if goal.metric == TRAIN_SECONDS else value for goal, value in named)


def objective_of(spec: SweepSpec, *, two_classes: bool) -> dict[str, Any]:
    """The objectives as `sweep_started` has them; further ones only where there are any."""
    first = spec.objective
    rule = spec.threshold_rule if two_classes else None
    plain: dict[str, Any] = {"metric": first.metric, "mode": first.mode, "threshold": rule}
    if spec.further:
        plain["further"] = [{"metric": one.metric, "mode": one.mode} for one in spec.further]
        plain["prefer"] = spec.model_dump(mode="json", include={"prefer"})["prefer"]
    return plain


def eligible(state: SweepState, names: Sequence[str]) -> Sequence[str]:
    """Those of the trials `names` that may be finalists; with one objective, all of them.

    With several, those of the front. Where the rule gives up some of the first objective for
    another, it is the picked trial alone: repeats tell of the first objective, and a choice by
    their means would undo that.
    """
    if len(state.goals) == 1:
        return names
    chosen = picked(state)
    if chosen is not None and state.preference.rule != "best_first":
        return [chosen.name]
    fronted = {trial.id for trial in pareto_front(state)}
    return [name for name in names if name in fronted]


def takes_baseline(state: SweepState, outcome: Confirmation) -> bool:
    """Whether the rule takes the baseline, whose mean is the better one, of it and the chosen.

    Their means stand for the first objective. `knee` cannot tell two trials of a front apart; with
    it the baseline must beat the chosen one in every objective.
    """
    baseline, chosen = state.baseline, state.trials[outcome.chosen]
    if len(state.goals) == 1 or baseline is None or outcome.baseline is None:
        return True
    two = {}
    for trial, mean in ((chosen, outcome.winner.mean), (baseline, outcome.baseline.mean)):
        values = values_of(state.goals, trial)
        if values is None:
            return True
        two[trial.id] = (mean, *values[1:])
    if state.preference.rule == "knee":
        return front(two, state.goals) == [baseline.id]
    return pick(two, state.goals, state.preference).name == baseline.id
