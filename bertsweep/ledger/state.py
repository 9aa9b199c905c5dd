"""What the events of a sweep add up to: its trials, their reports, and how they ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bertsweep.errors import LedgerError
from bertsweep.ledger.lines import Event
from bertsweep.ledger.reports import Report, Reports

RUNNING, FINISHED, STOPPED, FAILED = "running", "finished", "stopped", "failed"
INTERRUPTED = "interrupted"

BASELINE, WARM_START, SAMPLER = "baseline", "warm_start", "sampler"
"""Where a trial's point comes from: its `origin`."""

_ENDS = {"trial_finished": FINISHED, "trial_stopped": STOPPED, "trial_failed": FAILED}


@dataclass(slots=True)
class TrialState:
    """One trial as its events tell it.

    `value` is the best objective value, None before there is one. `threshold` is that of its last
    checkpoint, None before there is one and with more than two classes.
    """

    id: str
    point: dict[str, Any]
    params: dict[str, Any]
    seed: int
    origin: str
    status: str = RUNNING
    reports: Reports = field(default_factory=Reports)
    attempts: int = 0
    gpus: float = 0.0
    value: float | None = None
    best_at: int | None = None
    error: str | None = None
    reason: str | None = None
    checkpoint: str | None = None
    checkpoint_report: int | None = None
    threshold: float | None = None
    proposed: float = 0.0

    @property
    def ended(self) -> bool:
        return self.status in (FINISHED, STOPPED, FAILED)

    @property
    def seconds(self) -> float:
        """Time spent in the trial over all attempts, as last reported."""
        return float(self.reports[-1]["seconds"]) if self.reports else 0.0

    @property
    def gpu_hours(self) -> float:
        return self.seconds * self.gpus / 3600

    @property
    def best(self) -> Report | None:
        """The report with the best objective value, the earlier of equals."""
        return None if self.best_at is None else self.reports[self.best_at]


@dataclass
class SweepState:
    """A sweep as its ledger tells it.

    `compute` is what all trials compute in (`precision`, `jit`, how that was found), None before
    the first report.
    """

    started: Event
    trials: dict[str, TrialState] = field(default_factory=dict)
    status: str = RUNNING
    reason: str | None = None
    compute: Event | None = None

    @property
    def name(self) -> str:
        return str(self.started["name"])

    @property
    def uid(self) -> str:
        return str(self.started["sweep"])

    @cached_property
    def metric(self) -> str:
        return str(self.started["objective"]["metric"])

    @cached_property
    def mode(self) -> str:
        return str(self.started["objective"]["mode"])

    @property
    def threshold_rule(self) -> float | str | None:
        """How thresholds were set; None with more than two classes.

        None also for a sweep that began before sweeps recorded it.
        """
        rule: float | str | None = self.started["objective"].get("threshold")
        return rule

    @property
    def positive(self) -> Any:
        """The label of the positive class, the second of two; None with more than two."""
        labels = self.started["data"]["labels"]
        return labels[1] if len(labels) == 2 else None


def fold(events: Iterable[Event]) -> SweepState:
    """The state that the events add up to. Raises `LedgerError` when they do not begin a sweep."""
    state, _ = accumulate(events)
    if state is None:
        raise LedgerError("the ledger holds no event; the sweep ended before it began")
    return state


def accumulate(events: Iterable[Event]) -> tuple[SweepState | None, int]:
    """The state that the events add up to, None where there is none, and their number."""
    state: SweepState | None = None
    count = 0
    for event in events:
        state = apply(state, event)
        count += 1
    return state, count


def apply(state: SweepState | None, event: Event) -> SweepState:
    """The state after one more event: the same object, but for the event that begins a sweep."""
    kind = event["event"]
    if kind == "sweep_started":
        return SweepState(started=event)
    if state is None:
        raise LedgerError(f"a ledger begins with sweep_started, but got {kind}")
    change = _CHANGES.get(kind)
    if change is not None:
        change(state, event)
    return state


def _resumed(state: SweepState, event: Event) -> None:
    state.status, state.reason = RUNNING, None


def _ended(state: SweepState, event: Event) -> None:
    state.status, state.reason = event["status"], event.get("reason")


def _compute_chosen(state: SweepState, event: Event) -> None:
    state.compute = event["compute"]


def _trial_proposed(state: SweepState, event: Event) -> None:
    state.trials[event["trial"]] = TrialState(
        id=event["trial"],
        point=event["point"],
        params=event["params"],
        seed=event["seed"],
        origin=event["origin"],
        proposed=event["time"],
    )


def _trial_started(state: SweepState, event: Event) -> None:
    trial = state.trials[event["trial"]]
    trial.status = RUNNING
    trial.attempts, trial.gpus = event["attempt"], event["gpus"]


def _trial_reported(state: SweepState, event: Event) -> None:
    trial = state.trials[event["trial"]]
    trial.reports.append(event)
    value, best = event["metrics"].get(state.metric), trial.value
    if value is None:
        return
    if best is None or (value > best if state.mode == "max" else value < best):
        trial.value, trial.best_at = float(value), len(trial.reports) - 1


def _checkpoint_saved(state: SweepState, event: Event) -> None:
    trial = state.trials[event["trial"]]
    trial.checkpoint, trial.checkpoint_report = event["path"], event["report"]
    trial.threshold = event.get("threshold")


def _checkpoint_removed(state: SweepState, event: Event) -> None:
    state.trials[event["trial"]].checkpoint = None


def _trial_interrupted(state: SweepState, event: Event) -> None:
    state.trials[event["trial"]].status = INTERRUPTED


def _trial_ended(state: SweepState, event: Event) -> None:
    trial = state.trials[event["trial"]]
    trial.status = _ENDS[event["event"]]
    trial.error, trial.reason = event.get("error"), event.get("reason")


_CHANGES: dict[str, Callable[[SweepState, Event], None]] = {
    "sweep_resumed": _resumed,
    "sweep_ended": _ended,
    "compute_chosen": _compute_chosen,
    "trial_proposed": _trial_proposed,
    "trial_started": _trial_started,
    "trial_reported": _trial_reported,
    "checkpoint_saved": _checkpoint_saved,
    "checkpoint_removed": _checkpoint_removed,
    "trial_interrupted": _trial_interrupted,
    **dict.fromkeys(_ENDS, _trial_ended),
}
"""What each kind of event changes; one of another kind changes nothing."""
