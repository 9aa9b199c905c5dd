"""A sweep folder as plain records: ranking, best checkpoint, baseline. Reads the ledger alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bertsweep import ledger
from bertsweep.errors import NoUsableTrialError
from bertsweep.ledger import BASELINE, SweepState, TrialState
from bertsweep.paths import SweepPaths, find_sweep


def load(paths: SweepPaths) -> SweepState:
    """The state of the sweep in `paths`. Raises `LedgerError` when its ledger is damaged."""
    return ledger.load(paths.ledger)


def ranking(state: SweepState) -> list[TrialState]:
    """Trials with a value, best first; of equals the earlier one. Failed trials have no rank.

    A trial that the scheduler stopped is ranked by what it reached: its checkpoint is as good.
    """
    sign = -1 if state.mode == "max" else 1
    keyed = [
        (sign * trial.value, trial.id, trial)
        for trial in state.trials.values()
        if trial.status != ledger.FAILED and trial.value is not None
    ]
    return [trial for _, _, trial in sorted(keyed, key=lambda item: item[:2])]


def winner(state: SweepState) -> TrialState:
    """The best trial that still has its checkpoint. Raises `NoUsableTrialError`."""
    for trial in ranking(state):
        if trial.checkpoint is not None:
            return trial
    failed = [trial for trial in state.trials.values() if trial.error]
    reason = f" The last error was: {failed[-1].error}" if failed else ""
    raise NoUsableTrialError(
        f"sweep {state.name} has no trial with a checkpoint yet.{reason} "
        f"`bertsweep show {state.name}` lists what each trial did."
    )


def baseline(state: SweepState) -> TrialState | None:
    """The trial that ran the baseline configuration, whatever became of it."""
    return next((t for t in state.trials.values() if t.origin == BASELINE), None)


def summary(state: SweepState, trial: TrialState, paths: SweepPaths) -> dict[str, Any]:
    """A trial's best moment: trial, params, metrics, value, threshold, checkpoint path.

    The path is None where the checkpoint is gone.
    """
    report = trial.best
    return {
        "trial": trial.id,
        "params": trial.params,
        "metrics": report["metrics"] if report else {},
        "value": trial.value,
        "epoch": report["epoch"] if report else None,
        "threshold": trial.threshold,
        "checkpoint": str(paths.folder / trial.checkpoint) if trial.checkpoint else None,
    }


def checkpoint_of(target: str, storage: Path) -> Path:
    """The checkpoint folder `target` means: a checkpoint itself, or a sweep's best one.

    Raises `SweepNotFoundError` or `NoUsableTrialError`.
    """
    folder = Path(target).expanduser()
    if (folder / "checkpoint.json").is_file():
        return folder.absolute()
    paths = find_sweep(target, storage)
    return paths.folder / str(winner(load(paths)).checkpoint)
