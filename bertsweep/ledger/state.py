"""What the events of a sweep add up to: its trials, their reports, and how they ended.

This is the only fold of the events. Whoever follows a sweep receives each event together with
frozen snapshots of what it led to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import FrozenInstanceError, dataclass, field, fields
from typing import Any

from bertsweep.budget import Bounds
from bertsweep.direction import Direction
from bertsweep.ledger.events import (
    BASELINE,
    FAILED,
    FINISHED,
    RUNNING,
    STOPPED,
    Event,
    FaultKind,
    Plain,
    Refit,
    SweepStarted,
    TestOpened,
)
from bertsweep.ledger.reports import Report, Reports
from bertsweep.pareto import Goal, Preference


@dataclass(slots=True)
class TrialState:
    """One trial as its events tell it.

    `value` is the best objective value and `best_at` the index of its report, None before there is
    one. `started` is when the running attempt began (unix seconds, None between attempts), `spent`
    the seconds of the earlier ones. `checkpoint` is relative to the sweep's folder, and None where
    it is not kept any more, which `last_checkpoint` still names; `threshold` is the probability
    from which it predicts the positive one of two classes. A repeat names the trial that it
    `repeats`, and the seed of its `split` where it has one of its own; a `refit` names it too. No
    row is left to score a refit by, so it has no `value`.
    """

    id: str
    number: int
    point: dict[str, Any]
    params: dict[str, Any]
    seed: int
    origin: str
    status: str = RUNNING
    reports: Reports = field(default_factory=Reports)
    attempts: int = 0
    cpus: float = 0.0
    gpus: float = 0.0
    value: float | None = None
    best_at: int | None = None
    error: str | None = None
    fault: FaultKind | None = None
    reason: str | None = None
    checkpoint: str | None = None
    last_checkpoint: str | None = None
    checkpoint_report: int | None = None
    threshold: float | None = None
    sampler_state: Plain | None = None
    repeats: str | None = None
    split: int | None = None
    refit: Refit | None = None
    proposed: float = 0.0
    started: float | None = None
    spent: float = 0.0

    @property
    def ended(self) -> bool:
        return self.status in (FINISHED, STOPPED, FAILED)

    @property
    def retryable(self) -> bool:
        """Whether it failed through no fault of its own, so that a resume runs it again."""
        return self.status == FAILED and self.fault in ("environment", "unexpected")

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

    @property
    def last(self) -> Report | None:
        """The latest report."""
        return self.reports[-1] if self.reports else None

    def elapsed(self, now: float) -> float:
        """Seconds that the trial has had by `now` (unix seconds), over all attempts."""
        return self.spent + (max(0.0, now - self.started) if self.started is not None else 0.0)


class TrialSnapshot(TrialState):
    """A `TrialState` of one moment, which no later event changes."""

    __slots__ = ()

    @classmethod
    def of(cls, trial: TrialState) -> TrialSnapshot:
        made = cls.__new__(cls)
        for name in _TRIAL_FIELDS:
            object.__setattr__(made, name, getattr(trial, name))
        object.__setattr__(made, "reports", trial.reports.snapshot())
        return made

    def __setattr__(self, name: str, value: object) -> None:
        raise FrozenInstanceError(f"a snapshot cannot be changed, but {name} was set")


_TRIAL_FIELDS = tuple(f.name for f in fields(TrialState))


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of the test split: the `number`-th, by what was `opened`, and its `result`.

    The result is None where the command was killed on the way, and the reading is to be completed.
    """

    opened: TestOpened
    number: int
    result: Plain | None = None


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Finalists that are repeated with fresh seeds, and what came of it.

    `finalists` are trial ids, the baseline among them, `seeds` and `splits` what each repeat runs
    with, `selection` why they are the finalists, `settings` how that was asked for. `dropped` says
    of those that can no longer win why. `outcome` is None until all repeats and a refit have ended,
    `delivered` the id of the one of them whose checkpoint is the one to use.
    """

    finalists: tuple[str, ...]
    seeds: tuple[int, ...]
    splits: tuple[int | None, ...]
    selection: Plain
    settings: Plain = field(default_factory=dict)
    dropped: Mapping[str, str] = field(default_factory=dict)
    outcome: Plain | None = None
    delivered: str | None = None

    def planned(self) -> int:
        """How many repeats there are, unless finalists are dropped."""
        return len(self.finalists) * len(self.seeds)


@dataclass(frozen=True, slots=True)
class SweepSnapshot:
    """A sweep of one moment.

    `bounds` is how much it may use, `statuses` how many stand at each status, `session_began` when
    the running command began (unix seconds) and `earlier_seconds` how long earlier ones searched.
    `best` is the trial with the best value so far. `confirmation` is None before it began.
    """

    started: SweepStarted
    status: str
    reason: str | None
    compute: Plain | None
    bounds: Bounds
    statuses: dict[str, int]
    session_began: float
    earlier_seconds: float
    best: TrialSnapshot | None
    baseline: TrialSnapshot | None
    confirmation: Confirmation | None = None

    @property
    def name(self) -> str:
        return self.started.name

    @property
    def uid(self) -> str:
        return self.started.sweep

    @property
    def metric(self) -> str:
        return str(self.started.objective["metric"])

    @property
    def mode(self) -> str:
        return str(self.started.objective["mode"])


@dataclass(slots=True)
class SweepState:
    """A sweep as its ledger tells it.

    `compute` is what all trials compute in (`precision`, `jit`, how that was found), None before
    the first report. `session_began` and `last_event` are the times of the running command's first
    event and of the latest one, `earlier_seconds` how long earlier commands wrote the ledger. The
    same with `search` count trials of the search alone, and not their confirmation.
    `repeats` are the repeats of finalists, and refits, by their id; they are no trials of the
    search.
    """

    started: SweepStarted
    metric: str
    mode: str
    sign: float
    """1 or -1: a value times this is larger the better it is."""
    trials: dict[str, TrialState] = field(default_factory=dict)
    status: str = RUNNING
    reason: str | None = None
    compute: Plain | None = None
    bounds: Bounds = field(default_factory=Bounds)
    session_began: float = 0.0
    last_event: float = 0.0
    earlier_seconds: float = 0.0
    last_search_event: float = 0.0
    earlier_search_seconds: float = 0.0
    leader: str | None = None
    """Id of the trial with the best value, the earlier of equals."""
    statuses: dict[str, int] = field(default_factory=dict)
    tests: list[Reading] = field(default_factory=list)
    """Every reading of the test split, in order."""
    repeats: dict[str, TrialState] = field(default_factory=dict)
    confirmation: Confirmation | None = None
    steered: dict[str, str | None] = field(default_factory=dict)
    """Request → why it was refused, None where it was not."""
    to_stop: set[str] = field(default_factory=set)
    """Trials that somebody asked to stop."""
    added: list[dict[str, Any]] = field(default_factory=list)
    """Points that somebody asked for."""
    concurrent: int | None = None
    """At most so many trials run at once in this session, where somebody asked for that."""

    def trial(self, name: str) -> TrialState:
        """The trial or repeat of this id. Raises `KeyError`."""
        return self.trials[name] if name in self.trials else self.repeats[name]

    @property
    def name(self) -> str:
        return self.started.name

    @property
    def uid(self) -> str:
        return self.started.sweep

    @property
    def goals(self) -> tuple[Goal, ...]:
        """The objectives, the one that trials are ranked by first."""
        return goals_of(self.started)

    @property
    def preference(self) -> Preference:
        """The rule that picks one trial where there are several objectives."""
        return preference_of(self.started)

    @property
    def test(self) -> Reading | None:
        """The last reading of the test split that has a result."""
        return next((one for one in reversed(self.tests) if one.result is not None), None)

    @property
    def active_seconds(self) -> float:
        """For how long commands have written this sweep, pauses between them left out."""
        return self.earlier_seconds + max(0.0, self.last_event - self.session_began)

    @property
    def search_seconds(self) -> float:
        """For how long commands have searched."""
        return self.earlier_search_seconds + max(0.0, self.last_search_event - self.session_began)

    @property
    def baseline(self) -> TrialState | None:
        """The trial that ran the baseline configuration: the first, whatever became of it."""
        first = next(iter(self.trials.values()), None)
        if first is not None and first.origin == BASELINE:
            return first
        return next((t for t in self.trials.values() if t.origin == BASELINE), None)

    def snapshot(self) -> SweepSnapshot:
        """How the sweep stands now."""
        best = self.trials[self.leader] if self.leader is not None else None
        baseline = self.baseline
        return SweepSnapshot(
            started=self.started,
            status=self.status,
            reason=self.reason,
            compute=self.compute,
            bounds=self.bounds,
            statuses=dict(self.statuses),
            session_began=self.session_began,
            earlier_seconds=self.earlier_search_seconds,
            best=None if best is None else TrialSnapshot.of(best),
            baseline=None if baseline is None else TrialSnapshot.of(baseline),
            confirmation=self.confirmation,
        )


def goals_of(started: SweepStarted) -> tuple[Goal, ...]:
    """The objectives of a sweep, the one that trials are ranked by first."""
    first = started.objective
    return tuple(
        Goal(str(one["metric"]), Direction.of(str(one["mode"])))
        for one in (first, *first.get("further", ()))
    )


def preference_of(started: SweepStarted) -> Preference:
    """The rule that picks one trial where there are several objectives."""
    return Preference.of_plain(started.objective.get("prefer", "best_first"))


@dataclass(frozen=True, slots=True)
class Update:
    """What a subscriber receives: an event, and what sweep and trial came to with it.

    `trial` is None for events of the sweep as a whole.
    """

    event: Event
    sweep: SweepSnapshot
    trial: TrialSnapshot | None
