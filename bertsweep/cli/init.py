"""`bertsweep init`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

from bertsweep import api
from bertsweep.cli import _asking, _progress
from bertsweep.cli._options import Debug, Json
from bertsweep.cli._output import console, print_json, table
from bertsweep.errors import InputError
from bertsweep.paths import cache_root

if TYPE_CHECKING:
    from bertsweep.draft import Drafted, Looked

EXAMPLES = (
    "bertsweep init reviews.csv --encoder hf://google-bert/bert-base-uncased",
    "bertsweep init questions.tsv --text question --label topic --encoder models/minilm",
    "bertsweep init --template quora",
)

_LIST = "list"


class COMMAND(typer.core.TyperCommand):
    """Lets `--template` stand without a name, which lists the templates."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        for place, word in enumerate(args):
            alone = place + 1 == len(args) or args[place + 1].startswith("-")
            if word == "--template" and alone:
                args = [*args[: place + 1], _LIST, *args[place + 1 :]]
                break
        return super().parse_args(ctx, args)


def init(
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="[DATA]",
            help="Labelled text: a file, folder, pattern or address.",
            show_default=False,
        ),
    ] = None,
    text: Annotated[
        list[str] | None,
        typer.Option("--text", metavar="COLUMN", help="Text column; twice for pairs of texts."),
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", metavar="COLUMN", help="Label column.")
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder",
            metavar="SOURCE",
            help="Pre-trained encoder: hf://owner/name, a TF Hub handle, a folder, builtin:tiny.",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="data.KEY=VALUE",
            help="How the data are written, where that is not recognised; goes into the file.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="File to write; default NAME.yaml in the current folder."
        ),
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(
            "--template",
            metavar="NAME",
            help="Write one of the files that come with bertsweep; without NAME, list them.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file of --out.")] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Look at labelled text and write a search space file for it.

    In a terminal, what is not given is asked for. Columns are guessed and said; the file has
    comments on every choice, and `bertsweep run` runs it as it is.
    """
    if template is not None:
        if data or text or label or settings or encoder:
            raise InputError("--template writes a file as it comes: leave out data and columns.")
        _template(template, out, force=force, as_json=as_json)
        return
    from bertsweep.draft import look

    ask = sys.stdin.isatty() and not as_json
    told = console(stderr=True)
    if data is None:
        data = _asking.source(told, ask=ask)
    with _progress.shown(told) as progress:
        looked = look(
            data,
            text=text or (),
            label=label,
            settings=settings or (),
            cache=cache_root(),
            progress=progress,
        )
    if ask and not (text and label):
        looked = _asking.columns(told, looked, text=text, label=label)
    if encoder is None:
        encoder = _asking.encoder(told, ask=ask)
    with _progress.shown(told) as progress:
        drafted = api.init(
            looked,
            encoder=encoder,
            out=out,
            force=force,
            progress=progress,
            notify=lambda sentence: told.print(sentence, soft_wrap=True),
        )
    if as_json:
        print_json(drafted.to_plain())
    else:
        _tell(looked, drafted)


def _tell(looked: Looked, drafted: Drafted) -> None:
    out = console()
    for note in drafted.notes:
        out.print(note, soft_wrap=True)
    out.print(f"metric: {drafted.metric}: {drafted.facts.classes.metric()[1]}.", soft_wrap=True)
    out.print(f"budget: {drafted.facts.trials} trials, roughly {drafted.estimate}.", soft_wrap=True)
    for line in drafted.advice:
        out.print(line, soft_wrap=True)
    name = shlex.quote(str(drafted.path))
    out.print(f"wrote {drafted.path}. next:", soft_wrap=True)
    out.print(f"  bertsweep validate {name}", soft_wrap=True)
    out.print(f"  bertsweep run {name}", soft_wrap=True)


def _template(name: str, out: Path | None, *, force: bool, as_json: bool) -> None:
    from bertsweep.draft import summaries, write_template

    if name == _LIST:
        found = summaries()
        if as_json:
            print_json({"templates": found})
        else:
            console().print(table(("template", "what it is"), list(found.items())))
            console().print("next: bertsweep init --template NAME")
        return
    path = write_template(name, out, force=force)
    if as_json:
        print_json({"template": name, "path": str(path.absolute())})
        return
    console().print(f"wrote {path}. next:", soft_wrap=True)
    console().print(f"  bertsweep validate {shlex.quote(str(path))}", soft_wrap=True)
    console().print(f"  bertsweep run {shlex.quote(str(path))}", soft_wrap=True)
