"""`bertsweep stop`."""

from __future__ import annotations

from typing import Annotated

import typer

from bertsweep.cli._options import Debug, Storage, Sweep
from bertsweep.cli._steering import ask, running
from bertsweep.cli._sweeping import handle
from bertsweep.errors import InputError
from bertsweep.steering import StopTrial

EXAMPLES = ("bertsweep stop quora --trial t0007",)


def stop(
    sweep: Sweep,
    trial: Annotated[
        list[str] | None,
        typer.Option("--trial", metavar="TRIAL", help="A running trial. May be given many times."),
    ] = None,
    storage: Storage = None,
    debug: Debug = False,
) -> None:
    """Stop a trial of a running sweep at its next report; what it reached counts.

    The sweep goes on with another one. `bertsweep pause` stops the whole sweep.
    """
    opened = running(sweep, storage)
    name = handle(opened.paths)
    if not trial:
        raise InputError(
            f"stop wants a trial: bertsweep stop {name} --trial t0007. "
            f"To stop the whole sweep: bertsweep pause {name}"
        )
    for one in trial:
        ask(opened, StopTrial(trial=one), done=f"{one} stops at its next report")
