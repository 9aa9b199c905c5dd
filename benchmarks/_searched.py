"""bertsweep's own search, played: the real study and stopping rule of a search space file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from benchmarks._peers import Setting
from benchmarks._recorded import Axis, Point, Task
from bertsweep import ledger
from bertsweep.ledger import BASELINE
from bertsweep.search.stopping import build_rule
from bertsweep.search.study import Study
from bertsweep.space import Float, Int, Parameter, Space
from bertsweep.spec import SweepSpec, parse

EPOCHS = 3
STEPS_PER_EPOCH = 1000
"""Enough that `grace_steps`, which is for few rows, has no part in it."""


class Bertsweep:
    """What `SweepConductor` does with a study and a rule, less Ray and the ledger."""

    def __init__(self, task: Task, setting: Setting) -> None:
        spec = described(setting.settings, seed=setting.seed)
        self._study = Study(
            Space(tuple(_parameter(axis) for axis in task.axes)),
            sampler=spec.search.sampler,
            seed=setting.seed,
            mode="max",
            baseline=_typed(task, setting.start),
            key=lambda point: tuple(sorted(point.items())),
        )
        self._rule = build_rule(
            spec.search.scheduler, max_epochs=EPOCHS, steps_per_epoch=STEPS_PER_EPOCH
        )
        self._reports = task.reports
        self._baselines = set[int]()

    def propose(self) -> tuple[int, Point] | None:
        asked = self._study.ask()
        if asked is None:
            return None
        if asked.origin == BASELINE:
            self._baselines.add(asked.number)
        return asked.number, {name: float(value) for name, value in asked.point.items()}

    def report(self, trial: int, report: int, value: float) -> bool:
        self._study.report(trial, report, value)
        reason = self._rule.observe(f"t{trial:04d}", EPOCHS * report / self._reports, value)
        return reason is not None and trial not in self._baselines

    def told(self, trial: int, *, finished: bool) -> None:
        self._study.tell(trial, ledger.FINISHED if finished else ledger.STOPPED)


def described(settings: Mapping[str, Any], *, seed: int = 0) -> SweepSpec:
    """A search space file with these settings of `search`, and defaults otherwise."""
    document = {
        "name": "played",
        "data": {"source": "builtin:questions"},
        "encoder": {"source": "builtin:tiny"},
        "space": {"learning_rate": {"low": 1e-5, "high": 1e-4, "log": True}, "epochs": EPOCHS},
        "baseline": {"epochs": EPOCHS},
        "search": dict(settings),
        "seed": seed,
    }
    return parse(json.dumps(document), source="played.yaml")


def usual_reports() -> int:
    """How often a sweep reports in a full training."""
    return round(EPOCHS / described({}).report_every)


def _parameter(axis: Axis) -> Parameter:
    if axis.whole:
        return Parameter(axis.name, Int(int(axis.low), int(axis.high), log=axis.log))
    return Parameter(axis.name, Float(axis.low, axis.high, log=axis.log))


def _typed(task: Task, point: Point) -> dict[str, Any]:
    return {a.name: int(point[a.name]) if a.whole else point[a.name] for a in task.axes}
