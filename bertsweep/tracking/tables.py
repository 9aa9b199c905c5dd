"""What the data looks like, as W&B tables and plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_LENGTHS = ("words", "characters")


def data_charts(
    wandb: Any,
    *,
    statistics: Mapping[str, Any],
    sample: Sequence[Mapping[str, Any]],
    labels: Sequence[Any],
    notes: Sequence[Any],
) -> dict[str, Any]:
    """Key → table or plot, ready to log: sample rows, notes, label and length distributions.

    `statistics` is what `data.statistics` returns; `sample` are rows {text, label, …} with class
    indices as labels, left out when empty.
    """
    splits = statistics["splits"]
    classes = wandb.Table(
        columns=["split", "label", "rows", "share"],
        data=[
            [name, str(one["label"]), one["rows"], one["share"]]
            for name, split in splits.items()
            for one in split["classes"]
        ],
    )
    charts = {"data/labels": classes}
    for name, split in splits.items():
        bars = [[str(one["label"]), one["rows"]] for one in split["classes"]]
        table = wandb.Table(columns=["label", "rows"], data=bars)
        charts[f"data/labels_{name}"] = wandb.plot.bar(
            table, "label", "rows", title=f"labels of {name}"
        )
    for kind in _LENGTHS:
        charts[f"data/{kind}"] = _length_table(wandb, splits, kind)
        charts[f"data/{kind}_plot"] = _length_plot(wandb, splits, kind)
    if sample:
        charts["data/sample"] = _sample_table(wandb, sample, labels)
    if notes:
        charts["data/notes"] = wandb.Table(
            columns=["kind", "count", "message"],
            data=[[note.kind, note.count, note.message] for note in notes],
        )
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
