"""Fingerprints and JSON of the files that an encoder is read from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bertsweep.errors import EncoderError


def fingerprint(paths: Iterable[Path]) -> str:
    """Returns path, size and time of those files that exist: they tell a change without reading."""
    lines = []
    for path in paths:
        if path.is_file():
            status = path.stat()
            lines.append(f"{path.resolve()} {status.st_size} {status.st_mtime_ns}")
    return "\n".join(lines)


def read_json(path: Path) -> dict[str, Any]:
    """Returns the object in a JSON file. Raises `EncoderError` where there is none."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EncoderError(
            f"{path} cannot be read as JSON ({error}). Fetch it again from where the model is."
        ) from error
    if not isinstance(raw, dict):
        raise EncoderError(f"{path} must hold a JSON object, but got {type(raw).__name__}.")
    return raw
