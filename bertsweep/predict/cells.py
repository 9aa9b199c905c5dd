"""Values of columns as JSON holds them, and as cells of a csv file."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from bertsweep.data import ABSENT
from bertsweep.data.tables.columns import as_text


def plain(values: Sequence[Any]) -> list[Any]:
    """Returns a column, maybe an Arrow array, as values that JSON holds.

    Dates and times become ISO 8601, decimals text, bytes base64, numbers that are not finite null.
    """
    if isinstance(values, list):
        return [value if value is ABSENT else _plain(value) for value in values]
    return [_plain(value) for value in values.to_pylist()]  # type: ignore[attr-defined]


def as_cell(value: Any) -> str:
    """Returns a value that JSON holds as text: "" for null, true and false, lists as JSON."""
    if isinstance(value, str):
        return value
    if value is None or value is ABSENT:
        return ""
    return json.dumps(value, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return as_text(value)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
