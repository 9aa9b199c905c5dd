"""Writes to the ledger what becomes of running trials: starts, reports, checkpoints, ends."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bertsweep.ledger import FAILED, Ledger, TrialState
from bertsweep.ledger.events import (
    CheckpointSaved,
    ComputeChosen,
    FaultKind,
    LatencyMeasured,
    TrialEnded,
    TrialFailed,
    TrialFinished,
    TrialReported,
    TrialStarted,
    TrialStopped,
)
from bertsweep.sweep.retention import Retention
from bertsweep.trial import trainable
from bertsweep.trial.job import TrialJob

EQUAL_FAULTS = 3
"""When this many trials in a row fail alike, and not by their own fault, the next would too."""

Judge = Callable[[TrialState, Mapping[str, Any]], "str | None"]
"""Receives a trial and a new report of it; returns why the trial is to stop, or None."""


@dataclass
class _Flight:
    """A trial that is running: what the ledger does not hold of it yet."""

    stop: str | None = None
    failure: str | None = None
    finished: bool = False


class Recorder:
    """What every conductor does with a trial, be it of the search or a repeat.

    Ray tells of some reports twice, and a trial that goes on from an earlier state repeats them:
    each is written once. `broken` says why the sweep cannot go on here, once it cannot: a fault of
    the environment, or `EQUAL_FAULTS` unexpected ones in a row.
    """

    def __init__(self, job: TrialJob, ledger: Ledger, retention: Retention) -> None:
        self._job, self._ledger, self._retention = job, ledger, retention
        self._flights: dict[str, _Flight] = {}
        self._faults: list[str] = []
        self.broken: str | None = None

    def started(self, trial: str, node: str) -> None:
        """A worker on `node` took the trial, for the first time or again."""
        self._flights.setdefault(trial, _Flight())
        self._ledger.append(
            TrialStarted(
                trial=trial,
                attempt=self._ledger.state.trial(trial).attempts + 1,
                cpus=self._job.cpus,
                gpus=self._job.gpus,
                node=node,
            )
        )

    def reported(self, trial: str, result: Mapping[str, Any], judge: Judge) -> bool:
        """Takes a result of Ray; returns whether the trial must stop."""
        flight = self._flights.setdefault(trial, _Flight())
        report = json.loads(result[trainable.REPORT])
        if trainable.FAILED in report:
            flight.failure = report[trainable.FAILED]
            return False
        flight.finished = flight.finished or report["finished"]
        state = self._ledger.state.trial(trial)
        if report["report"] > len(state.reports):
            self._record(trial, report)
            self._record_checkpoint(trial, report)
            flight.stop = flight.stop or judge(state, report)
        elif report["report"] == len(state.reports):
            # The command that wrote this report may have died before it wrote of its checkpoint.
            self._record_checkpoint(trial, report)
        return flight.stop is not None

    def ended(self, trial: str) -> TrialEnded:
        """Writes how a trial ended that Ray did not give up, and returns that event."""
        flight = self._flights.get(trial, _Flight())
        if flight.failure is not None:
            return self.failed(trial, flight.failure, fault="trial")
        if flight.finished:
            return self.end(TrialFinished(trial=trial))
        if flight.stop is not None:
            return self.end(TrialStopped(trial=trial, reason=flight.stop))
        return self.failed(trial, "ended without a last report", fault="unexpected")

    def failed(self, trial: str, reason: str, *, fault: FaultKind) -> TrialEnded:
        """Writes that a trial failed, and returns that event."""
        event = self.end(TrialFailed(trial=trial, error=reason, fault=fault))
        if fault == "environment":
            self.broken = reason
        elif fault == "unexpected":
            self._faults.append(_kind_of(reason))
            latest = self._faults[-EQUAL_FAULTS:]
            if len(latest) == EQUAL_FAULTS and len(set(latest)) == 1:
                self.broken = f"{EQUAL_FAULTS} trials in a row failed alike: {reason}"
        return event

    def end(self, event: TrialEnded) -> TrialEnded:
        """Writes the end of a trial, removes what nothing needs any more, and returns the event."""
        self._flights.pop(event.trial, None)
        self._ledger.append(event)
        if event.status != FAILED:
            self._faults.clear()
        self._retention.ended(event.trial)
        return event

    def _record(self, trial: str, report: Mapping[str, Any]) -> None:
        if self._ledger.state.compute is None and "compute" in report:
            self._ledger.append(ComputeChosen(compute=report["compute"]))
        kept = ("report", "epoch", "examples", "seconds", "metrics", "system")
        self._ledger.append(TrialReported(trial=trial, **{key: report[key] for key in kept}))
        for measured in report.get("latency", ()):
            self._ledger.append(LatencyMeasured(trial=trial, **measured))

    def _record_checkpoint(self, trial: str, report: Mapping[str, Any]) -> None:
        state = self._ledger.state.trial(trial)
        before = state.checkpoint
        if report["checkpoint"] is None or report["checkpoint"] == state.last_checkpoint:
            return
        self._ledger.append(
            CheckpointSaved(
                trial=trial,
                report=report["report"],
                path=report["checkpoint"],
                metrics=report["metrics"],
                threshold=report.get("threshold"),
            )
        )
        self._retention.saved(trial, before)


def _kind_of(reason: str) -> str:
    """A reason without what differs between equal faults: numbers, addresses, names of trials."""
    return re.sub(r"0x[0-9a-f]+|t?\d+", "#", reason)
