"""Ledger updates of trials → the history, config and summary of one W&B run each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bertsweep.ledger import FAILED, INTERRUPTED, Event, TrialSnapshot, Update
from bertsweep.ledger.events import (
    CheckpointSaved,
    SweepEnded,
    TrialEnded,
    TrialInterrupted,
    TrialReported,
    TrialStarted,
)
from bertsweep.ledger.state import SweepSnapshot
from bertsweep.tracking.overview import SweepRun
from bertsweep.tracking.plans import RunSettings, origin
from bertsweep.tracking.process import KILLED, OpenRun
from bertsweep.tracking.runs import WandbRuns

_EXIT_CODES = {FAILED: 1, INTERRUPTED: KILLED}
"""Everything else is shown as finished."""

_AXES = {
    "epoch": "",
    "examples": "",
    "seconds": "examples",
    "loss": "examples",
    "learning_rate": "examples",
    "examples_per_second": "examples",
    "system/*": "examples",
    "val_*": "epoch",
}


@dataclass
class _TrialRun:
    """An open run, the last report in it, and how its trial stood at the last update."""

    run: OpenRun
    trial: TrialSnapshot
    last: int = 0


@dataclass
class TrialRuns:
    """Keeps a run for every trial that has started and not ended, and writes the sweep's own."""

    runs: WandbRuns
    _open_runs: dict[str, _TrialRun] = field(default_factory=dict)
    _trials: dict[str, TrialSnapshot] = field(default_factory=dict)
    _sweep: SweepSnapshot = field(init=False)
    """As of the last update."""

    def handle(self, update: Update) -> None:
        """Logs what an update says."""
        self._sweep = update.sweep
        if update.trial is not None:
            self._trials[update.trial.id] = update.trial
            self._follow(update.event, update.trial)
        elif isinstance(update.event, SweepEnded):
            self.close()
            self.runs.write(SweepRun(update.sweep, tuple(self._trials.values())))

    def _follow(self, event: Event, trial: TrialSnapshot) -> None:
        if isinstance(event, TrialStarted):
            self._opened(trial)
        elif isinstance(event, TrialReported):
            self._report(trial, event)
        elif isinstance(event, CheckpointSaved) and trial.id in self._open_runs:
            self.runs.summarise(self._open_runs[trial.id].run, self._summary(trial, trial.status))
        elif isinstance(event, TrialEnded) or (
            # An interrupted trial without a run has no news; one may fail before it starts.
            isinstance(event, TrialInterrupted) and trial.id in self._open_runs
        ):
            self._finish(trial, trial.status)

    def close(self) -> None:
        """Ends the runs still open, as of trials that are to go on another time."""
        for open_run in list(self._open_runs.values()):
            self._finish(open_run.trial, INTERRUPTED)

    def _opened(self, trial: TrialSnapshot) -> _TrialRun | None:
        """The open run of a trial, opened where it is not; None where W&B cannot be had."""
        known = self._open_runs.get(trial.id)
        if known is not None and self.runs.alive(known.run):
            known.trial = trial
            return known
        run = self.runs.open(
            RunSettings(
                id=f"{self._sweep.uid}-{trial.id}",
                name=f"{self._sweep.name}-{trial.id}",
                job_type="train" if trial.repeats is None else "confirm",
                config=self._config(trial),
                axes=_AXES,
            )
        )
        if run is None:
            self._open_runs.pop(trial.id, None)
            return None
        opened = self._open_runs[trial.id] = _TrialRun(run, trial)
        self.runs.summarise(run, self._summary(trial, trial.status))
        return opened

    def _report(self, trial: TrialSnapshot, event: TrialReported) -> None:
        for _ in range(2):  # a run that turns out to be lost is opened again for this very row
            opened = self._opened(trial)
            # A trial that goes on from an earlier state repeats reports, which W&B would refuse.
            if opened is None or event.report <= opened.last:
                return
            if self.runs.log(opened.run, _row(event), step=event.report):
                opened.last = event.report
                if trial.best is not None and trial.best["report"] == event.report:
                    self.runs.summarise(opened.run, self._summary(trial, trial.status))
                return

    def _finish(self, trial: TrialSnapshot, status: str) -> None:
        for _ in range(2):
            opened = self._opened(trial)
            if opened is None:
                return
            self.runs.summarise(opened.run, self._summary(trial, status))
            if self.runs.finish(opened.run, exit_code=_EXIT_CODES.get(status, 0)):
                break
        self._open_runs.pop(trial.id, None)

    def _config(self, trial: TrialSnapshot) -> dict[str, Any]:
        started = self._sweep.started
        repeat = {} if trial.repeats is None else {"split": trial.split}
        return {
            **trial.params,
            **repeat,
            **origin(started, trial.params),
            "seed": trial.seed,
            "origin": trial.origin,
            "trial": trial.repeats or trial.id,
            "threshold_rule": started.threshold_rule,
        }

    def _summary(self, trial: TrialSnapshot, status: str) -> dict[str, Any]:
        """The trial's best moment by the objective, how it stands, and in what it computes."""
        summary: dict[str, Any] = {"status": status}
        if self._sweep.compute:
            summary |= {name: self._sweep.compute[name] for name in ("precision", "jit")}
        if trial.error or trial.reason:
            summary["reason"] = trial.error or trial.reason
        best = trial.best
        if best is not None:
            summary |= _present(best["metrics"])
            summary["best_value"] = trial.value
            summary["best_epoch"] = best["epoch"]
            summary["best_report"] = best["report"]
        if trial.threshold is not None:
            summary["threshold"] = trial.threshold
        return summary


def _row(event: TrialReported) -> dict[str, Any]:
    system = {f"system/{name}": value for name, value in event.system.items()}
    axes = {"epoch": event.epoch, "examples": event.examples, "seconds": event.seconds}
    return _present({**axes, **event.metrics, **system})


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values without those that were not finite, which the ledger holds as None."""
    return {name: value for name, value in values.items() if value is not None}
