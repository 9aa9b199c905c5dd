"""jsonl tables: one JSON object a line."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

from bertsweep.data.tables.columns import Columns, as_text
from bertsweep.data.tables.compressed import PackedFile, Unpacked
from bertsweep.data.tables.delimited import TICK_ROWS, Tick
from bertsweep.data.tables.encoding import not_utf8
from bertsweep.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


def read_jsonl(file: PackedFile, columns: Columns, *, tick: Tick) -> pd.DataFrame:
    """One row a line; blank lines are skipped, a key left out or null is missing.

    Raises `DataError` with the line for one that is no JSON object or holds a list for a text.
    """
    with file.open() as opened:
        text = io.TextIOWrapper(opened.stream, encoding="utf-8-sig", newline="\n")
        try:
            return columns.frame(_collect(text, opened, file.shown, columns, tick))
        except UnicodeDecodeError as error:
            raise not_utf8(file) from error
        finally:
            text.detach()


def _collect(
    lines: io.TextIOWrapper, opened: Unpacked, shown: str, columns: Columns, tick: Tick
) -> list[list[str]]:
    values: list[list[str]] = [[] for _ in columns.names]
    takers = [(each.append, name) for each, name in zip(values, columns.names, strict=True)]
    there: dict[str, None] = {}
    for number, line in enumerate(lines, start=1):
        if line.isspace():
            continue
        row = _object(line, number, shown)
        there.update(dict.fromkeys(row))
        for take, name in takers:
            value = row.get(name)
            try:
                take(value if type(value) is str and value.isascii() else as_text(value))
            except TypeError as error:
                raise DataError(
                    f"{shown}, line {number:,}: {name!r} must be a text, number or boolean, but "
                    f"got a {error}. Write one value a row."
                ) from error
        if number % TICK_ROWS == 0:
            tick(opened)
    if not there:
        raise DataError(f"{shown} is empty. Give a file with one JSON object a line.")
    columns.positions(list(there), shown)
    return values


def _object(line: str, number: int, shown: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        row = error
    if isinstance(row, dict):
        return row
    got = f"not JSON ({row})" if isinstance(row, Exception) else f"a {type(row).__name__}"
    remedy = (
        "Turn the array into lines with `jq -c '.[]' FILE > NEW`."
        if line.lstrip().startswith("[")
        else "Write one object a line."
    )
    raise DataError(
        f"{shown}, line {number:,}: each line must be one JSON object, but this one is {got}. "
        f"{remedy}"
    )
