"""What a live view knows of a sweep: ledger events folded into counts, best and time left."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bertsweep.ledger import (
    BASELINE,
    FAILED,
    FINISHED,
    INTERRUPTED,
    RUNNING,
    STOPPED,
    Event,
    SweepState,
    TrialState,
)

PROPOSED = "proposed"
"""Status of a trial whose parameters are known and which has not begun."""

_ENDS = {"trial_finished": FINISHED, "trial_stopped": STOPPED, "trial_failed": FAILED}


@dataclass
class Seen:
    """One trial as far as a view cares; times are unix seconds, `spent` those of past attempts."""

    id: str
    params: Mapping[str, Any]
    origin: str
    status: str = PROPOSED
    started: float | None = None
    spent: float = 0.0
    epoch: float = 0.0
    value: float | None = None
    best: float | None = None
    rate: float | None = None
    error: str | None = None

    def elapsed(self, now: float) -> float:
        """Seconds this trial has had, over all attempts."""
        return self.spent + (max(0.0, now - self.started) if self.started is not None else 0.0)


@dataclass
class Watch:
    """Feed it every event through `handle`; ask it from any thread while holding `lock`.

    What earlier sessions did goes in first through `refill`. An event that was seen already is left
    out.
    """

    lock: threading.RLock = field(default_factory=threading.RLock)
    name: str = ""
    metric: str = ""
    maximize: bool = True
    budget: int | None = None
    hours: float | None = None
    began: float | None = None
    trials: dict[str, Seen] = field(default_factory=dict)
    most_at_once: int = 1
    _space: Mapping[str, Any] = field(default_factory=dict)
    _values: dict[str, set[str]] = field(default_factory=dict)
    _seen: int = -1

    def handle(self, event: Event) -> bool:
        """Takes an event; False when it was taken before."""
        with self.lock:
            if event["seq"] <= self._seen:
                return False
            self._seen = event["seq"]
            if "trial" in event:
                self._trial(event)
            elif event["event"] == "sweep_started":
                self._sweep(event)
            elif event["event"] == "sweep_resumed":
                self._resumed(event)
            return True

    def refill(self, past: SweepState) -> None:
        """Takes what earlier sessions came to; none of their trials is running now."""
        with self.lock:
            self._sweep(past.started)
            for trial in past.trials.values():
                self.trials[trial.id] = self._recalled(trial)
                self._note(trial.params)

    def running(self) -> list[Seen]:
        return [trial for trial in self.trials.values() if trial.status == RUNNING]

    def count(self, status: str) -> int:
        return sum(trial.status == status for trial in self.trials.values())

    def ended(self) -> int:
        return sum(self.count(status) for status in _ENDS.values())

    def best(self) -> Seen | None:
        """The trial with the best value so far, failed ones left out, the earlier of equals."""
        valued = [t for t in self.trials.values() if t.best is not None and t.status != FAILED]
        sign = 1 if self.maximize else -1
        return max(valued, key=lambda trial: sign * (trial.best or 0.0), default=None)

    def baseline(self) -> Seen | None:
        return next((t for t in self.trials.values() if t.origin == BASELINE), None)

    def searched(self) -> list[str]:
        """Names of the parameters that differ between the trials so far, or that will."""
        return [
            name
            for name, seen in self._values.items()
            if len(seen) > 1 or isinstance(self._space.get(name), (list, dict))
        ]

    def rate(self) -> float | None:
        """Training examples a second over all running trials; None before the first report."""
        rates = [trial.rate for trial in self.running() if trial.rate is not None]
        return sum(rates) if rates else None

    def seconds_left(self, now: float) -> float | None:
        """An estimate from the mean time of trials that ended; None before the first one did.

        Every running trial still needs the mean less what it had, every waiting one the mean, and
        as many run at once as ever did. `budget.hours` caps when trials begin, so it caps this.
        """
        done = [t.spent for t in self.trials.values() if t.status in (FINISHED, STOPPED)]
        if not done or self.budget is None:
            return None
        mean = sum(done) / len(done)
        running = [max(0.0, mean - trial.elapsed(now)) for trial in self.running()]
        waiting = max(0, self.budget - self.ended() - len(running))
        left = max([(sum(running) + waiting * mean) / self.most_at_once, *running])
        if self.hours is not None and self.began is not None:
            until_no_more = max(0.0, self.began + self.hours * 3600 - now)
            left = min(left, until_no_more + mean)
        return left

    def _sweep(self, event: Event) -> None:
        self.name = event["name"]
        self.metric = event["objective"]["metric"]
        self.maximize = event["objective"]["mode"] == "max"
        budget = event["spec"].get("budget") or {}
        self.budget, self.hours = budget.get("trials"), budget.get("hours")
        self._space = event["spec"].get("space") or {}
        self.began = event["time"]

    def _resumed(self, event: Event) -> None:
        self.budget = event.get("trials") or self.budget
        self.began = event["time"]
        # How much ran at once is this invocation's matter.
        self.most_at_once = 1
        for trial in self.running():
            trial.status, trial.started = INTERRUPTED, None

    def _trial(self, event: Event) -> None:
        kind, name = event["event"], event["trial"]
        if kind == "trial_proposed":
            self.trials[name] = Seen(name, event["params"], event["origin"])
            self._note(event["params"])
            return
        trial = self.trials.get(name)
        if trial is None:
            return
        if kind == "trial_started":
            trial.status, trial.started = RUNNING, event["time"]
            self.most_at_once = max(self.most_at_once, len(self.running()))
        elif kind == "trial_reported":
            self._reported(trial, event)
        elif kind in _ENDS or kind == "trial_interrupted":
            trial.spent, trial.started = trial.elapsed(event["time"]), None
            trial.status = _ENDS.get(kind, INTERRUPTED)
            trial.error = event.get("error")

    def _recalled(self, trial: TrialState) -> Seen:
        waiting = INTERRUPTED if trial.attempts else PROPOSED
        seen = Seen(trial.id, trial.params, trial.origin, trial.status if trial.ended else waiting)
        seen.spent, seen.best, seen.error = trial.seconds, trial.value, trial.error
        if trial.reports:
            last = trial.reports[-1]
            seen.epoch, seen.value = last["epoch"], last["metrics"].get(self.metric)
            seen.rate = last["metrics"].get("examples_per_second")
        return seen

    def _note(self, params: Mapping[str, Any]) -> None:
        for parameter, value in params.items():
            self._values.setdefault(parameter, set()).add(repr(value))

    def _reported(self, trial: Seen, event: Event) -> None:
        metrics = event["metrics"]
        trial.epoch = event["epoch"]
        trial.rate = metrics.get("examples_per_second")
        trial.value = metrics.get(self.metric)
        if trial.value is None:
            return
        better = max if self.maximize else min
        trial.best = trial.value if trial.best is None else better(trial.best, trial.value)
