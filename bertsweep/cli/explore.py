"""`bertsweep explore`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bertsweep import api
from bertsweep.cli import _progress
from bertsweep.cli._options import Debug, Json, Settings, Storage
from bertsweep.cli._output import console, print_json
from bertsweep.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from bertsweep.exploration import Exploration

EXAMPLES = (
    "bertsweep explore reviews.yaml --out explore.html",
    "bertsweep explore reviews.csv --encoder models/minilm",
    "bertsweep explore reviews --out plots --format png",
)


def explore(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="SPACE_OR_DATA", help="A search space file, labelled text, or a sweep."
        ),
    ],
    text: Annotated[
        list[str] | None,
        typer.Option("--text", metavar="COLUMN", help="Text column of data; twice for pairs."),
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", metavar="COLUMN", help="Label column of data.")
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option("--encoder", metavar="SOURCE", help="Encoder whose word pieces to count."),
    ] = None,
    settings: Settings = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="PATH", help="Write it all to PATH: FILE.html, or a folder."),
    ] = None,
    form: Annotated[
        Literal["html", "png"],
        typer.Option("--format", help="One self-contained HTML file, or a folder of PNG plots."),
    ] = "html",
    track: Annotated[bool, typer.Option("--track", help="Log tables and plots to W&B.")] = False,
    storage: Storage = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show labels, lengths, likeness of the splits, repeats and likely label errors of data.

    Of a search space file also what each max_seq_length cuts, and the model; of a sweep also the
    rows that every good trial gets wrong. Nothing is trained.
    """
    _check(out, form)
    told = console(stderr=True)
    with _progress.shown(told) as progress:
        found = api.explore(
            subject,
            text=text or (),
            label=label,
            encoder=encoder,
            settings=settings or (),
            storage=storage,
            progress=progress,
            notify=lambda sentence: told.print(sentence, soft_wrap=True),
        )
    written = [] if out is None else _write(found, out, form)
    if track:
        _track(found, told)
    if as_json:
        print_json(found.to_plain())
    else:
        from bertsweep.cli._exploring import tell

        tell(found, console())
    for path in written:
        told.print(f"wrote {path}", soft_wrap=True)
    if not as_json and out is None:
        again = f"bertsweep explore {shlex.quote(subject)} --out explore.html"
        console().print(f"next: {again}", soft_wrap=True)


def _check(out: Path | None, form: str) -> None:
    """Refuses a path that the format cannot be written to, before anything is read."""
    if out is None:
        if form == "png":
            raise InputError("--format png writes a folder of plots. Name it: --out FOLDER.")
        return
    if form == "html" and out.suffix.lower() not in (".html", ".htm"):
        raise InputError(
            f"--out must end in .html, but got {out}. Type --out {out}.html, or --format png for a "
            "folder of plots."
        )
    if form == "png" and out.exists() and not out.is_dir():
        raise InputError(f"--format png writes a folder, but {out} is a file. Name another.")
    if not out.absolute().parent.is_dir():
        raise InputError(f"the folder {out.parent} of --out does not exist. Make it first.")


def _write(found: Exploration, out: Path, form: str) -> list[Path]:
    from bertsweep import atomic
    from bertsweep.exploration import charts, page
    from bertsweep.page import html, write_png

    if form == "html":
        atomic.write_file(out, html(page(found)))
        return [out]
    out.mkdir(exist_ok=True)
    paths = []
    for chart in charts(found):
        paths.append(out / f"{chart.name}.png")
        write_png(chart, paths[-1])
    return paths


def _track(found: Exploration, told: Console) -> None:
    from bertsweep.exploration.tracking import track

    told.print(
        track(found, folder=Path.cwd(), warn=lambda said: told.print(said, soft_wrap=True)),
        soft_wrap=True,
    )
