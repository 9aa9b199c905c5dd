"""Sweeps of a study without training: what is asked, how it went, and the same after a resume."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from bertsweep import ledger
from bertsweep.search.study import Asked, Study
from bertsweep.space import Choice, Fixed, Float, Int, Parameter, Point, Space

SPACE = Space(
    (
        Parameter("learning_rate", Float(1e-5, 1e-3, log=True)),
        Parameter("batch_size", Choice((16, 32))),
        Parameter("weight_decay", Float(0.0, 0.1), when={"optimizer": ("adamw",)}),
        Parameter("optimizer", Choice(("adam", "adamw"))),
        Parameter("epochs", Fixed(3)),
        Parameter("warmup", Float(0.0, 0.3, step=0.1)),
        Parameter("max_seq_length", Int(16, 512, log=True)),
    )
)
BASE: Point = {
    "learning_rate": 2e-5,
    "batch_size": 32,
    "optimizer": "adam",
    "epochs": 3,
    "warmup": 0.0,
    "max_seq_length": 128,
}
FINITE = Space(
    (
        Parameter("warmup", Float(0.0, 0.1, step=0.1)),
        Parameter("optimizer", Choice(("adam", "adamw"))),
        Parameter("weight_decay", Float(0.0, 0.1, step=0.1), when={"optimizer": ("adamw",)}),
        Parameter("trainable_layers", Int(1, 2)),
    )
)
FINITE_BASE: Point = {"warmup": 0.1, "optimizer": "adam", "trainable_layers": 2}
FULL = 4
"""Reports of a trial that finishes."""


def key(point: Point) -> Hashable:
    return tuple(sorted(point.items()))


def quality(point: Point) -> float:
    """Best at a learning rate of 1e-4 and a warm-up of 0.1."""
    rate = abs(math.log10(float(point.get("learning_rate", 1e-4)) / 1e-4))
    return 1 - rate / 3 - abs(float(point["warmup"]) - 0.1)


def costs(point: Point, count: int) -> tuple[float, ...]:
    """So many further objectives, which are better the smaller they are."""
    length = float(point.get("max_seq_length", 128))
    return (length, length * float(point.get("batch_size", 32)))[:count]


def usual_end(number: int) -> tuple[str, int]:
    """How a trial ends, and after how many reports: under ASHA few finish, and some fail."""
    if number % 7 == 5:
        return ledger.FAILED, 1
    reports = (FULL, 1, 2)[number % 3]
    return (ledger.FINISHED if reports == FULL else ledger.STOPPED), reports


@dataclass
class Trial:
    asked: Asked
    values: dict[int, float] = field(default_factory=dict)
    status: str = ledger.RUNNING


@dataclass
class FakeSweep:
    """Conducts a study, `side_by_side` trials at a time; `make` makes the study."""

    make: Callable[[], Study]
    end: Callable[[int], tuple[str, int]] = usual_end
    worth: Callable[[Point], float] = quality
    side_by_side: int = 1
    trials: list[Trial] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.study = self.make()
        self._further = len(self.study.directions) - 1
        for number, trial in enumerate(self.trials):
            state = json.loads(json.dumps(trial.asked.sampler_state))
            point = dict(trial.asked.point)
            if trial.status == ledger.RUNNING:
                self.study.reopen(number, point, sampler_state=state)
                for report, value in trial.values.items():
                    self.study.report(number, report, value)
            else:
                self.study.refill(
                    number,
                    point,
                    status=trial.status,
                    values=trial.values,
                    others=costs(point, self._further),
                    sampler_state=state,
                )

    def run(self, count: int) -> FakeSweep:
        """Asks for `count` trials, or as many as there are; the last ones go on running."""
        for _ in range(count):
            running = [trial for trial in self.trials if trial.status == ledger.RUNNING]
            if len(running) >= self.side_by_side:
                number = running[len(self.trials) % len(running)].asked.number
                self._report(number, self.end(number)[1])
                self.trials[number].status = self.end(number)[0]
                others = costs(self.trials[number].asked.point, self._further)
                self.study.tell(number, self.trials[number].status, others)
            asked = self.study.ask()
            if asked is None:
                break
            self.trials.append(Trial(asked))
            self._report(asked.number, 1)
        return self

    def resumed(self) -> FakeSweep:
        """The same sweep with a new study, which is refilled."""
        copies = [Trial(trial.asked, dict(trial.values), trial.status) for trial in self.trials]
        return FakeSweep(self.make, self.end, self.worth, self.side_by_side, copies)

    @property
    def asked(self) -> list[Asked]:
        return [trial.asked for trial in self.trials]

    @property
    def points(self) -> list[Point]:
        return [trial.asked.point for trial in self.trials]

    def _report(self, number: int, most: int) -> None:
        trial = self.trials[number]
        for report in range(len(trial.values) + 1, most + 1):
            trial.values[report] = self.worth(trial.asked.point) * (1 - 0.5**report)
            self.study.report(number, report, trial.values[report])
