"""The JSON documents of `ls`, `show`, `best` and `run`, as docs/json.md describes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsweep import ledger, results
from bertsweep.errors import LedgerError
from bertsweep.ledger import SweepState, TrialState
from bertsweep.paths import SweepPaths, list_sweeps

if TYPE_CHECKING:
    from bertsweep.checkpoints import Checkpoint

Document = dict[str, Any]
Notify = Callable[[str], None]

DAMAGED = "damaged"
"""Status in `ls` of a sweep whose ledger cannot be read; `show` says why."""


def listing(storage: Path) -> list[Document]:
    """The sweeps under `storage`, by name: `ls --json`."""
    return [_listed(paths) for paths in list_sweeps(storage)]


def _listed(paths: SweepPaths) -> Document:
    entry: Document = {"name": paths.folder.name, "path": str(paths.folder)}
    try:
        state = results.load(paths)
    except LedgerError:
        # One damaged sweep must not hide the others.
        return {**entry, "status": DAMAGED, "trials": 0, "best": None}
    ranked = results.ranking(state)
    return {
        **entry,
        "status": status(state, paths),
        "trials": len(state.trials),
        "best": ranked[0].value if ranked else None,
    }


def shown(state: SweepState, paths: SweepPaths) -> Document:
    """One sweep with all its trials: `show --json`."""
    return {
        "name": state.name,
        "path": str(paths.folder),
        "status": status(state, paths),
        "objective": {"metric": state.metric, "mode": state.mode},
        "trials": map(_trial, state.trials.values()),
    }


def best(state: SweepState, paths: SweepPaths, *, notify: Notify = lambda _: None) -> Document:
    """The winner and the baseline: `best --json`. Raises `NoUsableTrialError`.

    `notify` receives a sentence for each checkpoint that cannot be read.
    """
    trial, checkpoint = results.usable(state, paths, notify=notify)
    winner = _summary(state, trial, paths, checkpoint)
    baseline = results.baseline(state)
    if baseline is None:
        return {"sweep": state.name, **winner, "baseline": None}
    if baseline is trial:
        return {"sweep": state.name, **winner, "baseline": winner}
    beside = results.checkpoint_in(baseline, paths, notify=notify)
    return {"sweep": state.name, **winner, "baseline": _summary(state, baseline, paths, beside)}


def outcome(state: SweepState, paths: SweepPaths, *, notify: Notify = lambda _: None) -> Document:
    """What a run came to: `run --json` and `resume --json`. Raises `NoUsableTrialError`."""
    return {
        "name": state.name,
        "path": str(paths.folder),
        "status": status(state, paths),
        "trials": counts(state),
        "best": best(state, paths, notify=notify),
    }


def counts(state: SweepState) -> dict[str, int]:
    """How many trials stand at each status."""
    kinds = (ledger.FINISHED, ledger.STOPPED, ledger.FAILED, ledger.RUNNING)
    statuses = [trial_status(trial) for trial in state.trials.values()]
    return {kind: statuses.count(kind) for kind in kinds}


def status(state: SweepState, paths: SweepPaths) -> str:
    """The sweep's status: running, finished, interrupted or failed.

    A ledger that ends in the middle of a sweep which no process is writing is an interrupted one:
    its command was killed, and `resume` goes on with it.
    """
    if state.status == ledger.RUNNING and not _is_written(paths.ledger):
        return ledger.INTERRUPTED
    return state.status


def trial_status(trial: TrialState) -> str:
    """The trial's status: running, finished, stopped or failed.

    An interrupted trial counts as running: it goes on where it was when the sweep is resumed.
    """
    return ledger.RUNNING if trial.status == ledger.INTERRUPTED else trial.status


def _trial(trial: TrialState) -> Document:
    return {
        "id": trial.id,
        "status": trial_status(trial),
        "origin": trial.origin,
        "params": dict(trial.params),
        "metrics": trial.best["metrics"] if trial.best else {},
        "reports": list(trial.reports),
        "seconds": trial.seconds,
        "gpu_hours": trial.gpu_hours,
        "error": trial.error,
    }


def _summary(
    state: SweepState, trial: TrialState, paths: SweepPaths, checkpoint: Checkpoint | None
) -> Document:
    summary = results.summary(state, trial, paths, checkpoint)
    return {
        "trial": summary["trial"],
        "params": dict(summary["params"]),
        "metrics": summary["metrics"],
        "objective": {"metric": state.metric, "mode": state.mode, "value": summary["value"]},
        "checkpoint": summary["checkpoint"],
    }


def _is_written(path: Path) -> bool:
    """Whether a running command holds the ledger's lock; True where locks cannot be asked."""
    import fcntl

    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    return False
