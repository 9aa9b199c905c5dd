"""`bertsweep resume`."""

from __future__ import annotations

from typing import Annotated

import typer

from bertsweep.cli._live import live_view
from bertsweep.cli._options import Address, Debug, Json, Storage, Sweep
from bertsweep.cli._output import console
from bertsweep.cli._sweeping import conclude
from bertsweep.paths import find_sweep, storage_root

EXAMPLES = ("bertsweep resume quickstart", "bertsweep resume quickstart --trials 40")


def resume(
    sweep: Sweep,
    trials: Annotated[
        int | None,
        typer.Option(
            "--trials", min=1, metavar="N", help="New budget.trials, to go on for longer."
        ),
    ] = None,
    storage: Storage = None,
    address: Address = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Go on with an interrupted sweep, or give a finished one more trials."""
    paths = find_sweep(sweep, storage_root(storage))
    out = console(stderr=as_json)
    out.print(f"going on with {paths.folder}")
    # Only now: it loads Ray.
    from bertsweep import sweep as sweeping

    with live_view(out) as view:
        state = sweeping.resume(
            paths.folder,
            address=address,
            past=view.refill,
            subscribers=[view.handle],
            progress=view.progress,
            notify=view.notify,
            trials=trials,
        )
    conclude(state, paths, out, as_json=as_json)
