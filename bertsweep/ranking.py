"""Which trial of a sweep is the best, and which come after it."""

from __future__ import annotations

from bertsweep.direction import Direction
from bertsweep.errors import NoUsableTrialError
from bertsweep.ledger import SweepState, TrialState


def ranking(state: SweepState) -> list[TrialState]:
    """Trials with a value, best first; of equals the earlier one.

    A trial that the scheduler stopped, or that failed, is ranked by what it reached before: its
    checkpoint is as good.
    """
    sign = Direction.of(state.mode).sign
    keyed = [
        (-sign * trial.value, trial.number, trial)
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
