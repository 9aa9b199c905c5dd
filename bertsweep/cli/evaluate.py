"""`bertsweep evaluate`."""

from __future__ import annotations

from typing import Annotated

import typer

from bertsweep import api
from bertsweep.cli import _progress, _scores
from bertsweep.cli._options import Debug, Json, Storage
from bertsweep.cli._output import console, print_json
from bertsweep.errors import InputError
from bertsweep.system import import_tensorflow_lightly

EXAMPLES = (
    "bertsweep evaluate quickstart",
    "bertsweep evaluate quora --aim precision_at_recall=0.8",
    "bertsweep evaluate quickstart --data more.csv --set data.label=target",
)


def evaluate(
    target: Annotated[
        str,
        typer.Argument(
            metavar="SWEEP_OR_CHECKPOINT",
            help="A sweep: its winner is scored. A checkpoint's folder only with --data.",
        ),
    ],
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="FILE",
            help="Labelled rows of your own, of any format that data.source takes, in place of "
            "the test split; nothing is recorded.",
        ),
    ] = None,
    aim: Annotated[
        str | None,
        typer.Option(
            "--aim",
            metavar="AIM",
            help="What the threshold is for: f1, accuracy, balanced_accuracy, "
            "precision_at_recall=0.8, recall_at_precision=0.9 or cost=fp:1,fn:5; default the "
            "checkpoint's own.",
        ),
    ] = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="Read the test split once more; that stays on record."),
    ] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="data.KEY=VALUE",
            help="How --data is written, such as data.label=target; default as the sweep's data.",
        ),
    ] = None,
    storage: Storage = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Score a sweep's winner and baseline on the test split, once, or on a labelled file.

    Winner, threshold and temperature are fixed on the validation rows and recorded before the
    first test row is read. After Ctrl-C or a crash the same command completes the reading.
    """
    if data is None and settings:
        raise InputError("--set says how --data is written, but there is no --data")
    if data is not None and again:
        raise InputError("--again is of the test split, and --data of other rows: leave one out")
    import_tensorflow_lightly()
    out = console(stderr=as_json)
    with _progress.shown(out) as progress:
        found = api.evaluate(
            target,
            data=data,
            settings=settings or (),
            storage=storage,
            aim=aim,
            again=again,
            progress=progress,
            notify=lambda sentence: out.print(sentence, soft_wrap=True),
        )
    document = found.to_plain()
    if as_json:
        print_json(document)
        return
    rows = "test split" if data is None else data
    out.print(f"{found.trial} on the {document['rows']:,} rows of the {rows}")
    for line in _scores.labelled_from(document):
        out.print(line)
    out.print(_scores.metrics_table(document))
    out.print(_scores.classes_table(document))
    out.print(_scores.slices_table(document))
    for line in (*_scores.sentences(document), *_scores.warning(document)):
        out.print(line, soft_wrap=True)
