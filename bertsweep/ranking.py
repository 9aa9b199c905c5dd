"""Which trial of a sweep is the best and which come after it; the front of several objectives."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from bertsweep.direction import Direction
from bertsweep.errors import NoUsableTrialError
from bertsweep.ledger import SweepState, TrialState
from bertsweep.pareto import Goal, Pick, Values, front, pick


def ranking(state: SweepState) -> list[TrialState]:
    """Trials with a value, best by the first objective first; of equals the earlier one.

    A trial that the scheduler stopped, or that failed, is ranked by what it reached before: its
    checkpoint is as good.
    """
    return _ranked(state, state.trials.values())


def values_of(goals: Sequence[Goal], trial: TrialState) -> Values | None:
    """A trial's value of every objective, all at the report with its best value of the first.

    That is the one its checkpoint is of. None where one of them has no finite value.
    """
    metrics = trial.best["metrics"] if trial.best else {}
    found = [metrics.get(goal.metric) for goal in goals]
    values = tuple(value for value in found if value is not None)
    return values if len(values) == len(found) else None


def pareto_front(state: SweepState, *, among: Collection[str] | None = None) -> list[TrialState]:
    """The trials that no other beats in every objective, best by the first objective first.

    With `among`, of the trials with these ids. With one objective, those with the best value.
    """
    return [state.trials[name] for name in front(_candidates(state, among), state.goals)]


def picked(state: SweepState) -> Pick | None:
    """The trial of the front that the sweep's rule picks; None before any has all values."""
    candidates = _candidates(state)
    return pick(candidates, state.goals, state.preference) if candidates else None


def preference(state: SweepState) -> list[TrialState]:
    """Trials with a value, the one to use first: `ranking`, with several objectives after the trial
    that the rule picks and the others of the front.
    """
    ranked = ranking(state)
    chosen = picked(state) if len(state.goals) > 1 else None
    if chosen is None:
        return ranked
    first = [state.trials[chosen.name], *pareto_front(state), *ranked]
    return list({trial.id: trial for trial in first}.values())


def _candidates(state: SweepState, among: Collection[str] | None = None) -> dict[str, Values]:
    valued = {
        trial.id: values_of(state.goals, trial)
        for trial in state.trials.values()
        if among is None or trial.id in among
    }
    return {name: values for name, values in valued.items() if values is not None}


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
    checkpoint the ledger names; with several objectives, the one that the rule picks.

    Raises `NoUsableTrialError`.
    """
    confirmed = delivered(state)
    if confirmed is not None:
        return confirmed
    for trial in preference(state):
        if trial.checkpoint is not None:
            return trial
    failed = [trial for trial in state.trials.values() if trial.error]
    reason = f" The last error was: {failed[-1].error}" if failed else ""
    raise NoUsableTrialError(
        f"sweep {state.name} has no trial with a checkpoint yet.{reason} "
        f"`bertsweep show {state.name}` lists what each trial did."
    )
