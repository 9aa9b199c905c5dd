"""`bertsweep ls`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bertsweep import results
from bertsweep.cli._options import Debug, Json, Storage
from bertsweep.cli._output import console, duration, print_json, score, table
from bertsweep.ledger import RUNNING, silence
from bertsweep.paths import storage_root

EXAMPLES = ("bertsweep ls", "bertsweep ls --storage /mnt/sweeps --json")


def ls(storage: Storage = None, as_json: Json = False, debug: Debug = False) -> None:
    """List the sweeps under the storage folder, with their status and best value."""
    root = storage_root(storage)
    sweeps = results.listing(root)
    if as_json:
        print_json(sweeps)
        return
    out = console()
    if not sweeps:
        out.print(f"no sweep in {root}; `bertsweep run FILE` makes one, --storage looks elsewhere")
        return
    columns = ("name", "status", "trials", "best", "path")
    rows = [(s["name"], _status(s), s["trials"], score(s["best"]), s["path"]) for s in sweeps]
    out.print(table(columns, rows, right=("trials", "best")))


def _status(entry: Mapping[str, Any]) -> str:
    """The status, and of a running sweep for how long it has been silent, if that is long."""
    if entry["status"] != RUNNING or (silent := silence(entry["last_event"])) is None:
        return str(entry["status"])
    return f"{RUNNING}, no sign of life for {duration(silent)}"
