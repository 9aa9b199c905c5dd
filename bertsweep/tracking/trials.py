"""Ledger events of trials → the history, config and summary of one W&B run each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bertsweep.ledger import (
    FAILED,
    FINISHED,
    INTERRUPTED,
    RUNNING,
    STOPPED,
    Event,
    SweepState,
)
from bertsweep.tracking.process import KILLED, OpenRun, RunSettings
from bertsweep.tracking.runs import WandbRuns

_ENDS = {
    "trial_finished": FINISHED,
    "trial_stopped": STOPPED,
    "trial_failed": FAILED,
    "trial_interrupted": INTERRUPTED,
}
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
class _Trial:
    """What a run needs to know of its trial; `last` is the last report in the open run."""

    config: dict[str, Any]
    status: str = RUNNING
    best: Event | None = None
    threshold: float | None = None
    reason: str | None = None
    run: OpenRun | None = None
    last: int = 0


@dataclass
class TrialRuns:
    """Keeps a run for every trial that has started and not ended."""

    runs: WandbRuns
    group: str
    _trials: dict[str, _Trial] = field(default_factory=dict)
    _started: Event | None = None
    _compute: Event | None = None

    @property
    def uid(self) -> str | None:
        """The sweep's id, known from its first event on."""
        return None if self._started is None else str(self._started["sweep"])

    def recall(self, past: SweepState) -> None:
        """Takes in what happened before this process, without logging it."""
        self._started, self._compute = past.started, past.compute
        for trial in past.trials.values():
            self._trials[trial.id] = _Trial(
                config=self._config(trial.id, trial.params, trial.seed, trial.origin),
                status=trial.status,
                best=trial.best,
                threshold=trial.threshold,
                reason=trial.error or trial.reason,
            )

    def handle(self, event: Event) -> None:
        """Takes in an event and logs what it says."""
        self._take(event)
        kind, name = event["event"], event.get("trial", "")
        if kind == "sweep_ended":
            self.close()
        if (trial := self._trials.get(name)) is None:
            return
        if kind == "trial_started":
            self._open(name, trial)
        elif kind == "trial_reported":
            self._report(name, trial, event)
        elif kind == "checkpoint_saved" and trial.run is not None:
            self.runs.summarise(trial.run, self._summary(trial))
        elif kind in _ENDS and (trial.run is not None or kind != "trial_interrupted"):
            # A trial may fail before it starts; an interrupted one without a run has no news.
            self._finish(name, trial)

    def close(self) -> None:
        """Ends the runs still open, as of trials that are to go on another time."""
        for name, trial in self._trials.items():
            if trial.run is not None:
                trial.status = INTERRUPTED
                self._finish(name, trial)

    def _take(self, event: Event) -> None:
        kind = event["event"]
        if kind == "sweep_started":
            self._started = event
        elif kind == "compute_chosen":
            self._compute = event["compute"]
        elif kind == "trial_proposed":
            name, params = event["trial"], event["params"]
            config = self._config(name, params, event["seed"], event["origin"])
            self._trials[name] = _Trial(config)
        elif (trial := self._trials.get(event.get("trial", ""))) is None:
            return
        elif kind == "trial_reported" and self._beats(event, trial.best):
            trial.best = event
        elif kind == "checkpoint_saved":
            trial.threshold = event.get("threshold")
        elif kind == "trial_started":
            trial.status, trial.reason = RUNNING, None
        elif kind in _ENDS:
            trial.status = _ENDS[kind]
            trial.reason = event.get("error") or event.get("reason")

    def _config(
        self, trial: str, params: Mapping[str, Any], seed: int, origin: str
    ) -> dict[str, Any]:
        started: Event = self._started or {}
        return {
            **params,
            "seed": seed,
            "origin": origin,
            "sweep": self.group,
            "trial": trial,
            **_labelling(started),
            "data_hash": started.get("data", {}).get("hash"),
            "encoder_hash": started.get("encoder", {}).get("hash"),
        }

    def _open(self, name: str, trial: _Trial) -> None:
        if self.uid is None or (trial.run is not None and self.runs.alive(trial.run)):
            return
        trial.run = self.runs.open(
            RunSettings(
                id=f"{self.uid}-{name}",
                name=f"{self.group}-{name}",
                job_type="train",
                config=trial.config,
                axes=_AXES,
            )
        )
        trial.last = 0
        if trial.run is not None:
            self.runs.summarise(trial.run, self._summary(trial))

    def _report(self, name: str, trial: _Trial, event: Event) -> None:
        for _ in range(2):  # a run that turns out to be lost is opened again for this very row
            self._open(name, trial)
            # A trial that goes on from an earlier state repeats reports, which W&B would refuse.
            if trial.run is None or event["report"] <= trial.last:
                return
            if self.runs.log(trial.run, _row(event), step=event["report"]):
                break
        else:
            return
        trial.last = event["report"]
        if trial.best is event:
            self.runs.summarise(trial.run, self._summary(trial))

    def _finish(self, name: str, trial: _Trial) -> None:
        for _ in range(2):
            self._open(name, trial)
            if trial.run is None:
                return
            self.runs.summarise(trial.run, self._summary(trial))
            if self.runs.finish(trial.run, exit_code=_EXIT_CODES.get(trial.status, 0)):
                break
        trial.run = None

    def _summary(self, trial: _Trial) -> dict[str, Any]:
        """The trial's best moment by the objective, how it stands, and in what it computes."""
        summary: dict[str, Any] = {"status": trial.status}
        if self._compute:
            summary |= {name: self._compute[name] for name in ("precision", "jit")}
        if trial.reason:
            summary["reason"] = trial.reason
        if trial.best is not None and (metric := self._metric) is not None:
            summary |= _present(trial.best["metrics"])
            summary["best_value"] = trial.best["metrics"][metric]
            summary["best_epoch"] = trial.best["epoch"]
            summary["best_report"] = trial.best["report"]
        if trial.threshold is not None:
            summary["threshold"] = trial.threshold
        return summary

    @property
    def _metric(self) -> str | None:
        return None if self._started is None else str(self._started["objective"]["metric"])

    def _beats(self, report: Event, best: Event | None) -> bool:
        if self._started is None:
            return False
        metric, mode = self._started["objective"]["metric"], self._started["objective"]["mode"]
        value = report["metrics"].get(metric)
        if value is None or best is None:
            return value is not None
        other = best["metrics"][metric]
        return bool(value > other if mode == "max" else value < other)


def _labelling(started: Event) -> dict[str, Any]:
    """The positive one of two classes and how the threshold is set, where that is known."""
    if not started:
        return {}
    state = SweepState(started)
    return {"positive": state.positive, "threshold_rule": state.threshold_rule}


def _row(event: Event) -> dict[str, Any]:
    system = {f"system/{name}": value for name, value in event.get("system", {}).items()}
    axes = {name: event[name] for name in ("epoch", "examples", "seconds")}
    return _present({**axes, **event["metrics"], **system})


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values without those that were not finite, which the ledger holds as None."""
    return {name: value for name, value in values.items() if value is not None}
