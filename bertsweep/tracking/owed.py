"""Runs that are owed to W&B, on record before what they tell of, so that no kill loses one."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsweep import atomic


@dataclass(frozen=True)
class Owed:
    """A file for each run in `folder`: what another command needs to know to write it.

    Nothing here raises: of a folder that cannot be written the runs themselves warn.
    """

    folder: Path

    def note(self, name: str, what: Mapping[str, Any]) -> None:
        """A run is to be written."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            atomic.write_file(self.folder / f"{name}.json", json.dumps(what) + "\n")

    def settle(self, name: str) -> None:
        """The run was written, or there is nothing that it could tell of."""
        with contextlib.suppress(OSError):
            (self.folder / f"{name}.json").unlink(missing_ok=True)

    def all(self) -> dict[str, dict[str, Any]]:
        """Name → what was noted, of every run that is owed still."""
        found = {}
        for path in sorted(self.folder.glob("*.json")):
            with contextlib.suppress(OSError, ValueError):
                found[path.stem] = json.loads(path.read_text(encoding="utf-8"))
        return found
