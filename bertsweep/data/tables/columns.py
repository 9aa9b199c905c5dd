"""The columns of a table that are read: always text, with "" for what is missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertsweep.data.tables.unknown_column import unknown_column
from bertsweep.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

Column = str | int
"""The name of a column, or its number from 1 in a table without a header."""


@dataclass(frozen=True)
class Columns:
    """The text columns (one, or two for pairs) and the label column; None where none is read.

    `text_key` is what messages call the setting of the text columns. Raises `DataError` when one
    column is to be two things.
    """

    text: tuple[Column, ...]
    label: Column | None = None
    text_key: str = "data.text"

    def __post_init__(self) -> None:
        if len(set(self.wanted)) != len(self.wanted):
            raise DataError(
                f"data.text and data.label must name different columns, but got {list(self.text)} "
                f"and {self.label!r}. Name the column that holds the labels in data.label."
            )

    @property
    def wanted(self) -> tuple[Column, ...]:
        """The columns in the order in which their values are read."""
        return self.text if self.label is None else (*self.text, self.label)

    def positions(self, there: Sequence[str], shown: str, *, header: bool = False) -> list[int]:
        """Where each column stands among the columns `there` of the file called `shown`.

        `header` says that `there` is the first row of the file, which may be no header after all.
        Raises `DataError` naming the columns there are and the nearest, or one that stands twice.
        """
        found = []
        for column in self.wanted:
            key = "data.label" if column == self.label else self.text_key
            if isinstance(column, int):
                if column > len(there):
                    raise DataError(
                        f"{key} is column {column}, but {shown} has {len(there)} in its first row. "
                        f"Set {key} to a number from 1 to {len(there)}."
                    )
                found.append(column - 1)
                continue
            if column not in there:
                raise unknown_column(key, column, there, shown, header=header)
            if there.count(column) > 1:
                raise DataError(
                    f"{shown} has {there.count(column)} columns called {column!r}. Rename all but "
                    "the one that is meant."
                )
            found.append(there.index(column))
        if len(set(found)) != len(found):
            raise DataError(
                f"data.text and data.label must be different columns, but {list(self.wanted)} are "
                f"not in {shown}. Set data.label to the column that holds the labels."
            )
        return found

    def frame(self, values: Sequence[Sequence[str]]) -> pd.DataFrame:
        """Columns `text`, `text_b` (pairs only) and `label` of values passed column by column."""
        import pandas as pd

        names = [*("text", "text_b")[: len(self.text)], "label"][: len(self.wanted)]
        return pd.DataFrame(dict(zip(names, values, strict=True)))


def as_text(value: object) -> str:
    """A JSON value as text: null and NaN are "", True is "true"; a list raises `TypeError`."""
    if isinstance(value, str):
        return value if value.isascii() else _whole_characters(value)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    raise TypeError(type(value).__name__)


def _whole_characters(value: str) -> str:
    """JSON may escape half a surrogate pair, which no encoding can hold: it becomes U+FFFD."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value
