"""`bertsweep resume`."""

from __future__ import annotations

from typing import Annotated

import typer

from bertsweep import api
from bertsweep.api import open_sweep
from bertsweep.cli._live import live_view
from bertsweep.cli._options import Address, Debug, Json, Storage, Sweep
from bertsweep.cli._output import console
from bertsweep.cli._sweeping import conclude

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
    opened = open_sweep(sweep, storage=storage)
    out = console(stderr=as_json)
    out.print(f"going on with {opened.folder}")
    with live_view(out) as view:
        opened = api.resume(
            opened,
            address=address,
            subscribers=[view.handle],
            progress=view.progress,
            notify=view.notify,
            trials=trials,
        )
    conclude(opened, out, as_json=as_json)
