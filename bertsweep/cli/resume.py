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
    trainings: Annotated[
        float | None, typer.Option("--trainings", metavar="N", help="New budget.trainings.")
    ] = None,
    gpu_hours: Annotated[
        float | None, typer.Option("--gpu-hours", metavar="N", help="New budget.gpu_hours.")
    ] = None,
    hours: Annotated[
        float | None, typer.Option("--hours", metavar="N", help="New budget.hours.")
    ] = None,
    storage: Storage = None,
    address: Address = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Go on with an interrupted sweep, or give a finished one more budget."""
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
            trainings=trainings,
            gpu_hours=gpu_hours,
            hours=hours,
        )
    conclude(opened, out, as_json=as_json)
