"""A sweep folder as plain records: ranking, best checkpoint, baseline. Reads the ledger alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bertsweep import ledger
from bertsweep.errors import InputError, NoUsableTrialError
from bertsweep.ledger import BASELINE, SweepState, TrialState
from bertsweep.paths import SweepPaths, find_sweep

if TYPE_CHECKING:
    from bertsweep.checkpoints import Checkpoint

Notify = Callable[[str], None]
T = TypeVar("T")

_TRIES = 5
"""How often a checkpoint is looked for again that went while it was read."""


def load(paths: SweepPaths) -> SweepState:
    """The state of the sweep in `paths`. Raises `LedgerError` when its ledger is damaged."""
    return ledger.load(paths.ledger)


def ranking(state: SweepState) -> list[TrialState]:
    """Trials with a value, best first; of equals the earlier one.

    A trial that the scheduler stopped, or that failed, is ranked by what it reached before: its
    checkpoint is as good.
    """
    sign = -1 if state.mode == "max" else 1
    keyed = [
        (sign * trial.value, trial.id, trial)
        for trial in state.trials.values()
        if trial.value is not None
    ]
    return [trial for _, _, trial in sorted(keyed, key=lambda item: item[:2])]


def winner(state: SweepState) -> TrialState:
    """The best trial whose checkpoint the ledger names. Raises `NoUsableTrialError`."""
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


def usable(
    state: SweepState, paths: SweepPaths, *, notify: Notify = lambda _: None
) -> tuple[TrialState, Checkpoint]:
    """The best trial of which a checkpoint can be read, and that checkpoint, verified.

    `notify` receives a sentence for each damaged or missing one that would have come before it.
    Raises `NoUsableTrialError`.
    """
    best = winner(state)
    for trial in ranking(state):
        if trial.checkpoint is None:
            continue
        checkpoint = checkpoint_in(trial, paths, notify=notify)
        if checkpoint is not None:
            if trial is not best:
                notify(f"the best trial with a checkpoint that can be read is {trial.id}.")
            return trial, checkpoint
    raise NoUsableTrialError(
        f"no checkpoint of sweep {state.name} can be read any more. `bertsweep resume` with a "
        "larger --trials makes new ones."
    )


def checkpoint_in(
    trial: TrialState, paths: SweepPaths, *, notify: Notify = lambda _: None
) -> Checkpoint | None:
    """The checkpoint of a trial to read, verified: the one that the ledger names, else the newest
    good one, of which `notify` receives a sentence. None where there is none.
    """
    from bertsweep import checkpoints

    if trial.checkpoint is None:
        return None
    recorded = paths.folder / trial.checkpoint
    found = checkpoints.find_best(recorded.parent, recorded=recorded.name)
    for problem in found.passed_over:
        notify(problem)
    if found.checkpoint is not None and found.passed_over:
        record = found.checkpoint.record
        notify(
            f"{found.checkpoint.folder} is used instead: report {record.report}, epoch "
            f"{record.epoch:g}."
        )
    return found.checkpoint


def summary(
    state: SweepState, trial: TrialState, paths: SweepPaths, checkpoint: Checkpoint | None
) -> dict[str, Any]:
    """A trial's best moment: trial, params, metrics, value, epoch and checkpoint path (or None).

    Where another checkpoint than the trial's best is left, that one's moment.
    """
    report = trial.best
    metrics, epoch, value = {}, None, trial.value
    if report:
        metrics, epoch = report["metrics"], report["epoch"]
    if checkpoint is not None and checkpoint.folder != paths.folder / str(trial.checkpoint):
        metrics, epoch = dict(checkpoint.record.metrics), checkpoint.record.epoch
        value = metrics.get(state.metric)
    return {
        "trial": trial.id,
        "params": trial.params,
        "metrics": metrics,
        "value": value,
        "epoch": epoch,
        "checkpoint": None if checkpoint is None else str(checkpoint.folder),
    }


def checkpoint_of(target: str, storage: Path, *, notify: Notify = lambda _: None) -> Checkpoint:
    """The checkpoint that `target` means, verified: a checkpoint folder, or a sweep's best one.

    Raises `InputError` for a folder that cannot be used, `SweepNotFoundError`, or
    `NoUsableTrialError`.
    """
    from bertsweep import checkpoints

    folder = Path(target).expanduser().absolute()
    if any((folder / name).exists() for name in checkpoints.FILES):
        checkpoint = checkpoints.Checkpoint.open(folder)
        checkpoint.verify()
        return checkpoint
    return _settled(find_sweep(target, storage), notify)


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


def _settled(paths: SweepPaths, notify: Notify) -> Checkpoint:
    """The best checkpoint of a sweep that may be running.

    Where one was gone, the sweep may have replaced it since its ledger was read, which is no fault:
    then everything is looked at again.
    """
    state = load(paths)
    for _ in range(_TRIES):
        problems: list[str] = []
        _, checkpoint = usable(state, paths, notify=problems.append)
        seen = {trial.id: trial.checkpoint for trial in state.trials.values()}
        state = load(paths) if problems else state
        if seen == {trial.id: trial.checkpoint for trial in state.trials.values()}:
            break
    for problem in problems:
        notify(problem)
    return checkpoint
