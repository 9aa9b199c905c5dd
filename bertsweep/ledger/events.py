"""Every kind of event in a sweep's ledger, as one frozen type each; `docs/ledger.md` lists them.

An event says what happened and is never changed. Its `kind` is the name it has in the file, where
it stands under the key `event`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, get_args

from msgspec import Struct, field

Plain = Mapping[str, Any]
"""Values that JSON can hold."""

Metrics = Mapping[str, "float | None"]
"""Metric name → value; None where it was not finite."""

FaultKind = Literal["trial", "environment", "unexpected"]
"""Why a trial failed: by its own parameters, by the machine, or by an error nobody expected."""

FORMAT = 2
"""Version of the file. In 1 a line's checksum covered that line alone."""

RUNNING, FINISHED, STOPPED, FAILED = "running", "finished", "stopped", "failed"
INTERRUPTED = "interrupted"

BASELINE, WARM_START, SAMPLER = "baseline", "warm_start", "sampler"
REPEAT, REFIT = "repeat", "refit"
"""Where a trial's point comes from: its `origin`."""


class Event(Struct, frozen=True, kw_only=True, gc=False, tag_field="event"):
    """Base of all. The ledger fills in `seq`, which counts from 0, and `time`, unix seconds."""

    seq: int = -1
    time: float = 0.0

    @property
    def kind(self) -> str:
        """The name of this kind of event in the file."""
        return str(self.__struct_config__.tag)


class SweepStarted(Event, frozen=True, kw_only=True, gc=False, tag="sweep_started"):
    """The first event: what is searched, on which data, with which encoder and versions.

    `sweep` is the unique id, `name` that of the folder, `spec` the whole specification, `objective`
    {metric, mode, threshold}, with several objectives also `further`, a list of {metric, mode}, and
    `prefer`, the rule that picks a trial; `data` and `encoder` hold their content hashes. Where
    encoders have names, `encoder` has in `named` the facts of each.
    """

    format: int = 1
    sweep: str
    name: str
    objective: Plain
    spec: Plain = field(default_factory=dict)
    base: str = ""
    data: Plain = field(default_factory=dict)
    encoder: Plain = field(default_factory=dict)
    versions: Plain = field(default_factory=dict)

    def encoder_of(self, params: Mapping[str, Any]) -> Plain:
        """Hash, source and sizes of the encoder of a trial with these parameters."""
        named: Mapping[str, Plain] = self.encoder.get("named", {})
        return named.get(str(params.get("encoder")), self.encoder)

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


class SweepResumed(Event, frozen=True, kw_only=True, gc=False, tag="sweep_resumed"):
    """Another command goes on with the sweep.

    `bounds` are new values of keys of `budget`, which replace those before. Earlier versions wrote
    the number of `trials` alone.
    """

    bounds: Plain | None = None
    trials: int | None = None


class SweepEnded(Event, frozen=True, kw_only=True, gc=False, tag="sweep_ended"):
    """The command that wrote the sweep has ended it: finished, failed or interrupted, and why."""

    status: str
    reason: str | None = None


class SweepAlive(Event, frozen=True, kw_only=True, gc=False, tag="sweep_alive"):
    """Nothing happened for a while, and the command that runs the sweep is still there."""


class SweepSteered(Event, frozen=True, kw_only=True, gc=False, tag="sweep_steered"):
    """The running sweep was asked for something: `asked`, with its `kind` and `id`.

    `refused` says why it was not done, None where it was. The kinds are those of
    `bertsweep.steering`.
    """

    asked: Plain
    refused: str | None = None


class ComputeChosen(Event, frozen=True, kw_only=True, gc=False, tag="compute_chosen"):
    """What all trials compute in: {precision, jit} and how that was found."""

    compute: Plain


class TestOpened(Event, frozen=True, kw_only=True, gc=False, tag="test_opened"):
    """The test split is about to be read, by the checkpoint in `path` of the trial `trial`.

    All that the labels follow from was fixed before: `threshold`, `temperature` (None where no
    validation rows could tell one) and the `aim` that the threshold serves, None for the
    checkpoint's own. `baseline` is {trial, path, threshold} of what it is compared with. `again`
    says that the split had been read before.
    """

    trial: str
    path: str
    threshold: float | None = None
    temperature: float | None = None
    aim: str | None = None
    baseline: Plain | None = None
    again: bool = False


class TestScored(Event, frozen=True, kw_only=True, gc=False, tag="test_scored"):
    """What the reading that was opened last came to: an `evaluation.Assessment` as plain values."""

    result: Plain


class ConfirmationStarted(Event, frozen=True, kw_only=True, gc=False, tag="confirmation_started"):
    """The trials in `finalists` (the baseline among them) are to be repeated, once for each seed.

    `splits` are the seeds of the splits of these repeats, null where the split stays; `selection`
    says why these are the finalists, `settings` are those of `confirm` in the search space file.
    """

    finalists: tuple[str, ...]
    seeds: tuple[int, ...]
    splits: tuple[int | None, ...]
    selection: Plain = field(default_factory=dict)
    settings: Plain = field(default_factory=dict)


class ConfirmationEnded(Event, frozen=True, kw_only=True, gc=False, tag="confirmation_ended"):
    """All repeats ended, and a refit: the `outcome`, and `delivered`, the one of them whose
    checkpoint is the one to use; null where none has any.
    """

    outcome: Plain
    delivered: str | None = None


