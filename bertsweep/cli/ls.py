"""`bertsweep ls`."""

from __future__ import annotations

from bertsweep import results
from bertsweep.cli._options import Debug, Json, Storage
from bertsweep.cli._output import console, print_json, score, table
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
    rows = [(s["name"], s["status"], s["trials"], score(s["best"]), s["path"]) for s in sweeps]
    out.print(table(columns, rows, right=("trials", "best")))
