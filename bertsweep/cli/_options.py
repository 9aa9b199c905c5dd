"""The options that verbs share, as annotated types."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def _remember_debug(context: typer.Context, value: bool) -> bool:
    if value and context.obj is not None:
        context.obj.debug = True
    return value


Debug = Annotated[
    bool,
    typer.Option(
        "--debug", callback=_remember_debug, is_eager=True, help="Show the traceback of an error."
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document (docs/json.md); logs go to stderr.")
]
Storage = Annotated[
    str | None,
    typer.Option(
        "--storage",
        envvar="BERTSWEEP_STORAGE",
        metavar="FOLDER",
        help="Folder that holds sweeps; default ./runs.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY.PATH=VALUE",
        help="Override a key of the file; VALUE is read as YAML. May be given many times.",
    ),
]
Sweep = Annotated[
    str, typer.Argument(metavar="SWEEP", help="A sweep's folder, or its name under --storage.")
]
Target = Annotated[
    str,
    typer.Argument(
        metavar="SWEEP_OR_CHECKPOINT", help="A sweep (its best checkpoint), or a checkpoint."
    ),
]
SpecFile = Annotated[Path, typer.Argument(metavar="FILE", help="Search space file (YAML).")]
Address = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="ADDRESS",
        help="Running Ray cluster, such as auto or HOST:6379; default RAY_ADDRESS, else local.",
    ),
]