class TrialEvent(Event, frozen=True, kw_only=True, gc=False):
    """Base of the events of one trial."""

    trial: str


class Refit(Struct, frozen=True, kw_only=True, gc=False):
    """How a configuration that was confirmed is trained once more, on training and validation rows.

    Training ends after `epoch` epochs of a schedule that keeps its full length. No row is left to
    score it by: `expected` are the means of the metrics of its repeats, and its threshold follows
    from what the checkpoints of these, `sources` (relative to the sweep's folder), predicted for
    rows that they had not seen.
    """

    epoch: float
    expected: Metrics
    sources: tuple[str, ...]


class TrialProposed(TrialEvent, frozen=True, kw_only=True, gc=False, tag="trial_proposed"):
    """A trial to run: its `point` in the space, and the complete `params` that follow from it.

    `sampler_state` is what the sampler needs again after a resume, where it needs anything. A
    repeat, which confirms a finalist, names that trial in `repeats`; where `split` is a number, it
    is the seed by which training and validation rows are drawn anew from both. A `refit` names the
    confirmed trial in `repeats` too.
    """

    number: int = -1
    point: Mapping[str, Any]
    params: Mapping[str, Any]
    seed: int
    origin: str
    sampler_state: Plain | None = None
    repeats: str | None = None
    split: int | None = None
    refit: Refit | None = None


class TrialStarted(TrialEvent, frozen=True, kw_only=True, gc=False, tag="trial_started"):
    """A worker took the trial: attempt number `attempt`, with that share of the node."""

    attempt: int
    cpus: float = 0.0
    gpus: float = 0.0
    node: str = ""


class TrialReported(TrialEvent, frozen=True, kw_only=True, gc=False, tag="trial_reported"):
    """An evaluation: number of the report, progress in epochs, training rows and seconds so far."""

    report: int
    epoch: float
    examples: int
    seconds: float
    metrics: Metrics
    system: Mapping[str, Any] = field(default_factory=dict)


class LatencyMeasured(TrialEvent, frozen=True, kw_only=True, gc=False, tag="latency_measured"):
    """The trial's worker timed predictions with its parameters, in turns with a reference.

    `cost` is the metric that this is; `milliseconds` what a call of `batch` texts took in `rounds`
    rounds, `ratio` how many times the reference's that is, call by call; `params` and `reference`
    are the parameters of both. The metric is `ratio` times `reference_ms`, which the
    first measurement of the sweep found.
    """

    cost: str
    batch: int
    params: Mapping[str, Any]
    reference: Mapping[str, Any]
    milliseconds: float
    ratio: float
    reference_ms: float
    rounds: int


class CheckpointSaved(TrialEvent, frozen=True, kw_only=True, gc=False, tag="checkpoint_saved"):
    """The trial's best weights so far are in `path`, relative to the sweep's folder.

    `threshold` is the probability from which they predict the positive one of two classes.
    """

    report: int
    path: str
    metrics: Metrics = field(default_factory=dict)
    threshold: float | None = None


class CheckpointRemoved(TrialEvent, frozen=True, kw_only=True, gc=False, tag="checkpoint_removed"):
    """The trial's checkpoint is not among the kept ones any more."""

    path: str


class TrialInterrupted(TrialEvent, frozen=True, kw_only=True, gc=False, tag="trial_interrupted"):
    """The sweep was stopped while the trial ran; a resume goes on with it."""


class TrialEnded(TrialEvent, frozen=True, kw_only=True, gc=False):
    """Base of the three ways in which a trial ends; `status` is what the trial then has."""

    status: ClassVar[str]


class TrialFinished(TrialEnded, frozen=True, kw_only=True, gc=False, tag="trial_finished"):
    """The trial trained all its epochs."""

    status: ClassVar[str] = FINISHED


class TrialStopped(TrialEnded, frozen=True, kw_only=True, gc=False, tag="trial_stopped"):
    """The scheduler stopped the trial early, for `reason`."""

    status: ClassVar[str] = STOPPED
    reason: str | None = None


class TrialFailed(TrialEnded, frozen=True, kw_only=True, gc=False, tag="trial_failed"):
    """The trial failed with `error`; `fault` says whose fault that was."""

    status: ClassVar[str] = FAILED
    error: str
    fault: FaultKind = "trial"


class FinalistDropped(TrialEvent, frozen=True, kw_only=True, gc=False, tag="finalist_dropped"):
    """The trial can no longer win the confirmation, for `reason`, and is repeated no more."""

    reason: str


class Recalled(Event, frozen=True, kw_only=True, gc=False, tag="recalled"):
    """Stands in no file: tells a subscriber that joins late of a sweep, and of each of its trials.

    What became of them is in the snapshots that come with it.
    """


Written = (
    SweepStarted
    | SweepResumed
    | SweepEnded
    | SweepAlive
    | SweepSteered
    | ComputeChosen
    | TestOpened
    | TestScored
    | ConfirmationStarted
    | ConfirmationEnded
    | TrialProposed
    | TrialStarted
    | TrialReported
    | LatencyMeasured
    | CheckpointSaved
    | CheckpointRemoved
    | TrialInterrupted
    | TrialFinished
    | TrialStopped
    | TrialFailed
    | FinalistDropped
)
"""Every event that a ledger may hold."""

KINDS: Mapping[str, type[Event]] = {
    str(one.__struct_config__.tag): one for one in get_args(Written)
}
"""Name in the file → type."""
