"""Learning curves that others measured, as tasks that a search can be played on.

Like `_inputs`, this imports nothing of bertsweep's: peers live in environments of their own.

Tables of one's own are those that `benchmarks.curves --pack` writes; docs/curves.md has the format.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Point = dict[str, float]

DRAWN = 2_000
"""Configurations drawn to learn what the best and the median of a surrogate are."""

MISPLACED = 0.9
"""The misplaced baseline is worse than this share of configurations on the other tasks."""


@dataclass(frozen=True)
class Axis:
    """A searched parameter: a range of reals or whole numbers, by value or by logarithm."""

    name: str
    low: float
    high: float
    log: bool = False
    whole: bool = False

    def at(self, share: float) -> float:
        """The value at a share of the range, 0 to 1."""
        low, high = self._ends
        value = low + share * (high - low)
        value = math.exp(value) if self.log else value
        return self.nearest(value)

    def share(self, value: float) -> float:
        low, high = self._ends
        return ((math.log(value) if self.log else value) - low) / ((high - low) or 1)

    def nearest(self, value: float) -> float:
        value = min(max(value, self.low), self.high)
        return round(value) if self.whole else value

    @property
    def _ends(self) -> tuple[float, float]:
        return (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)


class Table(Protocol):
    """Tasks that share a space. Larger values are better."""

    name: str
    axes: Sequence[Axis]
    tasks: Sequence[str]
    groups: Sequence[str]
    """What each task is a repeat of, by another seed; itself where it is none."""

    @property
    def known(self) -> Values:
        """Configurations as shares of the axes, float [n, d], by which regret is normalised."""

    def finals(self, reports: int) -> Values:
        """The best value of each known configuration in each task, float [tasks, n]."""

    def curve(self, task: int, point: Point, reports: int) -> Values:
        """The values of a point after each of `reports` equal parts of a full training."""


class Recorded:
    """A table of configurations and their curves; a point is its nearest configuration."""

    def __init__(
        self,
        name: str,
        *,
        axes: Sequence[Axis],
        shares: Values,
        curves: Mapping[str, Values],
        first: int,
        groups: Sequence[str] | None = None,
    ) -> None:
        self.name, self.axes, self.known = name, axes, shares
        self.tasks = list(curves)
        self.groups = groups or self.tasks
        self._curves = list(curves.values())
        self._first = first

    def finals(self, reports: int) -> Values:
        at = self._at(reports)
        return np.stack([curves[:, at].max(axis=1) for curves in self._curves])

    def curve(self, task: int, point: Point, reports: int) -> Values:
        shares = np.array([axis.share(point[axis.name]) for axis in self.axes])
        nearest = int(np.square(self.known - shares).sum(axis=1).argmin())
        return self._curves[task][nearest, self._at(reports)]

    def _at(self, reports: int) -> NDArray[np.int64]:
        """Columns of the reports; column 0 is before training where `first` is 0."""
        points = self._curves[0].shape[1] - 1 + self._first
        shares = np.arange(1, reports + 1) / reports
        return np.maximum(np.rint(shares * points).astype(np.int64) - self._first, 0)


class Surrogate:
    """LCBench through the surrogate model of YAHPO Gym (Pfisterer et al. 2022)."""

    name = "lcbench"
    _INPUTS = ("batch_size", "learning_rate", "momentum", "weight_decay")
    _MORE = ("num_layers", "max_units", "max_dropout")
    EPOCHS = 52

    def __init__(self, folder: Path, cache: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._model = onnxruntime.InferenceSession(
            str(folder / "lcbench.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._cache = cache
        space = json.loads((folder / "lcbench_space.json").read_text(encoding="utf-8"))
        codes = json.loads((folder / "lcbench_encoding.json").read_text(encoding="utf-8"))
        described = {entry["name"]: entry for entry in space["hyperparameters"]}
        self.tasks = described["OpenML_task_id"]["choices"]
        self.groups = self.tasks
        self._codes = [codes["OpenML_task_id"][task] for task in self.tasks]
        self.axes = [_axis(described[name]) for name in self._INPUTS + self._MORE]
        self._curves: dict[tuple[int, int, tuple[float, ...]], Values] = {}

    @cached_property
    def known(self) -> Values:
        shares = np.random.default_rng(0).random((DRAWN, len(self.axes)))
        at = [[axis.share(axis.at(s)) for s in column] for axis, column in self._columns(shares)]
        return np.array(at).T

    def finals(self, reports: int) -> Values:
        file = self._cache / f"lcbench-{DRAWN}-{reports}.npy"
        if not file.exists():
            found = [self._best(task, reports) for task in range(len(self.tasks))]
            self._cache.mkdir(parents=True, exist_ok=True)
            np.save(file, np.stack(found))
        return np.asarray(np.load(file), np.float64)

    def curve(self, task: int, point: Point, reports: int) -> Values:
        values = tuple(point[axis.name] for axis in self.axes)
        key = (task, reports, values)
        if key not in self._curves:
            self._curves[key] = self._ask(task, np.array([values]), reports)[0]
        return self._curves[key]

    def _best(self, task: int, reports: int) -> Values:
        columns = [[axis.at(s) for s in column] for axis, column in self._columns(self.known)]
        every = np.array(columns).T
        # In parts, which the model answers faster than all at once.
        parts = [self._ask(task, every[at : at + 100], reports) for at in range(0, DRAWN, 100)]
        return np.concatenate(parts).max(axis=1)

    def _columns(self, shares: Values) -> Iterator[tuple[Axis, Values]]:
        return zip(self.axes, shares.T, strict=True)

    def _ask(self, task: int, configurations: Values, reports: int) -> Values:
        """Validation accuracies, float [n, reports]."""
        epochs = np.rint(np.arange(1, reports + 1) / reports * self.EPOCHS)
        count = len(configurations)
        inputs = np.column_stack(
            [np.tile(epochs, count), np.repeat(configurations, reports, axis=0)]
        )
        tasks = np.full((len(inputs), 1), self._codes[task], np.int32)
        named = [one.name for one in self._model.get_inputs()]
        by_width = {one.name: one.shape[1] for one in self._model.get_inputs()}
        feed = {n: tasks if by_width[n] == 1 else inputs.astype(np.float32) for n in named}
        (answer, *_) = self._model.run(None, feed)
        return np.asarray(answer[:, 1], np.float64).reshape(count, reports)


@dataclass(frozen=True)
class Task:
    """One task of a table at a number of reports, and what regret means on it."""

    table: Table
    number: int
    reports: int
    best: float
    median: float
    starts: Mapping[str, Point]
    """A good and a misplaced baseline, by name."""

    @property
    def name(self) -> str:
        return self.table.tasks[self.number]

    @property
    def axes(self) -> Sequence[Axis]:
        return self.table.axes

    def curve(self, point: Point) -> Values:
        return self.table.curve(self.number, point, self.reports)

    def regret(self, value: float) -> float:
        """0 for the best value known, 1 for that of the median configuration."""
        return (self.best - value) / (self.best - self.median)


def tasks(table: Table, reports: int) -> list[Task]:
    """The tasks of a table. The good baseline of one is the best configuration on the others."""
    finals = table.finals(reports)
    best, median = finals.max(axis=1), np.median(finals, axis=1)
    regrets = np.minimum((best[:, None] - finals) / (best - median)[:, None], 3)
    found = []
    for number in range(len(finals)):
        apart = [group != table.groups[number] for group in table.groups]
        others = regrets[apart] if any(apart) else regrets
        order = np.argsort(others.mean(axis=0), kind="stable")
        places = {"good": 0, "misplaced": int(MISPLACED * len(order))}
        starts = {name: _point(table, int(order[place])) for name, place in places.items()}
        found.append(
            Task(table, number, reports, float(best[number]), float(median[number]), starts)
        )
    return found


def taskset(file: Path) -> Recorded:
    """The text classifiers of TaskSet (Metz et al. 2020): losses, column 0 before training."""
    found = np.load(file)
    raw = found["configurations"].copy()
    names = [str(name) for name in found["parameters"]]
    for name in ("beta1", "beta2"):
        place = names.index(name)
        names[place] = f"one_minus_{name}"
        raw[:, place] = 1 - raw[:, place]
    curves = {}
    for task in (str(task) for task in found["tasks"]):
        losses = np.asarray(found[f"{task}/valid"], np.float64)
        # Where training diverged the loss is NaN or huge: no worse than any before training.
        curves[task] = -np.nan_to_num(losses, nan=np.inf).clip(max=np.nanmax(losses[:, 0]))
    axes, shares = _axes(names, raw, [True] * len(names))
    return Recorded("imdb", axes=axes, shares=shares, curves=curves, first=0)


def own(file: Path) -> Recorded:
    """A table that `benchmarks.curves` packed; each seed of a task is a task to be played on."""
    found: Mapping[str, Any] = np.load(file)
    raw = np.asarray(found["configurations"], np.float64)
    names = [str(name) for name in found["parameters"]]
    sign = -1 if str(found["mode"]) == "min" else 1
    curves, groups = {}, []
    for task in (str(task) for task in found["tasks"]):
        values = sign * np.asarray(found[f"{task}/valid"], np.float64)
        worst = np.nanmin(values)
        for seed in range(values.shape[1]):
            # NaN from where training diverged on.
            curves[f"{task}-s{seed}"] = np.nan_to_num(values[:, seed], nan=worst)
            groups.append(task)
    axes, shares = _axes(names, raw, [bool(one) for one in found["log"]])
    return Recorded(file.stem, axes=axes, shares=shares, curves=curves, first=1, groups=groups)


def _axes(names: Sequence[str], raw: Values, logs: Sequence[bool]) -> tuple[list[Axis], Values]:
    axes = [
        Axis(name, float(column.min()), float(column.max()), log)
        for name, column, log in zip(names, raw.T, logs, strict=True)
    ]
    shares = [[axis.share(v) for v in column] for axis, column in zip(axes, raw.T, strict=True)]
    return axes, np.array(shares).T


def _axis(described: Mapping[str, Any]) -> Axis:
    whole = described["type"] == "uniform_int"
    low, high = described["lower"], described["upper"]
    return Axis(described["name"], low, high, described["log"], whole)


def _point(table: Table, index: int) -> Point:
    return {a.name: a.at(float(s)) for a, s in zip(table.axes, table.known[index], strict=True)}
