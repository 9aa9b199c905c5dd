"""Every kind of event in a sweep's ledger, as one frozen type each; `docs/ledger.md` lists them.

An event says what happened and is never changed. Its `kind` is the name it has in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal

from bertsweep.errors import LedgerError

Plain = Mapping[str, Any]
"""Values that JSON can hold."""

Metrics = Mapping[str, "float | None"]
"""Metric name → value; None where it was not finite."""

Fault = Literal["trial", "environment", "unexpected"]
"""Why a trial failed: by its own parameters, by the machine, or by an error nobody expected."""

FORMAT = 2
"""Version of the file. In 1 a line's checksum covered that line alone."""

RUNNING, FINISHED, STOPPED, FAILED = "running", "finished", "stopped", "failed"
INTERRUPTED = "interrupted"

BASELINE, WARM_START, SAMPLER = "baseline", "warm_start", "sampler"
"""Where a trial's point comes from: its `origin`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all. The ledger fills in `seq`, which counts from 0, and `time`, unix seconds."""

    kind: ClassVar[str]
    seq: int = -1
    time: float = 0.0

    def to_plain(self) -> dict[str, Any]:
        """The event as the file holds it: its number, time and kind first."""
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _STAMPED}
        return {"seq": self.seq, "time": self.time, "event": self.kind, **own}


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepStarted(Event):
    """The first event: what is searched, on which data, with which encoder and versions.

    `sweep` is the unique id, `name` that of the folder, `spec` the whole specification, `objective`
    {metric, mode, threshold}; `data` and `encoder` hold their content hashes.
    """

    kind = "sweep_started"
    format: int = 1
    sweep: str
    name: str
    objective: Plain
    spec: Plain = field(default_factory=dict)
    base: str = ""
    data: Plain = field(default_factory=dict)
    encoder: Plain = field(default_factory=dict)
    versions: Plain = field(default_factory=dict)

    @property
    def positive(self) -> Any:
        """The label of the positive class, the second of two; None with more than two."""
        labels = self.data.get("labels", ())
        return labels[1] if len(labels) == 2 else None

    @property
    def threshold_rule(self) -> float | str | None:
        """How thresholds are set, as `metrics.threshold_rule` returns it.

        None with more than two classes, and where the sweep began before this was recorded.
        """
        rule: float | str | None = self.objective.get("threshold")
        return rule


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepResumed(Event):
    """Another command goes on with the sweep, up to `trials` trials in all."""

    kind = "sweep_resumed"
    trials: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepEnded(Event):
    """The command that wrote the sweep has ended it: finished, failed or interrupted, and why."""

    kind = "sweep_ended"
    status: str
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeChosen(Event):
    """What all trials compute in: {precision, jit} and how that was found."""

    kind = "compute_chosen"
    compute: Plain


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialEvent(Event):
    """Base of the events of one trial."""

    trial: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialProposed(TrialEvent):
    """A trial to run: its `point` in the space, and the complete `params` that follow from it.

    `sampler_state` is what the sampler needs again after a resume, where it needs anything.
    """

    kind = "trial_proposed"
    number: int = -1
    point: Mapping[str, Any]
    params: Mapping[str, Any]
    seed: int
    origin: str
    sampler_state: Plain | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialStarted(TrialEvent):
    """A worker took the trial: attempt number `attempt`, with that share of the node."""

    kind = "trial_started"
    attempt: int
    cpus: float = 0.0
    gpus: float = 0.0
    node: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialReported(TrialEvent):
    """An evaluation: number of the report, progress in epochs, training rows and seconds so far."""

    kind = "trial_reported"
    report: int
    epoch: float
    examples: int
    seconds: float
    metrics: Metrics
    system: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointSaved(TrialEvent):
    """The trial's best weights so far are in `path`, relative to the sweep's folder.

    `threshold` is the probability from which they predict the positive one of two classes.
    """

    kind = "checkpoint_saved"
    report: int
    path: str
    metrics: Metrics = field(default_factory=dict)
    threshold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointRemoved(TrialEvent):
    """The trial's checkpoint is not among the kept ones any more."""

    kind = "checkpoint_removed"
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialInterrupted(TrialEvent):
    """The sweep was stopped while the trial ran; a resume goes on with it."""

    kind = "trial_interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialEnded(TrialEvent):
    """Base of the three ways in which a trial ends; `status` is what the trial then has."""

    status: ClassVar[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFinished(TrialEnded):
    """The trial trained all its epochs."""

    kind = "trial_finished"
    status = FINISHED


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialStopped(TrialEnded):
    """The scheduler stopped the trial early, for `reason`."""

    kind = "trial_stopped"
    status = STOPPED
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFailed(TrialEnded):
    """The trial failed with `error`; `fault` says whose fault that was."""

    kind = "trial_failed"
    status = FAILED
    error: str
    fault: Fault = "trial"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled(Event):
    """Stands in no file: tells a subscriber that joins late of a sweep, and of each of its trials.

    What became of them is in the snapshots that come with it.
    """

    kind = "recalled"


_STAMPED = ("seq", "time")

KINDS: Mapping[str, type[Event]] = {
    one.kind: one
    for one in (
        SweepStarted,
        SweepResumed,
        SweepEnded,
        ComputeChosen,
        TrialProposed,
        TrialStarted,
        TrialReported,
        CheckpointSaved,
        CheckpointRemoved,
        TrialInterrupted,
        TrialFinished,
        TrialStopped,
        TrialFailed,
    )
}
"""Name in the file → type, for every event that a ledger may hold."""


def from_plain(plain: dict[str, Any]) -> Event:
    """The event that a line of the file stands for; `plain` is used up.

    Fields of a later version are left out. Raises `LedgerError` for a kind that is not known or a
    field that is missing.
    """
    kind = plain.pop("event", None)
    known = KINDS.get(kind) if isinstance(kind, str) else None
    if known is None:
        raise LedgerError(f"no event is called {kind!r}")
    try:
        return known(**plain)
    except TypeError:
        names = {f.name for f in fields(known)}
    try:
        return known(**{name: value for name, value in plain.items() if name in names})
    except TypeError as error:
        raise LedgerError(f"{kind} is incomplete ({error})") from error
