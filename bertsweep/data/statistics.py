"""Statistics of a dataset: rows, classes, lengths of texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bertsweep.data.dataset import SPLITS, Dataset

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Lengths = np.ndarray[Any, Any]

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_BINS = 40


def statistics(dataset: Dataset) -> dict[str, Any]:
    """Returns the statistics of a dataset as values that JSON can represent.

    {hash, labels, positive, notes: [{kind, count, message}], splits: {name: {rows, classes:
    [{label, rows, share}], words: LENGTHS, characters: LENGTHS}}} with LENGTHS = {mean, min, max,
    quantiles: {"0.5": …}, histogram: {edges, counts}}; `positive` is null unless there are two
    classes. Words are separated by white space; the two texts of a pair count together. A histogram
    has one more edge than counts, and all splits share the edges: bin i counts edges[i] <= length <
    edges[i + 1], the last bin also all longer texts.
    """
    lengths = {
        "words": length_statistics({name: words(dataset.splits[name]) for name in SPLITS}),
        "characters": length_statistics(
            {name: characters(dataset.splits[name]) for name in SPLITS}
        ),
    }
    return {
        "hash": dataset.hash,
        "labels": list(dataset.labels),
        "positive": dataset.positive,
        "notes": [
            {"kind": note.kind, "count": note.count, "message": note.message}
            for note in dataset.notes
        ],
        "splits": {
            name: {
                "rows": len(dataset.splits[name]),
                "classes": _classes(dataset, name),
                **{kind: splits[name] for kind, splits in lengths.items()},
            }
            for name in SPLITS
        },
    }


def length_statistics(lengths: Mapping[str, Lengths]) -> dict[str, dict[str, Any]]:
    """Returns LENGTHS, as `statistics` describes them, of lengths (int [rows]) by split."""
    edges = _edges(lengths)
    return {name: _summary(each, edges) for name, each in lengths.items()}


def _texts(frame: pd.DataFrame) -> list[pd.Series[str]]:
    return [frame[column] for column in ("text", "text_b") if column in frame]


def words(frame: pd.DataFrame) -> Lengths:
    """The words of each row."""
    import numpy as np

    counts = [
        np.fromiter((len(text.split()) for text in texts.tolist()), np.int64, len(texts))
        for texts in _texts(frame)
    ]
    return np.asarray(sum(counts))


def characters(frame: pd.DataFrame) -> Lengths:
    """The characters of each row."""
    import numpy as np

    counts = [
        np.fromiter(map(len, texts.tolist()), np.int64, len(texts)) for texts in _texts(frame)
    ]
    return np.asarray(sum(counts))


def _edges(splits: Mapping[str, Lengths]) -> Lengths:
    """Returns integer edges of equal bins, from 0 past the 99.5th percentile of all splits."""
    import numpy as np

    top = int(np.quantile(np.concatenate(list(splits.values())), 0.995)) + 1
    width = -(-top // _BINS)
    return np.arange(0, top + width, width)


def _classes(dataset: Dataset, name: str) -> list[dict[str, Any]]:
    import numpy as np

    codes = dataset.splits[name]["label"].to_numpy()
    counts = np.bincount(codes, minlength=len(dataset.labels))
    return [
        {"label": label, "rows": int(count), "share": float(count / len(codes))}
        for label, count in zip(dataset.labels, counts, strict=True)
    ]


def _summary(lengths: Lengths, edges: Lengths) -> dict[str, Any]:
    import numpy as np

    counts, _ = np.histogram(np.minimum(lengths, edges[-1] - 1), bins=edges)
    quantiles = np.quantile(lengths, _QUANTILES)
    return {
        "mean": float(lengths.mean()),
        "min": int(lengths.min()),
        "max": int(lengths.max()),
        "quantiles": {str(q): float(value) for q, value in zip(_QUANTILES, quantiles, strict=True)},
        "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
    }
