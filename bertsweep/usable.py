"""The checkpoint of a sweep to read: verified, the newest good one where the best is damaged."""

from __future__ import annotations

from collections.abc import Callable

from bertsweep import checkpoints, ledger
from bertsweep.checkpoints import Checkpoint
from bertsweep.errors import NoUsableTrialError
from bertsweep.ledger import SweepState, TrialState
from bertsweep.paths import SweepPaths
from bertsweep.ranking import preference, winner

Notify = Callable[[str], None]

_TRIES = 5
"""How often a checkpoint is looked for again that went while it was read."""


def usable(
    state: SweepState, paths: SweepPaths, *, notify: Notify = lambda _: None
) -> tuple[TrialState, Checkpoint]:
    """The trial or confirmed repeat to use, and its checkpoint, verified.

    Where that cannot be read, the best trial of which one can. `notify` receives a sentence for
    each damaged or missing one that would have come before it.
    Raises `NoUsableTrialError`.
    """
    best = winner(state)
    for trial in (best, *(other for other in preference(state) if other is not best)):
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


def settled(paths: SweepPaths, notify: Notify) -> Checkpoint:
    """The best checkpoint of a sweep that may be running.

    Where one was gone, the sweep may have replaced it since its ledger was read, which is no fault:
    then everything is looked at again.
    """
    state = ledger.load(paths.ledger)
    for _ in range(_TRIES):
        problems: list[str] = []
        _, checkpoint = usable(state, paths, notify=problems.append)
        seen = _checkpoints(state)
        state = ledger.load(paths.ledger) if problems else state
        if seen == _checkpoints(state):
            break
    for problem in problems:
        notify(problem)
    return checkpoint


def _checkpoints(state: SweepState) -> dict[str, str | None]:
    trials = (*state.trials.values(), *state.repeats.values())
    return {trial.id: trial.checkpoint for trial in trials}
