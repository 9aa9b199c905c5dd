"""Decides a sweep: what runs next, what stops, what is kept. The ledger has every decision."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bertsweep.direction import Direction
from bertsweep.ledger import BASELINE, FAILED, INTERRUPTED, RUNNING, Ledger, TrialState
from bertsweep.ledger.events import (
    CheckpointSaved,
    ComputeChosen,
    FaultKind,
    TrialEnded,
    TrialFailed,
    TrialFinished,
    TrialProposed,
    TrialReported,
    TrialStarted,
    TrialStopped,
)
from bertsweep.search.stopping import StoppingRule
from bertsweep.search.study import Study
from bertsweep.spec import SweepSpec
from bertsweep.sweep.retention import Retention
from bertsweep.trial import trainable
from bertsweep.trial.job import TrialJob

EQUAL_FAULTS = 3
"""When this many trials in a row fail alike, and not by their own fault, the next would too."""

HOPELESS = 5
"""When the baseline and this many trials, all there were, failed by their own fault, it is the
space or the data."""


@dataclass
class _Flight:
    """A trial that is running: what the ledger does not hold of it yet."""

    stop: str | None = None
    failure: str | None = None
    finished: bool = False


@dataclass
class SweepConductor:
    """The one place where Ray's events, the study, the stopping rule and the ledger meet.

    `resumable` are trials of an interrupted run that go on before anything new is proposed.
    `stop_requested` says whether the user wants the sweep to stop. `trials` is the budget; trials
    that failed through no fault of their own do not count against it.
    """

    spec: SweepSpec
    job: TrialJob
    ledger: Ledger
    study: Study
    rule: StoppingRule
    retention: Retention
    stop_requested: Callable[[], bool]
    trials: int
    resumable: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.broken: str | None = None
        """Why the sweep cannot go on here, once it cannot."""
        self.all_tried = False
        """Whether the space has no point left that was not tried."""
        self._flights: dict[str, _Flight] = {}
        self._ended: list[str] = []
        self._faults: list[str] = []
        self._sign = Direction.of(self.job.mode).sign
        hours = self.spec.budget.hours
        left = None if hours is None else 3600 * hours - self.ledger.state.active_seconds
        self._deadline = None if left is None else time.monotonic() + left

    def refill(self) -> None:
        """Tells study and rule of every trial in the ledger; unfinished ones are to go on.

        One that the rule stops at its last report does not: its command died before it wrote that.
        """
        self.retention.tidy()
        open_trials = []
        for trial in self.ledger.state.trials.values():
            values = {r: value for r, _, value in trial.reports.curve(self.job.metric)}
            state = trial.sampler_state
            if trial.ended and not trial.retryable:
                self.study.refill(
                    trial.number,
                    trial.point,
                    status=trial.status,
                    values=values,
                    sampler_state=state,
                )
                self._observe(trial)
                continue
            self.study.reopen(trial.number, trial.point, sampler_state=state)
            for report, value in values.items():
                self.study.report(trial.number, report, value)
            open_trials.append(trial)
        for trial in open_trials:  # last, as the rule judges them by all the others
            reason = self._observe(trial)
            if reason is not None and not trial.retryable:
                self._end(TrialStopped(trial=trial.id, reason=reason))
            else:
                self.resumable.append(trial.id)

    @property
    def unfinished(self) -> list[str]:
        """Trials that were proposed and have not ended."""
        return [t.id for t in self.ledger.state.trials.values() if not t.ended]

    @property
    def hopeless(self) -> bool:
        """Whether all trials of this session failed, the baseline and enough others among them."""
        trials = self.ledger.state.trials
        baseline = self.ledger.state.baseline
        return (
            len(self._ended) >= HOPELESS
            and baseline is not None
            and baseline.ended
            and all(trials[name].status == FAILED for name in self._ended)
        )

    def interrupted(self) -> bool:
        """Whether everything is to stop now."""
        return self.broken is not None or self.stop_requested()

    def exhausted(self) -> bool:
        """Whether no trial is running or waiting whose end could make room for another one."""
        statuses = self.ledger.state.statuses
        return self._over() or not (statuses.get(RUNNING) or statuses.get(INTERRUPTED))

    def propose(self) -> Mapping[str, Any] | None:
        if self._over():
            return None
        if self.resumable:
            return self._config(self.resumable.pop(0))
        state = self.ledger.state
        if sum(not trial.retryable for trial in state.trials.values()) >= self.trials:
            return None
        asked = self.study.ask()
        if asked is None:
            self.all_tried = True
            return None
        trial = f"t{asked.number:04d}"
        self.ledger.append(
            TrialProposed(
                trial=trial,
                number=asked.number,
                point=asked.point,
                params=self.spec.hyperparameters(asked.point).to_point(),
                seed=self.spec.seed,
                origin=asked.origin,
                sampler_state=asked.sampler_state,
            )
        )
        return self._config(trial)

    def started(self, trial: str, node: str) -> None:
        self._flights.setdefault(trial, _Flight())
        self.ledger.append(
            TrialStarted(
                trial=trial,
                attempt=self.ledger.state.trials[trial].attempts + 1,
                cpus=self.job.cpus,
                gpus=self.job.gpus,
                node=node,
            )
        )

    def reported(self, trial: str, result: Mapping[str, Any]) -> bool:
        flight = self._flights.setdefault(trial, _Flight())
        report = json.loads(result[trainable.REPORT])
        if trainable.FAILED in report:
            flight.failure = report[trainable.FAILED]
            return False
        flight.finished = flight.finished or report["finished"]
        if report["report"] > len(self.ledger.state.trials[trial].reports):
            flight.stop = flight.stop or self._record(trial, report)
        return flight.stop is not None

    def ended(self, trial: str) -> None:
        flight = self._flights.get(trial, _Flight())
        if flight.failure is not None:
            self.failed(trial, flight.failure, fault="trial")
        elif flight.finished:
            self._end(TrialFinished(trial=trial))
        elif flight.stop is not None:
            self._end(TrialStopped(trial=trial, reason=flight.stop))
        else:
            self.failed(trial, "ended without a last report", fault="unexpected")

    def failed(self, trial: str, reason: str, *, fault: FaultKind) -> None:
        self._end(TrialFailed(trial=trial, error=reason, fault=fault))
        if fault == "environment":
            self.broken = reason
        elif fault == "unexpected":
            self._faults.append(_kind_of(reason))
            latest = self._faults[-EQUAL_FAULTS:]
            if len(latest) == EQUAL_FAULTS and len(set(latest)) == 1:
                self.broken = f"{EQUAL_FAULTS} trials in a row failed alike: {reason}"

    def _over(self) -> bool:
        late = self._deadline is not None and time.monotonic() > self._deadline
        return late or self.interrupted() or self.hopeless

    def _config(self, trial: str) -> dict[str, Any]:
        state = self.ledger.state.trials[trial]
        return {
            "trial": trial,
            "params": state.params,
            "seed": state.seed,
            "job": self.job.to_plain(),
        }

    def _record(self, trial: str, report: Mapping[str, Any]) -> str | None:
        """Writes a new report; returns the reason to stop, if there is one."""
        value = report["objective"]
        if self.ledger.state.compute is None and "compute" in report:
            self.ledger.append(ComputeChosen(compute=report["compute"]))
        kept = ("report", "epoch", "examples", "seconds", "metrics", "system")
        self.ledger.append(TrialReported(trial=trial, **{key: report[key] for key in kept}))
        state = self.ledger.state.trials[trial]
        before = state.checkpoint
        if report["checkpoint"] is not None and report["checkpoint"] != before:
            self.ledger.append(
                CheckpointSaved(
                    trial=trial,
                    report=report["report"],
                    path=report["checkpoint"],
                    metrics=report["metrics"],
                    threshold=report.get("threshold"),
                )
            )
            self.retention.saved(trial, before)
        if value is None:
            return None
        self.study.report(state.number, report["report"], value)
        reason = self.rule.observe(trial, report["epoch"], self._sign * value)
        return None if report["finished"] or _trains_to_its_end(state) else reason

    def _observe(self, trial: TrialState) -> str | None:
        """Tells the rule of a trial's reports; why it stops at the last, if it does."""
        reason, last = None, 0.0
        for _, last, value in trial.reports.curve(self.job.metric):
            reason = self.rule.observe(trial.id, last, self._sign * value)
        finished = last >= trial.params["epochs"]
        return None if finished or _trains_to_its_end(trial) else reason

    def _end(self, event: TrialEnded) -> None:
        self._flights.pop(event.trial, None)
        self.ledger.append(event)
        self._ended.append(event.trial)
        if event.status != FAILED:
            self._faults.clear()
        trial = self.ledger.state.trials[event.trial]
        self.study.tell(trial.number, event.status)
        self.retention.ended(trial.id)


def _trains_to_its_end(trial: TrialState) -> bool:
    """The baseline does: it is what the winner is measured against."""
    return trial.origin == BASELINE


def _kind_of(reason: str) -> str:
    """A reason without what differs between equal faults: numbers, addresses, names of trials."""
    return re.sub(r"0x[0-9a-f]+|t?\d+", "#", reason)
