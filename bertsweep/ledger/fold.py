"""Events → `SweepState`: what each kind of event changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from bertsweep.budget import Bounds
from bertsweep.direction import Direction
from bertsweep.errors import LedgerError
from bertsweep.ledger.events import (
    INTERRUPTED,
    RUNNING,
    CheckpointRemoved,
    CheckpointSaved,
    ComputeChosen,
    ConfirmationEnded,
    ConfirmationStarted,
    Event,
    FinalistDropped,
    LatencyMeasured,
    SweepAlive,
    SweepEnded,
    SweepResumed,
    SweepStarted,
    SweepSteered,
    TestOpened,
    TestScored,
    TrialEnded,
    TrialEvent,
    TrialFailed,
    TrialFinished,
    TrialInterrupted,
    TrialProposed,
    TrialReported,
    TrialStarted,
    TrialStopped,
)
from bertsweep.ledger.state import Confirmation, Reading, SweepState, TrialState

_AFTERWARDS = (TestOpened, TestScored)
"""Events that may come days after the sweep and are no part of the time that it took."""

EMPTY = "the ledger holds no event; the sweep ended before it began"


def fold(events: Iterable[Event]) -> SweepState:
    """The state that the events add up to. Raises `LedgerError` when they do not begin a sweep."""
    state: SweepState | None = None
    for event in events:
        state = apply(state, event)
    if state is None:
        raise LedgerError(EMPTY)
    return state


def apply(state: SweepState | None, event: Event) -> SweepState:
    """The state after one more event: the same object, but for the event that begins a sweep.

    Raises `LedgerError` for an event that cannot follow.
    """
    kind = type(event)
    if isinstance(event, SweepStarted):
        return _begun(event)
    if state is None:
        raise LedgerError(f"a ledger begins with sweep_started, but got {event.kind}")
    if isinstance(event, TrialEvent):
        trial = state.trials.get(event.trial) or state.repeats.get(event.trial)
        if trial is None or kind is TrialProposed:
            trial = _new_trial(state, event)
        _TRIAL_CHANGES[kind](state, trial, event)
        if trial.repeats is None:
            state.last_search_event = event.time
    else:
        _SWEEP_CHANGES[kind](state, event)
    if not isinstance(event, _AFTERWARDS):
        state.last_event = event.time
    return state


def _begun(event: SweepStarted) -> SweepState:
    return SweepState(
        started=event,
        metric=str(event.objective["metric"]),
        mode=str(event.objective["mode"]),
        sign=Direction.of(str(event.objective["mode"])).sign,
        bounds=Bounds.of(event.spec.get("budget") or {}),
        session_began=event.time,
        last_event=event.time,
        last_search_event=event.time,
    )


def _new_trial(state: SweepState, event: TrialEvent) -> TrialState:
    if not isinstance(event, TrialProposed):
        raise LedgerError(
            f"event {event.seq} ({event.kind}) is of {event.trial}, which was never proposed"
        )
    if event.trial in state.trials or event.trial in state.repeats:
        raise LedgerError(f"event {event.seq} proposes {event.trial} a second time")
    kin = state.trials if event.repeats is None else state.repeats
    trial = kin[event.trial] = TrialState(
        id=event.trial,
        number=event.number if event.number >= 0 else len(kin),
        point=dict(event.point),
        params=dict(event.params),
        seed=event.seed,
        origin=event.origin,
        sampler_state=event.sampler_state,
        repeats=event.repeats,
        split=event.split,
        refit=event.refit,
        proposed=event.time,
    )
    return trial


def _set_status(state: SweepState, trial: TrialState, status: str) -> None:
    if trial.repeats is None:
        state.statuses[trial.status] -= 1
        state.statuses[status] = state.statuses.get(status, 0) + 1
    trial.status = status


def _pause(trial: TrialState, now: float) -> None:
    trial.spent, trial.started = trial.elapsed(now), None


def _resumed(state: SweepState, event: SweepResumed) -> None:
    state.earlier_seconds = state.active_seconds
    state.earlier_search_seconds = state.search_seconds
    state.status, state.reason = RUNNING, None
    changed = {"trials": event.trials} if event.trials is not None else {}
    state.bounds = state.bounds.changed({**changed, **(event.bounds or {})})
    state.session_began = event.time
    state.concurrent = None
    for trial in (*state.trials.values(), *state.repeats.values()):
        # A command that was killed has written no end of what ran under it.
        if trial.status == RUNNING:
            trial.spent, trial.started = trial.seconds, None
            _set_status(state, trial, INTERRUPTED)


def _ended(state: SweepState, event: SweepEnded) -> None:
    state.status, state.reason = event.status, event.reason


def _compute_chosen(state: SweepState, event: ComputeChosen) -> None:
    state.compute = event.compute


def _test_opened(state: SweepState, event: TestOpened) -> None:
    state.tests.append(Reading(event, number=len(state.tests) + 1))


def _test_scored(state: SweepState, event: TestScored) -> None:
    reading = state.tests[-1] if state.tests else None
    if reading is None or reading.result is not None:
        raise LedgerError(f"event {event.seq} scores a test split that was not opened")
    state.tests[-1] = replace(reading, result=event.result)


def _confirmation_started(state: SweepState, event: ConfirmationStarted) -> None:
    state.confirmation = Confirmation(
        finalists=event.finalists,
        seeds=event.seeds,
        splits=event.splits,
        selection=event.selection,
        settings=event.settings,
    )


def _confirmation_ended(state: SweepState, event: ConfirmationEnded) -> None:
    if state.confirmation is None:
        raise LedgerError(f"event {event.seq} ends a confirmation that never began")
    state.confirmation = replace(
        state.confirmation, outcome=event.outcome, delivered=event.delivered
    )


def _finalist_dropped(state: SweepState, trial: TrialState, event: FinalistDropped) -> None:
    if state.confirmation is None:
        raise LedgerError(f"event {event.seq} drops a finalist of no confirmation")
    dropped = {**state.confirmation.dropped, trial.id: event.reason}
    state.confirmation = replace(state.confirmation, dropped=dropped)


def _proposed(state: SweepState, trial: TrialState, event: TrialProposed) -> None:
    if trial.repeats is not None:
        return
    state.statuses[RUNNING] = state.statuses.get(RUNNING, 0) + 1
    # It was about fewer trials; what was repeated counts in the next one.
    state.confirmation = None


def _started(state: SweepState, trial: TrialState, event: TrialStarted) -> None:
    _pause(trial, event.time)
    _set_status(state, trial, RUNNING)
    trial.attempts, trial.cpus, trial.gpus = event.attempt, event.cpus, event.gpus
    trial.started = event.time
    trial.error = trial.fault = trial.reason = None


def _reported(state: SweepState, trial: TrialState, event: TrialReported) -> None:
    trial.reports.append(event)
    value = event.metrics.get(state.metric)
    if value is None:
        return
    sign, best = state.sign, trial.value
    if best is None or sign * value > sign * best:
        trial.value, trial.best_at = float(value), len(trial.reports) - 1
        if trial.repeats is not None:
            return
        leader = None if state.leader is None else state.trials[state.leader]
        if leader is None or leader.value is None or _leads(trial, leader, sign):
            state.leader = trial.id


def _measured(state: SweepState, trial: TrialState, event: LatencyMeasured) -> None:
    """Nothing: the reports have the number, this line how it was found."""


def _leads(trial: TrialState, leader: TrialState, sign: float) -> bool:
    ahead = sign * (trial.value or 0.0) - sign * (leader.value or 0.0)
    return ahead > 0 or (ahead == 0 and trial.number < leader.number)


def _checkpoint_saved(state: SweepState, trial: TrialState, event: CheckpointSaved) -> None:
    trial.checkpoint = trial.last_checkpoint = event.path
    trial.checkpoint_report = event.report
    trial.threshold = event.threshold


def _checkpoint_removed(state: SweepState, trial: TrialState, event: CheckpointRemoved) -> None:
    trial.checkpoint = None


def _interrupted(state: SweepState, trial: TrialState, event: TrialInterrupted) -> None:
    _pause(trial, event.time)
    _set_status(state, trial, INTERRUPTED)


def _trial_ended(state: SweepState, trial: TrialState, event: TrialEnded) -> None:
    _pause(trial, event.time)
    _set_status(state, trial, event.status)
    if isinstance(event, TrialFailed):
        trial.error, trial.fault = event.error, event.fault
    elif isinstance(event, TrialStopped):
        trial.reason = event.reason


def _alive(state: SweepState, event: SweepAlive) -> None:
    """Nothing but that there is a last event."""


def _steered(state: SweepState, event: SweepSteered) -> None:
    asked = event.asked
    state.steered[str(asked.get("id"))] = event.refused
    if event.refused is not None:
        return
    if asked["kind"] == "stop_trial":
        state.to_stop.add(str(asked["trial"]))
    elif asked["kind"] == "add_point":
        state.added.append(dict(asked["point"]))
    elif asked["kind"] == "set_bounds":
        state.bounds = state.bounds.changed(asked["bounds"])
    elif asked["kind"] == "set_concurrent":
        state.concurrent = int(asked["concurrent"])


_SWEEP_CHANGES: dict[type[Event], Callable[[SweepState, Any], None]] = {
    SweepResumed: _resumed,
    SweepAlive: _alive,
    SweepSteered: _steered,
    SweepEnded: _ended,
    ComputeChosen: _compute_chosen,
    TestOpened: _test_opened,
    TestScored: _test_scored,
    ConfirmationStarted: _confirmation_started,
    ConfirmationEnded: _confirmation_ended,
}
_TRIAL_CHANGES: dict[type[Event], Callable[[SweepState, TrialState, Any], None]] = {
    TrialProposed: _proposed,
    TrialStarted: _started,
    TrialReported: _reported,
    LatencyMeasured: _measured,
    CheckpointSaved: _checkpoint_saved,
    CheckpointRemoved: _checkpoint_removed,
    TrialInterrupted: _interrupted,
    TrialFinished: _trial_ended,
    TrialStopped: _trial_ended,
    TrialFailed: _trial_ended,
    FinalistDropped: _finalist_dropped,
}
