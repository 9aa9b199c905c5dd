"""`bertsweep run`."""

from __future__ import annotations

from typing import Annotated

import typer

from bertsweep import api
from bertsweep.api import load_spec
from bertsweep.cli._live import live_view
from bertsweep.cli._options import Address, Debug, Json, Settings, SpecFile, Storage
from bertsweep.cli._output import console
from bertsweep.cli._sweeping import conclude, describe

EXAMPLES = (
    "bertsweep run search_spaces/quickstart.yaml",
    "bertsweep run search_spaces/quora.yaml --set data.source=train.csv --set budget.trials=6",
)


def run(
    file: SpecFile,
    settings: Settings = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="Name of the sweep; default that of the file."),
    ] = None,
    storage: Storage = None,
    address: Address = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Run a sweep from a search space file to its best checkpoint.

    Ctrl-C once stops it cleanly, and `bertsweep resume` goes on.
    """
    spec = load_spec(file, overrides=settings or ())
    out = console(stderr=as_json)
    for line in describe(spec, name=name):
        out.print(line)
    with live_view(out) as view:
        sweep = api.run(
            spec,
            storage=storage,
            base=file.absolute().parent,
            name=name,
            address=address,
            subscribers=[view.handle],
            progress=view.progress,
            notify=view.notify,
        )
    conclude(sweep, out, as_json=as_json)
