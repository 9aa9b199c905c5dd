"""Decides a sweep: what runs next, what stops, what is kept. The ledger has every decision."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bertsweep.budget import Spent
from bertsweep.direction import Direction
from bertsweep.ledger import BASELINE, FAILED, INTERRUPTED, RUNNING, Ledger, TrialState, spent_by
from bertsweep.ledger.events import FaultKind, TrialEnded, TrialProposed, TrialStopped
from bertsweep.search.stopping import StoppingRule
from bertsweep.search.study import Study
from bertsweep.spec import SweepSpec
from bertsweep.steering import AddPoint, Asked, Pause, StopTrial
from bertsweep.sweep.early_end import EarlyEnd
from bertsweep.sweep.further import further_values
from bertsweep.sweep.recorder import Recorder
from bertsweep.sweep.retention import Retention
from bertsweep.sweep.steered import Steered
from bertsweep.trial.job import TrialJob

ASKED = "asked for with `bertsweep stop`"
"""Why a trial was stopped that neither the rule nor its epochs ended."""

HOPELESS = 5
"""When the baseline and this many trials, all there were, failed by their own fault, it is the
space or the data."""


@dataclass
class SweepConductor:
    """The one place where Ray's events, the study, the stopping rule and the ledger meet.

    `resumable` are trials of an interrupted run that go on before anything new is proposed.
    `stop_requested` says whether the user wants the sweep to stop, and `stop` wants it in the
    user's place. The budget is the ledger's;
    trials that failed through no fault of their own do not count against it.
    """

    spec: SweepSpec
    job: TrialJob
    ledger: Ledger
    study: Study
    rule: StoppingRule
    retention: Retention
    stop_requested: Callable[[], bool]
    stop: Callable[[], None] = lambda: None
    resumable: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.recorder = Recorder(self.job, self.ledger, self.retention)
        self.all_tried = False
        """Whether the space has no point left that was not tried."""
        self._ended: list[str] = []
        self._sign = Direction.of(self.job.mode).sign
        self._early_end = EarlyEnd(self.spec, self.ledger, self.retention.paths)
        self._steered = Steered(self.ledger, self.retention.paths, self._obey)
        self._earlier = self.ledger.state.search_seconds
        self._began = time.monotonic()

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
                    others=further_values(self.ledger.state, trial),
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
                self._tell(self.recorder.end(TrialStopped(trial=trial.id, reason=reason)))
            else:
                self.resumable.append(trial.id)
        self._early_end.refilled()

    @property
    def broken(self) -> str | None:
        """Why the sweep cannot go on here, once it cannot."""
        return self.recorder.broken

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

    @property
    def enough(self) -> str | None:
        """Why the search ends before its budget is used up, once `stop_when` says so."""
        return self._early_end.reason

    def spent(self, *, in_full: bool = False) -> Spent:
        """What the search has used of its budget; `in_full` with what running trials may yet."""
        return spent_by(
            self.ledger.state.trials.values(),
            longest=self.spec.longest,
            seconds=self._seconds,
            now=time.time(),
            in_full=in_full,
        )

    def interrupted(self) -> bool:
        """Whether everything is to stop now."""
        return self.broken is not None or self.stop_requested()

    def alive(self) -> None:
        """Leaves a sign of life in the ledger, and takes what was asked from outside."""
        self.ledger.keep_alive()
        self._steered.look()

    def exhausted(self) -> bool:
        """Whether no trial is running or waiting whose end could make room for another one."""
        statuses = self.ledger.state.statuses
        return self._over() or not (statuses.get(RUNNING) or statuses.get(INTERRUPTED))

    def propose(self) -> Mapping[str, Any] | None:
        if self._over():
            return None
        state = self.ledger.state
        if state.concurrent is not None and state.statuses.get(RUNNING, 0) >= state.concurrent:
            return None
        if self.resumable:
            return self._config(self.resumable.pop(0))
        # Running trials count in full, so that together they use a training too much at most.
        if self.enough or self.ledger.state.bounds.reached(self.spent(in_full=True)):
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
        self.recorder.started(trial, node)

    def reported(self, trial: str, result: Mapping[str, Any]) -> bool:
        return self.recorder.reported(trial, result, self._judged)

    def ended(self, trial: str) -> None:
        self._tell(self.recorder.ended(trial))

    def failed(self, trial: str, reason: str, *, fault: FaultKind) -> None:
        self._tell(self.recorder.failed(trial, reason, fault=fault))

    @property
    def _seconds(self) -> float:
        """For how long the sweep has searched, over all commands."""
        return self._earlier + time.monotonic() - self._began

    def _over(self) -> bool:
        hours = self.ledger.state.bounds.hours
        late = hours is not None and self._seconds > 3600 * hours
        return late or self.interrupted() or self.hopeless

    def _config(self, trial: str) -> dict[str, Any]:
        state = self.ledger.state.trials[trial]
        return {
            "trial": trial,
            "params": state.params,
            "seed": state.seed,
            "split": None,
            "refit": None,
            "job": self.job.to_plain(),
        }

    def _judged(self, trial: TrialState, report: Mapping[str, Any]) -> str | None:
        """Tells study and rule of a report; returns the reason to stop, if there is one."""
        value = report["objective"]
        if value is None:
            return None
        self.study.report(trial.number, report["report"], value)
        self._early_end.reported(trial)
        reason = self.rule.observe(trial.id, report["epoch"], self._sign * value)
        if trial.id in self.ledger.state.to_stop and not report["finished"]:
            return ASKED
        return None if report["finished"] or _trains_to_its_end(trial) else reason

    def _observe(self, trial: TrialState) -> str | None:
        """Tells the rule of a trial's reports; why it stops at the last, if it does."""
        reason, last = None, 0.0
        for _, last, value in trial.reports.curve(self.job.metric):
            reason = self.rule.observe(trial.id, last, self._sign * value)
        finished = last >= trial.params["epochs"]
        if trial.id in self.ledger.state.to_stop and not finished:
            return ASKED
        return None if finished or _trains_to_its_end(trial) else reason

    def _obey(self, request: Asked) -> str | None:
        """Does what is asked from outside the process; returns why not, where it does not."""
        match request:
            case StopTrial(trial=name):
                trial = self.ledger.state.trials.get(name)
                if trial is None:
                    return f"there is no trial {name}"
                return f"{name} has ended" if trial.ended else None
            case AddPoint(point=point):
                return None if self.study.add(point) else "a trial had this point already"
            case Pause():
                self.stop()
        return None

    def _tell(self, event: TrialEnded) -> None:
        self._ended.append(event.trial)
        self._early_end.ended()
        trial = self.ledger.state.trials[event.trial]
        others = further_values(self.ledger.state, trial)
        self.study.tell(trial.number, event.status, others)


def _trains_to_its_end(trial: TrialState) -> bool:
    """The baseline does: it is what the winner is measured against."""
    return trial.origin == BASELINE
