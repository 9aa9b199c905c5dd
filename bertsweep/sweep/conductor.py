"""Decides a sweep: what runs next, what stops, what is kept. The ledger has every decision."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bertsweep import ledger as events
from bertsweep.ledger import BASELINE, Ledger
from bertsweep.search.stopping import StoppingRule
from bertsweep.search.study import Study
from bertsweep.spec import SweepSpec
from bertsweep.sweep.retention import Retention
from bertsweep.trial.job import TrialJob
from bertsweep.trial.trainable import FAILED, REPORT

HOPELESS = 3
"""When this many first trials all fail, the next would too."""


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
    """

    spec: SweepSpec
    job: TrialJob
    ledger: Ledger
    study: Study
    rule: StoppingRule
    retention: Retention
    interrupted: Callable[[], bool]
    trials: int
    resumable: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._flights: dict[str, _Flight] = {}
        self._sign = 1.0 if self.job.mode == "max" else -1.0
        hours = self.spec.budget.hours
        self._deadline = None if hours is None else time.monotonic() + 3600 * hours

    @property
    def unfinished(self) -> list[str]:
        """Trials that were proposed and have not ended."""
        return [t.id for t in self.ledger.state.trials.values() if not t.ended]

    @property
    def hopeless(self) -> bool:
        """Whether the first trials all failed, so that none is worth starting any more."""
        ended = [t for t in self.ledger.state.trials.values() if t.ended]
        return len(ended) >= HOPELESS and all(t.status == events.FAILED for t in ended)

    def propose(self) -> Mapping[str, Any] | None:
        if self._over():
            return None
        if self.resumable:
            return self._config(self.resumable.pop(0))
        if len(self.ledger.state.trials) >= self.trials:
            return None
        asked = self.study.ask()
        if asked is None:
            return None
        trial = f"t{asked.number:04d}"
        self.ledger.append(
            "trial_proposed",
            trial=trial,
            number=asked.number,
            point=asked.point,
            params=self.spec.hyperparameters(asked.point).to_point(),
            seed=self.spec.seed,
            origin=asked.origin,
        )
        return self._config(trial)

    def started(self, trial: str, node: str) -> None:
        self._flights.setdefault(trial, _Flight())
        self.ledger.append(
            "trial_started",
            trial=trial,
            attempt=self.ledger.state.trials[trial].attempts + 1,
            cpus=self.job.cpus,
            gpus=self.job.gpus,
            node=node,
        )

    def reported(self, trial: str, result: Mapping[str, Any]) -> bool:
        flight = self._flights.setdefault(trial, _Flight())
        report = json.loads(result[REPORT])
        if FAILED in report:
            flight.failure = report[FAILED]
            return False
        flight.finished = flight.finished or report["finished"]
        if report["report"] > len(self.ledger.state.trials[trial].reports):
            flight.stop = flight.stop or self._record(trial, report)
        return flight.stop is not None

    def ended(self, trial: str) -> None:
        flight = self._flights.pop(trial, _Flight())
        if flight.failure is not None:
            self.failed(trial, flight.failure)
        elif flight.finished:
            self._end(trial, "trial_finished", events.FINISHED)
        elif flight.stop is not None:
            self._end(trial, "trial_stopped", events.STOPPED, reason=flight.stop)
        else:
            self.failed(trial, "ended without a last report")

    def failed(self, trial: str, reason: str) -> None:
        self._flights.pop(trial, None)
        self._end(trial, "trial_failed", events.FAILED, error=reason)

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
        """Writes a new report and gives the reason to stop, if there is one."""
        number, value = int(trial[1:]), report["objective"]
        if self.ledger.state.compute is None and "compute" in report:
            self.ledger.append("compute_chosen", compute=report["compute"])
        kept = ("report", "epoch", "examples", "seconds", "metrics", "system")
        self.ledger.append("trial_reported", trial=trial, **{key: report[key] for key in kept})
        state = self.ledger.state.trials[trial]
        before = state.checkpoint
        if report["checkpoint"] is not None and report["checkpoint"] != before:
            self.ledger.append(
                "checkpoint_saved",
                trial=trial,
                report=report["report"],
                path=report["checkpoint"],
                metrics=report["metrics"],
            )
            self.retention.saved(trial, before)
        if value is None:
            return None
        self.study.report(number, report["report"], value)
        reason = self.rule.observe(trial, report["epoch"], self._sign * value)
        # The baseline is what the winner is measured against, so it always trains to its end.
        return None if report["finished"] or state.origin == BASELINE else reason

    def _end(self, trial: str, event: str, status: str, **fields: Any) -> None:
        self.ledger.append(event, trial=trial, **fields)
        self.study.tell(int(trial[1:]), status, self.ledger.state.trials[trial].value)
        self.retention.ended(trial)
