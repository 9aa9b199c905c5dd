"""The error for a missing column: the columns of the table, the likely one, what to set."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from bertsweep.errors import DataError

_NAMED = 20
_LONGEST_NAME = 30
_WORDS_OF_A_NAME = 5


def unknown_column(
    key: str, name: str, there: Sequence[str], shown: str, *, header: bool
) -> DataError:
    """Returns the error for a setting `key` that names a column missing in the file `shown`.

    `there` are the columns of the file. With `header` they are its first row; if that looks like
    data, the message says so.
    """
    if header and looks_like_data(there):
        return DataError(_no_header(key, name, there, shown))
    said = f"{key} names the column {name!r}, but {shown} has the columns {listed(there)}."
    near = difflib.get_close_matches(
        name.lower(), [each.lower() for each in there], n=1, cutoff=0.5
    )
    for column in there:
        if near and column.lower() == near[0]:
            return DataError(f"{said} Did you mean {_setting(key, column)}?")
    if len(there) == 1 and header and re.search(r"[^\w\s.-]", there[0]):
        return DataError(
            f"{said} If something else separates its columns, set data.table.separator."
        )
    return DataError(f"{said} Set {key} to one of them.")


def listed(columns: Sequence[str]) -> str:
    """Returns the names of columns as a list, each cut to a readable length."""
    more = f" and {len(columns) - _NAMED:,} more" if len(columns) > _NAMED else ""
    return (", ".join(map(_shortened, columns[:_NAMED])) or "(none)") + more


def looks_like_data(row: Sequence[str]) -> bool:
    """Whether a field is a number, empty (except an unnamed index), or too long for a name."""
    return any(
        (not field.strip() and position > 0)
        or len(field) > 2 * _LONGEST_NAME
        or len(field.split()) > _WORDS_OF_A_NAME
        or re.fullmatch(r"[+-]?[0-9]+([.,][0-9]+)?", field.strip())
        for position, field in enumerate(row)
    )


def _no_header(key: str, name: str, row: Sequence[str], shown: str) -> str:
    longest = max(range(len(row)), key=lambda position: len(row[position])) + 1
    text_key = "data.text" if key.startswith("data.") else key
    return (
        f"{key} names the column {name!r}, but the first row of {shown} is {listed(row)}, which "
        "looks like data and not like a header. If there is no header, set data.table.header: "
        f"false, and the columns by their numbers from 1, such as {_setting(text_key, longest)}."
    )


def _setting(key: str, value: object) -> str:
    return f"{key} {value}" if key.startswith("--") else f"{key}: {value}"


def _shortened(name: str) -> str:
    line = " ".join(name.split())
    return repr(line if len(line) <= _LONGEST_NAME else f"{line[: _LONGEST_NAME - 1]}…")
