"""The columns that a prediction adds to those of its row."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bertsweep.data import ABSENT
from bertsweep.errors import InputError
from bertsweep.predict.predictor import Answers
from bertsweep.space import Scalar


def added_names(labels: Sequence[Scalar]) -> list[str]:
    """The names of the columns that a prediction adds."""
    words = map(label_word, labels)
    return ["predicted_label", "predicted_probability", *(f"probability_{word}" for word in words)]


def label_word(label: Scalar) -> str:
    """A label as a part of a name: as it would stand in JSON, text without quotes."""
    return label if isinstance(label, str) else json.dumps(label)


def added_values(answers: Answers, labels: Sequence[Scalar]) -> Iterator[list[Any]]:
    """Yields the added values of each row, in the order of `added_names`."""
    for index, row in zip(answers.chosen.tolist(), answers.probabilities.tolist(), strict=True):
        yield [labels[index], row[index], *row]


def check_columns(names: Sequence[str], added: Sequence[str]) -> None:
    """Raises `InputError` where a column of the input has the name of an added one."""
    for name in names:
        if name in added:
            raise InputError(
                f"the input must not have a column {name!r}, which --out adds. Rename it there, or "
                "take it out."
            )


def fitted(
    columns: Mapping[str, Sequence[Any]], names: Sequence[str], rows: int
) -> list[Sequence[Any]]:
    """Returns the columns `names`, absent where a chunk lacks one.

    Raises `InputError` for a column that the first chunk did not have.
    """
    for name in columns:
        if name not in names:
            raise InputError(
                f"the first rows must show every column, but {name!r} occurs in later ones only. "
                "Write JSON lines: --out with a name that ends in .jsonl."
            )
    return [columns[name] if name in columns else [ABSENT] * rows for name in names]
