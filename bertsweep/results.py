"""A sweep folder as plain records: ranking, best checkpoint, baseline. Reads the ledger alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsweep import ledger
from bertsweep.direction import Direction
from bertsweep.errors import LedgerError, NoUsableTrialError
from bertsweep.ledger import (
    FAILED,
    FINISHED,
    INTERRUPTED,
    RUNNING,
    STOPPED,
    SweepState,
    TrialState,
)
from bertsweep.metrics import ThresholdRule
from bertsweep.paths import SweepPaths, find_sweep, list_sweeps, storage_root

PREPARING, DAMAGED = "preparing", "damaged"
"""Status of a sweep that has no event yet, and of one whose ledger cannot be read."""


@dataclass(frozen=True)
class Sweep:
    """A sweep as its folder tells it, at the moment it was opened."""

    paths: SweepPaths
    state: SweepState

    @classmethod
    def open(cls, sweep: str | Path, *, storage: str | Path | None = None) -> Sweep:
        """The sweep in a folder, or of a name under `storage` (BERTSWEEP_STORAGE, else ./runs).

        Raises `SweepNotFoundError`, and `LedgerError` when its ledger is damaged.
        """
        paths = find_sweep(str(sweep), storage_root(storage))
        return cls(paths, load(paths))

    @property
    def name(self) -> str:
        return self.state.name

    @property
    def folder(self) -> Path:
        return self.paths.folder

    @property
    def metric(self) -> str:
        """What trials are ranked by, such as `val_f1`."""
        return self.state.metric

    @property
    def mode(self) -> str:
        """The better direction of the metric: "max" or "min"."""
        return self.state.mode

    @property
    def positive(self) -> Any:
        """The label of the positive class; None with more than two classes."""
        return self.state.started.positive

    @property
    def threshold_rule(self) -> ThresholdRule | None:
        """How the thresholds of checkpoints are set: a number, or a name such as "f1".

        None with more than two classes, and in a sweep that an earlier version began.
        """
        return self.state.started.threshold_rule

    @property
    def status(self) -> str:
        """running, finished, interrupted or failed.

        A ledger that ends in the middle of a sweep which no process is writing is an interrupted
        one: its command was killed, and `resume` goes on with it.
        """
        return status(self.state, self.paths)

    @property
    def trials(self) -> list[TrialState]:
        """Every trial, in the order in which they were proposed."""
        return list(self.state.trials.values())

    @property
    def counts(self) -> dict[str, int]:
        """How many trials stand at each status: finished, stopped, failed, running."""
        return counts(self.state)

    def ranking(self) -> list[TrialState]:
        """Trials with a value, best first; of equals the earlier one."""
        return ranking(self.state)

    def best(self) -> TrialState:
        """The best trial that still has its checkpoint. Raises `NoUsableTrialError`."""
        return winner(self.state)

    @property
    def baseline(self) -> TrialState | None:
        """The trial that ran the baseline configuration, whatever became of it."""
        return self.state.baseline

    def checkpoint(self, trial: TrialState | None = None) -> Path:
        """The checkpoint folder of a trial, of the best one by default.

        Raises `NoUsableTrialError` where there is none.
        """
        chosen = trial or self.best()
        if chosen.checkpoint is None:
            raise NoUsableTrialError(f"{chosen.id} of sweep {self.name} has no checkpoint.")
        return self.paths.folder / chosen.checkpoint


def load(paths: SweepPaths) -> SweepState:
    """The state of the sweep in `paths`. Raises `LedgerError` when its ledger is damaged."""
    return ledger.load(paths.ledger)


def status(state: SweepState, paths: SweepPaths) -> str:
    """The status of a sweep, as `Sweep.status` describes it."""
    if state.status == RUNNING and not ledger.is_locked(paths.ledger):
        return INTERRUPTED
    return state.status


def trial_status(trial: TrialState) -> str:
    """The trial's status: running, finished, stopped or failed.

    An interrupted trial counts as running: it goes on where it was when the sweep is resumed.
    """
    return RUNNING if trial.status == INTERRUPTED else trial.status


def counts(state: SweepState) -> dict[str, int]:
    """How many trials stand at each status."""
    found = dict.fromkeys((FINISHED, STOPPED, FAILED, RUNNING), 0)
    for trial in state.trials.values():
        found[trial_status(trial)] += 1
    return found


def ranking(state: SweepState) -> list[TrialState]:
    """Trials with a value, best first; of equals the earlier one. Failed trials have no rank.

    A trial that the scheduler stopped is ranked by what it reached: its checkpoint is as good.
    """
    sign = Direction.of(state.mode).sign
    keyed = [
        (-sign * trial.value, trial.number, trial)
        for trial in state.trials.values()
        if trial.status != FAILED and trial.value is not None
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


def checkpoint_of(target: str, storage: Path) -> Path:
    """The checkpoint folder `target` means: a checkpoint itself, or a sweep's best one.

    Raises `SweepNotFoundError` or `NoUsableTrialError`.
    """
    folder = Path(target).expanduser()
    if (folder / "checkpoint.json").is_file():
        return folder.absolute()
    return Sweep.open(target, storage=storage).checkpoint()


def listing(storage: Path) -> list[dict[str, Any]]:
    """The sweeps under `storage`, by name: name, path, status, trials, best.

    One damaged sweep does not hide the others.
    """
    return [_listed(paths) for paths in list_sweeps(storage)]


def _listed(paths: SweepPaths) -> dict[str, Any]:
    entry = {"name": paths.folder.name, "path": str(paths.folder)}
    try:
        state = load(paths)
    except LedgerError:
        empty = paths.ledger.stat().st_size == 0
        return {**entry, "status": PREPARING if empty else DAMAGED, "trials": 0, "best": None}
    leader = state.trials.get(state.leader or "")
    return {
        **entry,
        "status": status(state, paths),
        "trials": len(state.trials),
        "best": None if leader is None else leader.value,
    }
