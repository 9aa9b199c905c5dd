"""The columns of a table that are read: always text, with "" for what is missing."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertsweep.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_NAMED = 20


@dataclass(frozen=True)
class Columns:
    """The names of the text columns (one, or two for pairs) and of the label column.

    Raises `DataError` when one column is asked to be two things.
    """

    text: tuple[str, ...]
    label: str

    def __post_init__(self) -> None:
        if len(set(self.names)) != len(self.names):
            raise DataError(
                f"data.text and data.label must name different columns, but got {list(self.text)} "
                f"and {self.label!r}. Name the column that holds the labels in data.label."
            )

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.text, self.label)

    def positions(self, there: Sequence[str], shown: str) -> list[int]:
        """Where each column stands in the header `there`.

        Raises `DataError` naming the columns there are and the nearest, or a column standing twice.
        """
        for key, names in (("data.text", self.text), ("data.label", (self.label,))):
            for name in names:
                if name not in there:
                    raise DataError(_missing(key, name, there, shown))
                if there.count(name) > 1:
                    raise DataError(
                        f"{shown} has {there.count(name)} columns called {name!r}. Rename all but "
                        "the one that is meant."
                    )
        return [there.index(name) for name in self.names]

    def frame(self, values: Sequence[Sequence[str]]) -> pd.DataFrame:
        """Columns `text`, `text_b` (pairs only) and `label` of values given column by column."""
        import pandas as pd

        own = ("text", "text_b")[: len(self.text)]
        return pd.DataFrame(dict(zip((*own, "label"), values, strict=True)))


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


def _missing(key: str, name: str, there: Sequence[str], shown: str) -> str:
    more = f" and {len(there) - _NAMED:,} more" if len(there) > _NAMED else ""
    columns = ", ".join(repr(column) for column in there[:_NAMED]) + more
    said = f"{key} names the column {name!r}, but {shown} has the columns {columns or '(none)'}."
    if len(there) == 1:
        for mark, called in (("\t", "tabs"), (";", "semicolons"), ("|", "bars")):
            if mark in there[0]:
                remedy = "Set data.format: tsv." if mark == "\t" else "Save it with commas."
                return f"{said} It seems to be separated by {called}. {remedy}"
    near = difflib.get_close_matches(
        name.lower(), [each.lower() for each in there], n=1, cutoff=0.5
    )
    for column in there:
        if near and column.lower() == near[0]:
            return f"{said} Did you mean {key}: {column}?"
    return f"{said} Set {key} to one of them."
