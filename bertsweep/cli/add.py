"""`bertsweep add`."""

from __future__ import annotations

from typing import Annotated

import typer

from bertsweep.cli._options import Debug, Storage, Sweep
from bertsweep.cli._output import parameters
from bertsweep.cli._steering import ask, running
from bertsweep.spec import from_plain, point_in_words
from bertsweep.steering import AddPoint

EXAMPLES = ("bertsweep add quora --point learning_rate=3e-5,dropout=0.1",)


def add(
    sweep: Sweep,
    point: Annotated[
        list[str],
        typer.Option(
            "--point",
            metavar="NAME=VALUE,…",
            help="A point of the space; what is left out is the baseline's. May be given many "
            "times.",
        ),
    ],
    storage: Storage = None,
    debug: Debug = False,
) -> None:
    """Have a running sweep try a point of the space next, within its budget."""
    opened = running(sweep, storage)
    spec = from_plain(dict(opened.state.started.spec))
    for text in point:
        found = point_in_words(spec, text)
        ask(opened, AddPoint(point=found), done=f"next: {parameters(found)}")
