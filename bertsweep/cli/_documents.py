"""The JSON documents of `show`, `best` and `run`, as docs/json.md describes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

from bertsweep import results
from bertsweep.ledger import TrialState
from bertsweep.ranking import values_of
from bertsweep.results import Sweep
from bertsweep.usable import checkpoint_in

if TYPE_CHECKING:
    from bertsweep.checkpoints import Checkpoint

Document = dict[str, Any]
Notify = Callable[[str], None]


def shown(sweep: Sweep) -> Document:
    """One sweep with all its trials: `show --json`."""
    return {
        "name": sweep.name,
        "path": str(sweep.folder),
        "status": sweep.status,
        "positive": sweep.positive,
        "objective": _objective(sweep),
        "front": front(sweep),
        "test": tested(sweep),
        "trials": map(_trial, sweep.trials),
        "repeats": [
            {
                "repeats": repeat.repeats,
                "seed": repeat.seed,
                "split": repeat.split,
                "refit": None if repeat.refit is None else to_builtins(repeat.refit),
                **_trial(repeat),
            }
            for repeat in sweep.state.repeats.values()
        ],
    }


def best(sweep: Sweep, *, notify: Notify = lambda _: None) -> Document:
    """The winner and the baseline: `best --json`. Raises `NoUsableTrialError`.

    `notify` receives a sentence for each checkpoint that cannot be read.
    """
    trial, checkpoint = sweep.usable(notify=notify)
    winner = _summary(sweep, trial, checkpoint)
    baseline, beside = sweep.baseline, None
    if baseline is trial:
        beside = winner
    elif baseline is not None:
        beside = _summary(sweep, baseline, checkpoint_in(baseline, sweep.paths, notify=notify))
    return {
        "sweep": sweep.name,
        "positive": sweep.positive,
        **winner,
        "baseline": beside,
        "front": front(sweep),
        "selection": _selection(sweep),
        "confirmation": confirmation(sweep),
        "test": tested(sweep),
    }


def front(sweep: Sweep) -> Document | None:
    """The Pareto front of several objectives and the trial of it that is picked.

    None with one objective, and before any trial has a value of each.
    """
    picked = sweep.picked()
    if len(sweep.goals) == 1 or picked is None:
        return None
    return {
        "objectives": [
            {"metric": goal.metric, "mode": goal.direction.value} for goal in sweep.goals
        ],
        "prefer": str(sweep.state.preference),
        "picked": picked.name,
        "reason": picked.reason,
        "trials": [
            {
                "trial": trial.id,
                "values": dict(zip([goal.metric for goal in sweep.goals], values, strict=True)),
            }
            for trial in sweep.front()
            if (values := values_of(sweep.goals, trial)) is not None
        ],
    }


def confirmation(sweep: Sweep) -> Document | None:
    """What the repeats of finalists came to; None where no confirmation has ended."""
    found = sweep.confirmation
    return None if found is None or found.outcome is None else dict(found.outcome)


def tested(sweep: Sweep) -> Document | None:
    """The last reading of the test split, None where none has a result."""
    reading = sweep.state.test
    if reading is None:
        return None
    opened, result = reading.opened, reading.result or {}
    return {
        "trial": opened.trial,
        "metric": sweep.metric.removeprefix("val_"),
        "aim": opened.aim,
        "threshold": opened.threshold,
        "temperature": opened.temperature,
        "rows": result["rows"],
        "metrics": result["metrics"],
        "intervals": result["intervals"],
        "against_baseline": result["against_baseline"],
        "opened": len(sweep.state.tests),
        "again": opened.again,
    }


def outcome(sweep: Sweep, *, notify: Notify = lambda _: None) -> Document:
    """What a run came to: `run --json` and `resume --json`. Raises `NoUsableTrialError`."""
    return {
        "name": sweep.name,
        "path": str(sweep.folder),
        "status": sweep.status,
        "trials": sweep.counts,
        "spent": sweep.spent.to_plain(),
        "best": best(sweep, notify=notify),
    }


def _selection(sweep: Sweep) -> Document | None:
    """How sure the choice among the trials of the search is; a confirmation has it on record."""
    if sweep.confirmation is not None and sweep.confirmation.selection:
        return dict(sweep.confirmation.selection)
    found = sweep.selection()
    return None if found is None else found.to_plain()


def _objective(sweep: Sweep) -> Document:
    return {"metric": sweep.metric, "mode": sweep.mode, "threshold": sweep.threshold_rule}


def _trial(trial: TrialState) -> Document:
    return {
        "id": trial.id,
        "status": results.trial_status(trial),
        "origin": trial.origin,
        "params": dict(trial.params),
        "metrics": trial.best["metrics"] if trial.best else {},
        "threshold": trial.threshold,
        "reports": list(trial.reports),
        "seconds": trial.seconds,
        "gpu_hours": trial.gpu_hours,
        "error": trial.error,
    }


def _summary(sweep: Sweep, trial: TrialState, checkpoint: Checkpoint | None) -> Document:
    """A trial's best moment and its checkpoint, None where it is gone.

    Where another checkpoint than that of its best moment is left, that one's moment; of a refit,
    the means over the repeats of its configuration, which its checkpoint holds.
    """
    metrics: Mapping[str, Any] = trial.best["metrics"] if trial.best else {}
    value, threshold = trial.value, trial.threshold
    other = checkpoint is not None and checkpoint.folder != sweep.folder / str(trial.checkpoint)
    if checkpoint is not None and (other or trial.refit is not None):
        metrics, threshold = checkpoint.record.metrics, checkpoint.record.threshold
        value = metrics.get(sweep.metric)
    return {
        "trial": trial.repeats or trial.id,
        "params": dict(trial.params),
        "metrics": dict(metrics),
        "objective": {**_objective(sweep), "value": value},
        "threshold": threshold,
        "checkpoint": None if checkpoint is None else str(checkpoint.folder),
        "trained_on": None if checkpoint is None else checkpoint.record.trained_on,
    }
