"""`bertsweep export`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from bertsweep.cli._live import live_view
from bertsweep.cli._options import Debug, Json, Storage, Target
from bertsweep.cli._output import console, print_json, table
from bertsweep.system import import_tensorflow_lightly

EXAMPLES = (
    "bertsweep export quickstart --to quickstart-model",
    "bertsweep export quickstart --to quickstart-model --format savedmodel,onnx --json",
)


def export(
    target: Target,
    to: Annotated[
        Path,
        typer.Option(
            "--to", metavar="FOLDER", help="A new folder, or an earlier export to be replaced."
        ),
    ],
    formats: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORMAT,…",
            help="savedmodel, keras, huggingface, onnx, or several of them.",
        ),
    ] = "savedmodel,keras,huggingface,onnx",
    storage: Storage = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Write a sweep's best checkpoint for others to load: each format checked against it.

    Each is loaded again in a fresh process and compared on the validation rows. --to then appears
    whole, with a model card and metrics.json; on a difference nothing does.
    """
    import_tensorflow_lightly()
    # Only now: it loads TensorFlow.
    from bertsweep import api

    with live_view(console(stderr=True)) as view:
        done = api.export_model(
            target,
            to,
            formats=[name.strip() for name in formats.split(",") if name.strip()],
            storage=storage,
            progress=view.progress,
            notify=view.notify,
        )
    folder = to.expanduser().absolute()
    if as_json:
        print_json({"path": str(folder), **done})
        return
    rows = [
        (name, f"{check['max_difference']:.1e}", check["rows"], str(folder / name))
        for name, check in done["exports"].items()
    ]
    columns = ("format", "differs at most by", "rows", "folder")
    console().print(table(columns, rows, right=columns[1:3]))
    console().print(f"model card: {folder / 'README.md'}", soft_wrap=True)
    console().print(f"next: less {shlex.quote(str(folder / 'README.md'))}", soft_wrap=True)
