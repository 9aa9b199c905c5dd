"""The run of job_type `sweep`: all trials in one table, and what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bertsweep.ledger import TrialSnapshot
from bertsweep.ledger.state import SweepSnapshot, goals_of, preference_of
from bertsweep.pareto import front, pick
from bertsweep.ranking import values_of
from bertsweep.tracking.plans import RunSettings, origin

_SEVERAL = ("further", "prefer")
"""What `sweep_started` says of several objectives."""


@dataclass(frozen=True)
class SweepRun:
    """A sweep as it stands when a command ends it; `trials` are its trials and its repeats."""

    sweep: SweepSnapshot
    trials: Sequence[TrialSnapshot]

    @property
    def settings(self) -> RunSettings:
        started = self.sweep.started
        return RunSettings(
            id=f"{self.sweep.uid}-sweep",
            name=f"{self.sweep.name}-sweep",
            job_type="sweep",
            config={
                **origin(started),
                "metric": self.sweep.metric,
                "mode": self.sweep.mode,
                **{key: started.objective[key] for key in _SEVERAL if key in started.objective},
                "rows": dict(started.data.get("rows", {})),
            },
        )

    @property
    def step(self) -> int:
        """All reports so far: each further one brings a further table."""
        return sum(len(trial.reports) for trial in self.trials)

    def charts(self, wandb: Any) -> dict[str, Any]:
        """`trials`, a row a trial with its hyperparameters, and `repeats` likewise."""
        kinds = {
            "trials": [trial for trial in self.trials if trial.repeats is None],
            "repeats": [trial for trial in self.trials if trial.repeats is not None],
        }
        return {name: self._table(wandb, trials) for name, trials in kinds.items() if trials}

    def _table(self, wandb: Any, trials: Sequence[TrialSnapshot]) -> Any:
        names = list(dict.fromkeys(name for trial in trials for name in trial.params))
        rows = [{**self._row(trial), **dict.fromkeys(names), **trial.params} for trial in trials]
        columns = {name: _alike([row[name] for row in rows]) for name in rows[0]}
        data = [list(row) for row in zip(*columns.values(), strict=True)]
        return wandb.Table(columns=list(columns), data=data)

    def _row(self, trial: TrialSnapshot) -> dict[str, Any]:
        best, last = trial.best, trial.last
        return {
            "trial": trial.id,
            **({} if trial.repeats is None else {"repeats": trial.repeats, "split": trial.split}),
            "state": trial.status,
            self.sweep.metric: trial.value,
            **{
                goal.metric: None if best is None else best["metrics"].get(goal.metric)
                for goal in goals_of(self.sweep.started)[1:]
            },
            "best_epoch": None if best is None else best["epoch"],
            "epochs_trained": 0.0 if last is None else last["epoch"],
            "seconds": trial.seconds,
            "origin": trial.origin,
            "seed": trial.seed,
            "reason": trial.error or trial.reason,
        }

    def summary(self) -> dict[str, Any]:
        """How the sweep stands: its best trial, its baseline, what the confirmation came to."""
        sweep, searched = self.sweep, [one for one in self.trials if one.repeats is None]
        found: dict[str, Any] = {
            "status": sweep.status,
            "trials": len(searched),
            **{f"trials_{status}": count for status, count in sweep.statuses.items()},
            "trial_hours": sum(trial.seconds for trial in self.trials) / 3600,
        }
        if sweep.best is not None:
            found |= {"best_trial": sweep.best.id, "best_value": sweep.best.value}
        if sweep.baseline is not None and sweep.baseline.value is not None:
            found["baseline_value"] = sweep.baseline.value
        found |= self._front(searched)
        outcome = None if sweep.confirmation is None else sweep.confirmation.outcome
        if outcome is not None:
            found |= {
                "confirmed_trial": outcome["delivered"],
                "verdict": outcome["verdict"]["text"],
            }
        return found

    def _front(self, trials: Sequence[TrialSnapshot]) -> dict[str, Any]:
        """Of several objectives, the trials that no other beats in all, and the one picked."""
        goals = goals_of(self.sweep.started)
        valued = {one.id: values_of(goals, one) for one in trials}
        candidates = {name: values for name, values in valued.items() if values is not None}
        if len(goals) == 1 or not candidates:
            return {}
        picked = pick(candidates, goals, preference_of(self.sweep.started))
        return {"front": front(candidates, goals), "picked_trial": picked.name}

    def files(self) -> None:
        return None


def _alike(values: list[Any]) -> list[Any]:
    """The values of a column as text where they are of several kinds: a W&B column has one."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) < 2 or kinds == {int, float}:
        return values
    return [None if value is None else str(value) for value in values]
