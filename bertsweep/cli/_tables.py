"""The tables of trials that `run`, `show` and `best` print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bertsweep import results
from bertsweep.cli._output import duration, parameters, score, short, table
from bertsweep.costs import COSTS
from bertsweep.ledger import BASELINE, SweepState, TrialState
from bertsweep.metrics import ThresholdRule, describe_rule

if TYPE_CHECKING:
    from rich.table import Table


def trials_table(state: SweepState, trials: Sequence[TrialState]) -> Table:
    """One row a trial, in the given order, with the parameters that differ between trials."""
    names = varied(list(state.trials.values()))
    further = [goal.metric for goal in state.goals[1:]]
    columns = ("trial", "status", state.metric, *further, "epochs", "time", "parameters")
    rows = [
        (
            _name(trial),
            results.trial_status(trial),
            score(trial.value),
            *(short(_metric(trial, name)) for name in further),
            short(trial.reports[-1]["epoch"]) if trial.reports else "-",
            duration(trial.seconds),
            parameters(trial.params, only=names),
        )
        for trial in trials
    ]
    return table(columns, rows, right=(state.metric, *further, "epochs", "time"))


def varied(trials: Sequence[TrialState]) -> list[str]:
    """Names of the parameters that two trials have different values of, in their order."""
    names: dict[str, set[str]] = {}
    for trial in trials:
        for name in trial.params:
            names.setdefault(name, set())
    for name, values in names.items():
        values.update(repr(trial.params.get(name)) for trial in trials)
    return [name for name, values in names.items() if len(values) > 1] or list(names)


def comparison(document: Mapping[str, Any]) -> Table:
    """The winner beside the baseline: objective, the other validation metrics, parameters.

    A parameter that neither has at another value than its default is left out.
    """
    from bertsweep.spec.hyperparameters import Hyperparameters

    usual = {name: field.default for name, field in Hyperparameters.model_fields.items()}
    baseline = document["baseline"]
    same = baseline is not None and baseline["trial"] == document["trial"]
    sides = [document] if baseline is None or same else [document, baseline]
    heads = [f"best: {document['trial']}" + (" (the baseline itself)" if same else "")]
    heads += [f"baseline: {side['trial']}" for side in sides[1:]]
    metric = document["objective"]["metric"]
    rows: list[list[str]] = [[f"{metric} ({document['objective']['mode']})"]]
    rows[0] += [score(side["objective"]["value"]) for side in sides]
    costs = [name for name in document["metrics"] if name in COSTS]
    rows += [[name, *(short(side["metrics"].get(name)) for side in sides)] for name in costs]
    for name in document["metrics"]:
        if name != metric and name.startswith("val_"):
            rows.append([name, *(short(side["metrics"].get(name)) for side in sides)])
    for name in dict.fromkeys(name for side in sides for name in side["params"]):
        values = [side["params"].get(name) for side in sides]
        if any(value != usual.get(name) for value in values):
            rows.append([name, *map(short, values)])
    return table(("", *heads), rows, right=heads)


def front_table(document: Mapping[str, Any]) -> Table:
    """The Pareto front: one row a trial, its value of every objective, the picked one marked."""
    goals = document["objectives"]
    heads = [f"{goal['metric']} ({goal['mode']})" for goal in goals]
    rows = [
        (
            one["trial"],
            *(short(one["values"][goal["metric"]]) for goal in goals),
            "picked" if one["trial"] == document["picked"] else "",
        )
        for one in document["trials"]
    ]
    return table(("Pareto front", *heads, ""), rows, right=heads)


def decision(document: Mapping[str, Any]) -> Iterator[str]:
    """The line that says how the winner of the document of `best` labels text."""
    return labelling(
        document["positive"], document["objective"]["threshold"], document["threshold"]
    )


def labelling(
    positive: Any, rule: ThresholdRule | None, threshold: float | None = None
) -> Iterator[str]:
    """The line that says how probabilities become labels; none with more than two classes.

    `threshold` is that of one trial, and `rule` how the sweep sets it, None where it was not
    recorded.
    """
    if positive is None:
        return
    probability = rule if threshold is None and not isinstance(rule, str) else threshold
    found = f"{describe_rule(rule)} on the validation rows" if isinstance(rule, str) else ""
    if probability is not None:
        reason = f" ({found})" if found else ""
        yield f"positive: {positive}, from a probability of {short(probability)}{reason}"
    else:
        yield f"positive: {positive}" + (f", by the threshold of {found}" if found else "")


def _name(trial: TrialState) -> str:
    return f"{trial.id} ({BASELINE})" if trial.origin == BASELINE else trial.id


def _metric(trial: TrialState, name: str) -> float | None:
    """A metric of the trial's best report."""
    return None if trial.best is None else trial.best["metrics"].get(name)
