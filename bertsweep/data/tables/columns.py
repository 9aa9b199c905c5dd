"""The columns to read from a table. Values are always text, "" if missing."""

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
    """The text columns (one, or two for pairs) and the label column, None to read no labels.

    Messages call the setting of the text columns `text_key`. Raises `DataError` if the same column
    is named twice.
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
        """All columns, in the order of the values passed to `frame`."""
        return self.text if self.label is None else (*self.text, self.label)

    def positions(self, there: Sequence[str], shown: str, *, header: bool = False) -> list[int]:
        """Returns the position of each column among the columns `there` of the file `shown`.

        `header` means that `there` is the first row of the file, which may turn out to be data.
        Raises `DataError` for a column that is missing, with the nearest name, or not unique.
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
        """Returns columns `text`, `text_b` (pairs only) and `label` from values in column order."""
        import pandas as pd

        names = [*("text", "text_b")[: len(self.text)], "label"][: len(self.wanted)]
        return pd.DataFrame(dict(zip(names, values, strict=True)))


def as_text(value: object) -> str:
    """Returns a JSON value as text: null and NaN as "", True as "true"; a list is a `TypeError`."""
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
    """Replaces half a surrogate pair, which JSON can escape but nothing encode, by U+FFFD."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value
