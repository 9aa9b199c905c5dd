"""The reports of a trial in little memory: a long sweep has hundreds of thousands of them."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence
from typing import Any, TypedDict, overload

from bertsweep.ledger.events import TrialReported


class Report(TypedDict):
    """What is kept of a `TrialReported` event; metrics are None where they were not finite."""

    report: int
    epoch: float
    examples: int
    seconds: float
    metrics: dict[str, float | None]


_FIELDS = 4
"""Numbers of a report before its metrics."""


class Reports(Sequence[Report]):
    """The reports of one trial, each made when it is asked for.

    Kept as one array for all successive reports with metrics of the same names, which takes a tenth
    of the memory of dictionaries. Reports are only ever added, so a snapshot shares the arrays and
    remembers how much of them it covers.
    """

    __slots__ = ("_frozen", "_runs")

    def __init__(self) -> None:
        self._runs: list[tuple[tuple[str, ...], array[float], int | None]] = []
        self._frozen = False

    def append(self, event: TrialReported) -> None:
        """Takes what is kept of the event. Raises `TypeError` on a snapshot."""
        if self._frozen:
            raise TypeError("a snapshot of reports takes no more of them")
        names = tuple(event.metrics)
        if not self._runs or self._runs[-1][0] != names:
            self._runs.append((names, array("d"), None))
        rows = self._runs[-1][1]
        row: list[Any] = [event.report, event.epoch, event.examples, event.seconds]
        row += event.metrics.values()
        try:
            rows.fromlist(row)
        except TypeError:  # an array cannot hold None
            rows.fromlist([math.nan if number is None else number for number in row])

    def snapshot(self) -> Reports:
        """The reports so far, whatever is added later."""
        made = Reports()
        made._runs = [(names, rows, len(rows)) for names, rows in self._spans()]
        made._frozen = True
        return made

    def curve(self, metric: str) -> list[tuple[int, float, float]]:
        """Number of the report, epoch and value, in order, wherever the metric has a value."""
        points: list[tuple[int, float, float]] = []
        for names, rows in self._spans():
            if metric in names:
                width = _FIELDS + len(names)
                values = rows[_FIELDS + names.index(metric) :: width]
                found = zip(rows[::width], rows[1::width], values, strict=True)
                points += [(int(n), epoch, value) for n, epoch, value in found if value == value]
        return points

    def _spans(self) -> Iterator[tuple[tuple[str, ...], array[float]]]:
        for names, rows, end in self._runs:
            # Of a snapshot a copy: another thread may be adding to the array meanwhile.
            yield names, rows if end is None else rows[:end]

    def __len__(self) -> int:
        return sum(
            (len(rows) if end is None else end) // (_FIELDS + len(names))
            for names, rows, end in self._runs
        )

    def __iter__(self) -> Iterator[Report]:
        for names, rows in self._spans():
            numbers = iter(_plain(rows))
            for row in zip(*[numbers] * (_FIELDS + len(names)), strict=True):
                yield _report(names, row)

    @overload
    def __getitem__(self, index: int) -> Report: ...
    @overload
    def __getitem__(self, index: slice) -> list[Report]: ...
    def __getitem__(self, index: int | slice) -> Report | list[Report]:
        if isinstance(index, slice):
            return list(self)[index]
        left = index if index >= 0 else index + len(self)
        for names, rows, end in self._runs:
            width = _FIELDS + len(names)
            length = len(rows) if end is None else end
            if 0 <= left * width < length:
                return _report(names, _plain(rows[left * width : (left + 1) * width]))
            left -= length // width
        raise IndexError(index)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reports) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Reports({list(self)})"


def _plain(numbers: Sequence[float]) -> Sequence[Any]:
    """The same with None for what stands for it."""
    if math.isnan(sum(numbers)):
        return [None if math.isnan(number) else number for number in numbers]
    return numbers


def _report(names: Sequence[str], row: Sequence[Any]) -> Report:
    return {
        "report": int(row[0]),
        "epoch": row[1],
        "examples": int(row[2]),
        "seconds": row[3],
        "metrics": dict(zip(names, row[_FIELDS:], strict=True)),
    }
