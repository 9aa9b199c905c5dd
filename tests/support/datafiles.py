"""Labelled text for the tests of data: files in every format, and `prepare` with few words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bertsweep.data import Dataset, Note, prepare
from bertsweep.progress import Progress
from bertsweep.spec.data_models import Data


def questions(rows: int, *, classes: Sequence[object] = (0, 1)) -> pd.DataFrame:
    """`rows` different texts whose labels go round the classes."""
    return pd.DataFrame(
        {
            "text": [f"Is number {index} a good one?" for index in range(rows)],
            "label": [classes[index % len(classes)] for index in range(rows)],
        }
    )


def prepared(
    folder: Path, source: object, *, progress: Progress | None = None, **data: Any
) -> Dataset:
    """The dataset of `source`, with `folder` for the cache and relative paths."""
    model = Data.model_validate({"source": source, **data})
    return prepare(model, cache=folder / "cache", base=folder, progress=progress)


def written(folder: Path, frame: pd.DataFrame, name: str = "rows.csv") -> str:
    """The path of a csv of `frame`."""
    path = folder / name
    frame.to_csv(path, index=False)
    return str(path)


def odd(dataset: Dataset) -> list[Note]:
    """The notes on what was dropped or looks odd: all but those on the positive class."""
    return [note for note in dataset.notes if not note.kind.startswith("positive_")]


def rows_of(dataset: Dataset) -> set[tuple[str, object]]:
    """(text, label as in the file) of all splits."""
    return {
        (text, dataset.labels[code])
        for frame in dataset.splits.values()
        for text, code in zip(frame["text"], frame["label"], strict=True)
    }
