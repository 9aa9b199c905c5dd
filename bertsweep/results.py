"""A sweep folder as plain records: ranking, best checkpoint, baseline. Reads the ledger alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bertsweep import ledger
from bertsweep.budget import Spent
from bertsweep.errors import InputError, LedgerError, NoUsableTrialError, SpecError
from bertsweep.ledger import (
    FAILED,
    FINISHED,
    INTERRUPTED,
    RUNNING,
    STOPPED,
    SweepState,
    TrialState,
    spent_by,
)
from bertsweep.metrics import ThresholdRule
from bertsweep.paths import SweepPaths, find_sweep, list_sweeps, storage_root
from bertsweep.ranking import pareto_front, picked, ranking, winner

if TYPE_CHECKING:
    from bertsweep.checkpoints import Checkpoint, Predictions
    from bertsweep.ledger import Confirmation
    from bertsweep.pareto import Goal, Pick
    from bertsweep.selection import Selection
    from bertsweep.spec import Confirm

Notify = Callable[[str], None]
T = TypeVar("T")

_TRIES = 5
"""How often a checkpoint is looked for again that went while it was read."""

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

    @property
    def spent(self) -> Spent:
        """What the search has used of its budget, in every unit."""
        return spent_by(
            self.trials,
            longest=longest_training(self.state.started.spec),
            seconds=self.state.search_seconds,
            now=self.state.last_event,
        )

    def ranking(self) -> list[TrialState]:
        """Trials with a value, best by the first objective first; of equals the earlier one."""
        return ranking(self.state)

    @property
    def goals(self) -> tuple[Goal, ...]:
        """The objectives: metric and direction of each, the one that trials are ranked by first."""
        return self.state.goals

    def front(self) -> list[TrialState]:
        """The Pareto front: the trials that no other beats in every objective, best by the first
        objective first. With one objective, the trials with its best value.
        """
        return pareto_front(self.state)

    def picked(self) -> Pick | None:
        """The trial of the front that `prefer` picks, by its id, and a sentence that says why.

        None before any trial has a value of every objective.
        """
        return picked(self.state)

    def best(self) -> TrialState:
        """The repeat that a confirmation chose, else the best trial whose checkpoint the ledger
        names; of several objectives the one that `prefer` picks.

        Raises `NoUsableTrialError`.
        """
        return winner(self.state)

    def usable(self, *, notify: Notify = lambda _: None) -> tuple[TrialState, Checkpoint]:
        """The best trial of which a checkpoint can be read, and that checkpoint, verified.

        `notify` receives a sentence for each damaged or missing one that would have come before
        it. Raises `NoUsableTrialError`.
        """
        from bertsweep.usable import usable

        return usable(self.state, self.paths, notify=notify)

    @property
    def baseline(self) -> TrialState | None:
        """The trial that ran the baseline configuration, whatever became of it."""
        return self.state.baseline

    def checkpoint(
        self, trial: TrialState | None = None, *, notify: Notify = lambda _: None
    ) -> Path:
        """The folder of a trial's checkpoint, of the best trial by default, verified.

        `notify` receives a sentence where another one had to be taken because it is damaged. Raises
        `NoUsableTrialError` where there is none.
        """
        from bertsweep.usable import checkpoint_in

        if trial is None:
            return self.usable(notify=notify)[1].folder
        found = checkpoint_in(trial, self.paths, notify=notify)
        if found is None:
            raise NoUsableTrialError(f"{trial.id} of sweep {self.name} has no usable checkpoint.")
        return found.folder

    def predictions(self, trial: TrialState | None = None) -> Predictions | None:
        """What a trial's best checkpoint predicts for the validation rows, the best trial's by
        default.

        They are kept of every trial, also where the weights are not. None where it has none yet, or
        they were damaged or never kept. Raises `NoUsableTrialError` without any trial.
        """
        from bertsweep.kept_predictions import predictions_of

        return predictions_of(self.best() if trial is None else trial, self.paths)

    def selection(self) -> Selection | None:
        """How sure the choice of the best trial is; see `bertsweep.selection`.

        None unless every trial with a value kept its predictions.
        """
        from bertsweep.kept_predictions import selection_of

        return selection_of(self.state, self.paths)

    @property
    def confirmation(self) -> Confirmation | None:
        """The finalists that were or are being repeated, and the outcome; None without any."""
        return self.state.confirmation

    def confirm_settings(self, **given: Any) -> Confirm:
        """How to confirm: as the search space file says, but for what is given."""
        from bertsweep.spec import Confirm

        return Confirm(**{**(self.state.started.spec.get("confirm") or {}), **given})


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


def longest_training(spec: Mapping[str, Any]) -> float:
    """The epochs of a full training in a sweep's recorded spec, 1 where it cannot be read here."""
    from bertsweep.spec import from_plain

    try:
        return float(from_plain(dict(spec)).longest)
    except SpecError:
        return 1.0


def checkpoint_of(target: str, storage: Path, *, notify: Notify = lambda _: None) -> Checkpoint:
    """The checkpoint that `target` means, verified: a checkpoint folder, or a sweep's best one.

    `notify` receives a sentence for each damaged one that was passed over. Raises `InputError` for
    a folder that cannot be used, `SweepNotFoundError`, or `NoUsableTrialError`.
    """
    from bertsweep import checkpoints
    from bertsweep.usable import settled

    folder = Path(target).expanduser().absolute()
    if any((folder / name).exists() for name in checkpoints.FILES):
        checkpoint = checkpoints.Checkpoint.open(folder)
        checkpoint.verify()
        return checkpoint
    return settled(find_sweep(target, storage), notify)


def sweep_of(checkpoint: Checkpoint) -> Sweep | None:
    """The sweep in whose folder a checkpoint lies; None for one that was copied elsewhere."""
    paths = SweepPaths(checkpoint.folder.absolute().parents[2])
    inside = checkpoint.folder.absolute().parents[1] == paths.trials
    return Sweep(paths, load(paths)) if inside and paths.ledger.is_file() else None


def read_checkpoint(
    target: str, storage: Path, use: Callable[[Checkpoint], T], *, first: Checkpoint
) -> T:
    """What `use` makes of the checkpoint `first`, which `checkpoint_of` found for `target`.

    In a sweep that is running, it may be superseded and removed before all of it was read: then the
    one that took its place is used. Raises what `checkpoint_of` and `use` raise.
    """
    checkpoint = first
    for _ in range(_TRIES):
        try:
            return use(checkpoint)
        except InputError:
            if checkpoint.folder.exists():
                raise
            checkpoint = checkpoint_of(target, storage)
    return use(checkpoint)


def listing(storage: Path) -> list[dict[str, Any]]:
    """The sweeps under `storage`, by name: name, path, status, trials, best, last_event.

    `last_event` is the time of the latest one (unix seconds); a running sweep has one a minute.

    One damaged sweep does not hide the others.
    """
    return [_listed(paths) for paths in list_sweeps(storage)]


def _listed(paths: SweepPaths) -> dict[str, Any]:
    entry = {"name": paths.folder.name, "path": str(paths.folder)}
    try:
        state = load(paths)
    except LedgerError:
        empty = paths.ledger.stat().st_size == 0
        none = dict.fromkeys(("best", "last_event"))
        return {**entry, "status": PREPARING if empty else DAMAGED, "trials": 0, **none}
    leader = state.trials.get(state.leader or "")
    return {
        **entry,
        "status": status(state, paths),
        "trials": len(state.trials),
        "best": None if leader is None else leader.value,
        "last_event": state.last_event,
    }
