"""`bertsweep confirm`."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Literal

import typer

from bertsweep import api
from bertsweep.api import open_sweep
from bertsweep.cli._confirmed import confirmed_table, verdict
from bertsweep.cli._documents import confirmation
from bertsweep.cli._live import live_view
from bertsweep.cli._options import Address, Debug, Json, Storage, Sweep
from bertsweep.cli._output import console, print_json
from bertsweep.cli._sweeping import next_commands

EXAMPLES = (
    "bertsweep confirm quickstart",
    "bertsweep confirm quora --finalists 3 --seeds 5 --vary seed --vary split",
)


class Vary(Enum):
    """What may differ between repeats."""

    SEED = "seed"
    SPLIT = "split"


def confirm(
    sweep: Sweep,
    finalists: Annotated[
        int | None,
        typer.Option("--finalists", min=1, metavar="N", help="Most trials that are repeated."),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option("--seeds", min=2, metavar="N", help="Fresh seeds of each.")
    ] = None,
    vary: Annotated[
        list[Vary] | None,
        typer.Option("--vary", help="What differs between repeats; may be given twice."),
    ] = None,
    prefer: Annotated[
        Literal["cheaper", "simpler"] | None,
        typer.Option("--prefer", help="Which of finalists that tie is chosen."),
    ] = None,
    refit: Annotated[
        Literal["none", "train+validation"] | None,
        typer.Option("--refit", help="Rows that the winner is trained on once more."),
    ] = None,
    storage: Storage = None,
    address: Address = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Train the best trials of a sweep again with fresh seeds, and choose the winner by that.

    What is not given is as `confirm` in the search space file says. What was repeated before is not
    repeated again; Ctrl-C stops cleanly, and `bertsweep resume` goes on.
    """
    opened = open_sweep(sweep, storage=storage)
    varied = None if vary is None else [one.value for one in vary]
    given = {
        "finalists": finalists,
        "seeds": seeds,
        "vary": varied,
        "prefer": prefer,
        "refit": refit,
    }
    out = console(stderr=as_json)
    out.print(f"confirming the winner of {opened.folder}", soft_wrap=True)
    with live_view(out) as view:
        opened = api.confirm(
            opened,
            opened.confirm_settings(
                **{name: value for name, value in given.items() if value is not None}
            ),
            address=address,
            subscribers=[view.handle],
            progress=view.progress,
            notify=view.notify,
        )
    document = confirmation(opened)
    if as_json:
        print_json({"sweep": opened.name, **(document or {})})
        return
    if document is not None:
        out.print(confirmed_table(document))
        for line in verdict(document):
            out.print(line, soft_wrap=True)
    out.print("next:")
    for command in next_commands(opened):
        out.print(f"  {command}", soft_wrap=True)
