"""The run of job_type `data`: what the data looks like, as tables and plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bertsweep.ledger.events import SweepStarted
from bertsweep.tracking.plans import RunSettings

_LENGTHS = ("words", "characters")


@dataclass(frozen=True)
class DataRun:
    """The data of a sweep.

    `statistics` is what `data.statistics` returns, `sample` rows {split, text, label, …} with class
    indices as labels, of which a table is made (none when empty), `labels` the label of each class,
    `notes` what was dropped or looks odd.
    """

    started: SweepStarted
    statistics: Mapping[str, Any]
    sample: Sequence[Mapping[str, Any]]
    labels: Sequence[Any]
    notes: Sequence[Any]

    step = 1

    @property
    def settings(self) -> RunSettings:
        return RunSettings(
            id=f"{self.started.sweep}-data",
            name=f"{self.started.name}-data",
            job_type="data",
            config={
                "sweep": self.started.name,
                "data_hash": self.statistics["hash"],
                "labels": [str(label) for label in self.labels],
                "positive": self.statistics["positive"],
                "rows": self._rows,
            },
        )

    def charts(self, wandb: Any) -> dict[str, Any]:
        """Sample rows, notes, the distributions of labels and lengths."""
        charts = distributions(wandb, self.statistics["splits"], kinds=_LENGTHS)
        if self.sample:
            charts["data/sample"] = _sample_table(wandb, self.sample, self.labels)
        if self.notes:
            charts["data/notes"] = wandb.Table(
                columns=["kind", "count", "message"],
                data=[[note.kind, note.count, note.message] for note in self.notes],
            )
        return charts

    def summary(self) -> dict[str, Any]:
        return {f"rows_{name}": count for name, count in self._rows.items()}

    def files(self) -> None:
        return None

    @property
    def _rows(self) -> dict[str, int]:
        return {name: split["rows"] for name, split in self.statistics["splits"].items()}


def distributions(wandb: Any, splits: Mapping[str, Any], *, kinds: Sequence[str]) -> dict[str, Any]:
    """Key → table or plot of the labels, and of the lengths of these kinds, of every split."""
    classes = [
        [name, str(one["label"]), one["rows"], one["share"]]
        for name, split in splits.items()
        for one in split["classes"]
    ]
    charts = {"data/labels": wandb.Table(columns=["split", "label", "rows", "share"], data=classes)}
    for name, split in splits.items():
        bars = [[str(one["label"]), one["rows"]] for one in split["classes"]]
        table = wandb.Table(columns=["label", "rows"], data=bars)
        charts[f"data/labels_{name}"] = wandb.plot.bar(
            table, "label", "rows", title=f"labels of {name}"
        )
    for kind in kinds:
        charts[f"data/{kind}"] = _length_table(wandb, splits, kind)
        charts[f"data/{kind}_plot"] = _length_plot(wandb, splits, kind)
    return charts


def _sample_table(wandb: Any, sample: Sequence[Mapping[str, Any]], labels: Sequence[Any]) -> Any:
    columns = list(dict.fromkeys(name for row in sample for name in row))
    return wandb.Table(
        columns=columns,
        data=[[_cell(name, row.get(name), labels) for name in columns] for row in sample],
    )


def _cell(column: str, value: Any, labels: Sequence[Any]) -> Any:
    """Labels as they stand in the file, all as text: a W&B column has one type."""
    return str(labels[int(value)]) if column == "label" and value is not None else value


def _length_table(wandb: Any, splits: Mapping[str, Any], kind: str) -> Any:
    rows = []
    for name, split in splits.items():
        edges, counts = split[kind]["histogram"]["edges"], split[kind]["histogram"]["counts"]
        rows += [
            [name, low, high, count]
            for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
        ]
    return wandb.Table(columns=["split", "from", "below", "rows"], data=rows)


def _length_plot(wandb: Any, splits: Mapping[str, Any], kind: str) -> Any:
    """Share of rows by length, a line a split, so that small splits compare with large ones."""
    histograms = {name: split[kind]["histogram"] for name, split in splits.items()}
    return wandb.plot.line_series(
        xs=[histogram["edges"][:-1] for histogram in histograms.values()],
        ys=[
            [count / max(1, sum(histogram["counts"])) for count in histogram["counts"]]
            for histogram in histograms.values()
        ],
        keys=list(histograms),
        title=f"share of rows by {kind}",
        xname=kind,
    )
