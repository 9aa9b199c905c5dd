"""`bertsweep predict`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from bertsweep import results
from bertsweep.cli._labelling import Request, label_rows, open_predictor
from bertsweep.cli._options import Debug, Json, Storage, Target
from bertsweep.cli._output import console, print_json, table, warn
from bertsweep.cli._tables import labelling
from bertsweep.cli._texts import Columns, read_file
from bertsweep.errors import InputError
from bertsweep.paths import storage_root

EXAMPLES = (
    'bertsweep predict quickstart "Why is the sky blue?" "Are you stupid?"',
    "bertsweep predict quickstart --file questions.csv --column question_text --json",
    "bertsweep predict spam --file more.tsv --set data.table.header=false --column 2",
    "bertsweep predict quickstart --file questions.parquet --out labelled.parquet",
    'bertsweep predict pairs "How old is it?" --text-b "What is its age?"',
)


def predict(
    target: Target,
    text: Annotated[
        list[str] | None, typer.Argument(metavar="TEXT", help="Texts to label.")
    ] = None,
    text_b: Annotated[
        list[str] | None,
        typer.Option("--text-b", metavar="TEXT", help="Second text of a pair, one for each TEXT."),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            "--file",
            metavar="FILE",
            help="Texts from a file: one a line (- is standard input), or a table of any format "
            "that data.source takes.",
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="NAME",
            help="Text column of --file, its number if there is no header; default the sweep's.",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="data.KEY=VALUE",
            help="How --file is written, such as data.table.header=false; default as the sweep's.",
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Write every row with its columns and prediction to FILE (.csv, .jsonl or "
            ".parquet), of any size; - writes JSON lines to standard output as rows arrive.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE of --out.")] = False,
    storage: Storage = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Label text with a sweep's best checkpoint: label and probability for each."""
    if file is None and (column or settings):
        raise InputError("--column and --set say how --file is written, but there is no --file")
    if file is not None and (text or text_b):
        raise InputError("texts come from the command line or from --file, but got both")
    if force and out is None:
        raise InputError("--force replaces the file of --out, but there is no --out")
    request = Request(
        target, storage_root(storage), file, tuple(column or ()), tuple(settings or ())
    )
    typed = _typed(text or [], text_b or []) if file is None else None
    if out is not None:
        label_rows(request, typed, out, force=force, as_json=as_json)
    else:
        _show(request, typed, as_json=as_json)


def _show(request: Request, typed: Columns | None, *, as_json: bool) -> None:
    """Labels texts that fit into memory and prints them."""
    checkpoint = results.checkpoint_of(request.target, request.storage, notify=warn)
    columns = typed
    if columns is None:
        columns, notes = read_file(
            str(request.file),
            checkpoint.folder,
            text=checkpoint.record.text,
            column=request.column,
            settings=request.settings,
        )
        for note in notes:
            warn(note)
    if not columns[0]:
        raise InputError(
            'there is nothing to label. Give texts, such as "Why is it so?", or --file.'
        )
    predictor = open_predictor(request, checkpoint)
    predictions = predictor.predict(*columns)
    if as_json:
        print_json(_documents(columns, predictions))
        return
    for line in labelling(predictor.positive, predictor.threshold_rule, predictor.threshold):
        console().print(line)
    rows = [
        (p.label, f"{p.probability:.4f}", " | ".join(texts))
        for p, *texts in zip(predictions, *columns, strict=True)
    ]
    console().print(table(("label", "probability", "text"), rows, right=("probability",)))


def _typed(text: list[str], text_b: list[str]) -> Columns:
    """The texts of the command line."""
    if text_b and len(text_b) != len(text):
        raise InputError(
            f"each TEXT of a pair needs one --text-b, but got {len(text)} and {len(text_b)}"
        )
    return (text, text_b) if text_b else (text,)


def _documents(columns: Columns, predictions: Sequence[Any]) -> list[dict[str, Any]]:
    from bertsweep.predict import label_word

    keys = ("text", "text_b")
    return [
        {
            **dict(zip(keys, texts, strict=False)),
            "label": prediction.label,
            "probability": prediction.probability,
            "probabilities": {label_word(k): v for k, v in prediction.probabilities.items()},
        }
        for prediction, *texts in zip(predictions, *columns, strict=True)
    ]
