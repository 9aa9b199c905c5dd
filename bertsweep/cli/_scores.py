"""The tables and sentences of an evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bertsweep.cli._output import score, short, table

if TYPE_CHECKING:
    from rich.table import Table

Plain = Mapping[str, Any]


def metrics_table(document: Plain) -> Table:
    """Every score with its interval, beside the baseline's and the difference."""
    beside = document["against_baseline"]
    columns = [document["trial"], "95 % interval"]
    columns += [] if beside is None else [f"baseline {beside['trial']}", "difference", "95 % of it"]
    rows = []
    for name, value in document["metrics"].items():
        row = [name, score(value), _interval(document["intervals"].get(name))]
        if beside is not None:
            difference = beside["differences"].get(name)
            row.append(score(beside["metrics"][name]))
            row.append("-" if difference is None else _signed(difference["value"]))
            row.append(_interval(difference, sign="+"))
        rows.append(row)
    return table(("", *columns), rows, right=columns)


def classes_table(document: Plain) -> Table:
    """Each class: its rows, precision, recall, F1, and what its rows are labelled as."""
    names = [str(one["label"]) for one in document["classes"]]
    given = [f"as {name}" for name in names] if len(names) <= _MOST_CLASSES else []
    columns = ("rows", "precision", "recall", "f1", *given)
    rows = [
        (
            name,
            str(one["rows"]),
            *(score(one[key]) for key in ("precision", "recall", "f1")),
            *(str(count) for count in document["confusion"][index] if given),
        )
        for index, (name, one) in enumerate(zip(names, document["classes"], strict=True))
    ]
    return table(("class", *columns), rows, right=columns)


_MOST_CLASSES = 8
"""More columns of a confusion matrix do not fit a screen."""


def slices_table(document: Plain) -> Table:
    """Rows by length and by class, each with its score."""
    columns = ("rows", "errors", "score", "95 % interval")
    rows = [
        (
            f"{one['slice']} word pieces" if by == "length" else f"class {one['slice']}",
            one["metric"],
            str(one["rows"]),
            str(one["errors"]),
            score(one["score"]),
            _interval(one),
        )
        for by in ("length", "class")
        for one in document["slices"][by]
    ]
    return table(("slice", "scored by", *columns), rows, right=columns)


def sentences(document: Plain) -> Iterator[str]:
    """Calibration, the words of the errors, and the verdict."""
    calibration = document["calibration"]
    error = calibration["expected_calibration_error"]
    if document["temperature"] is not None:
        yield (
            f"calibration: expected error {score(error['before'])}, "
            f"{score(error['after'])} after a temperature of {calibration['temperature']:.3g}"
        )
    else:
        yield f"calibration: expected error {score(error['before'])}"
    words = document["slices"]["words"]
    if words:
        named = ", ".join(f"{one['slice']} ({one['errors']} of {one['rows']})" for one in words[:8])
        yield f"words that the errors share (wrong of all rows with it): {named}"
    beside = document["against_baseline"]
    if beside is not None:
        mcnemar = beside["mcnemar"]
        yield (
            f"only {document['trial']} is right in {mcnemar['only_winner_right']} rows, only the "
            f"baseline in {mcnemar['only_baseline_right']} (McNemar, p {mcnemar['p_value']:.2g})"
        )
        yield beside["verdict"]


def reading(document: Plain | None) -> Iterator[str]:
    """What `best` and `show` say of the test split: its scores, and how often it was read."""
    if document is None:
        return
    metric = document["metric"]
    value, interval = document["metrics"][metric], document["intervals"].get(metric)
    times = "once" if document["opened"] == 1 else f"{document['opened']} times"
    yield (
        f"test split (read {times}): {metric} {score(value)} ({_interval(interval)}) by "
        f"{document['trial']} on {document['rows']:,} rows"
    )
    if document["against_baseline"] is not None:
        yield document["against_baseline"]["verdict"]
    yield from warning(document)


def warning(document: Plain) -> Iterator[str]:
    """That the test split had been read before; nothing of a first reading."""
    if document["again"]:
        yield (
            f"warning: this is reading {document['opened']} of the test split: what was chosen "
            "after the first may have been chosen by it"
        )


def labelled_from(document: Plain) -> Iterator[str]:
    """What the threshold is and what for."""
    if document["threshold"] is not None:
        aim = document["aim"] or "the checkpoint's own"
        yield (
            f"positive: {document['positive']}, from a probability of "
            f"{short(document['threshold'])} ({aim}, fixed on the validation rows)"
        )


def _interval(interval: Plain | None, *, sign: str = "") -> str:
    if interval is None or interval["low"] is None:
        return "-"
    return f"{interval['low']:{sign}.4f} to {interval['high']:{sign}.4f}"


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.4f}"
