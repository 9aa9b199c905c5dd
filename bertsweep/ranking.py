"""Which trial of a sweep is the best, and which come after it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from bertsweep.direction import Direction
from bertsweep.errors import NoUsableTrialError
from bertsweep.ledger import SweepState, TrialState


def ranking(state: SweepState) -> list[TrialState]:
    """Trials with a value, best first; of equals the earlier one.

    A trial that the scheduler stopped, or that failed, is ranked by what it reached before: its
    checkpoint is as good.
    """
    return _ranked(state, state.trials.values())


def best_repeat(
    state: SweepState, finalist: str, *, among: Collection[str] | None = None
) -> TrialState | None:
    """The best repeat of a finalist with a checkpoint on record, of those `among` these ids.

    A refit is none: nothing says how good it is.
    """
    repeats = [
        repeat
        for repeat in state.repeats.values()
        if repeat.repeats == finalist
        and repeat.refit is None
        and repeat.checkpoint is not None
        and (among is None or repeat.id in among)
    ]
    return next(iter(_ranked(state, repeats)), None)


def latest_refit(state: SweepState, finalist: str) -> TrialState | None:
    """The latest refit of a finalist with a checkpoint on record."""
    refits = [one for one in state.repeats.values() if one.repeats == finalist and one.refit]
    return next((one for one in reversed(refits) if one.checkpoint is not None), None)


def _ranked(state: SweepState, trials: Iterable[TrialState]) -> list[TrialState]:
    sign = Direction.of(state.mode).sign
    keyed = [
        (-sign * trial.value, trial.number, trial) for trial in trials if trial.value is not None
    ]
    return [trial for _, _, trial in sorted(keyed, key=lambda item: item[:2])]


def delivered(state: SweepState) -> TrialState | None:
    """The repeat that a confirmation chose, or the refit, where its checkpoint is kept.

    None before a confirmation has ended.
    """
    name = None if state.confirmation is None else state.confirmation.delivered
    repeat = None if name is None else state.repeats[name]
    return repeat if repeat is not None and repeat.checkpoint is not None else None


def winner(state: SweepState) -> TrialState:
    """The trial to use: the repeat that was confirmed, else the best trial of the search whose
    checkpoint the ledger names.

    Raises `NoUsableTrialError`.
    """
    confirmed = delivered(state)
    if confirmed is not None:
        return confirmed
    for trial in ranking(state):
        if trial.checkpoint is not None:
            return trial
    failed = [trial for trial in state.trials.values() if trial.error]
    reason = f" The last error was: {failed[-1].error}" if failed else ""
    raise NoUsableTrialError(
        f"sweep {state.name} has no trial with a checkpoint yet.{reason} "
        f"`bertsweep show {state.name}` lists what each trial did."
    )
