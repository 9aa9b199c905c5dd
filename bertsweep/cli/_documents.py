"""The JSON documents of `show`, `best` and `run`, as docs/json.md describes them."""

from __future__ import annotations

from typing import Any

from bertsweep import results
from bertsweep.ledger import TrialState
from bertsweep.results import Sweep

Document = dict[str, Any]


def shown(sweep: Sweep) -> Document:
    """One sweep with all its trials: `show --json`."""
    return {
        "name": sweep.name,
        "path": str(sweep.folder),
        "status": sweep.status,
        "positive": sweep.positive,
        "objective": _objective(sweep),
        "trials": map(_trial, sweep.trials),
    }


def best(sweep: Sweep) -> Document:
    """The winner and the baseline: `best --json`. Raises `NoUsableTrialError`."""
    baseline = sweep.baseline
    return {
        "sweep": sweep.name,
        "positive": sweep.positive,
        **_summary(sweep, sweep.best()),
        "baseline": None if baseline is None else _summary(sweep, baseline),
    }


def outcome(sweep: Sweep) -> Document:
    """What a run came to: `run --json` and `resume --json`. Raises `NoUsableTrialError`."""
    return {
        "name": sweep.name,
        "path": str(sweep.folder),
        "status": sweep.status,
        "trials": sweep.counts,
        "best": best(sweep),
    }


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


def _summary(sweep: Sweep, trial: TrialState) -> Document:
    """A trial's best moment; the checkpoint is None where it is gone."""
    return {
        "trial": trial.id,
        "params": dict(trial.params),
        "metrics": trial.best["metrics"] if trial.best else {},
        "objective": {**_objective(sweep), "value": trial.value},
        "threshold": trial.threshold,
        "checkpoint": str(sweep.checkpoint(trial)) if trial.checkpoint else None,
    }
