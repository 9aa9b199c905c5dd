"""`bertsweep predict`."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from bertsweep import results
from bertsweep.cli._options import Debug, Json, Storage
from bertsweep.cli._output import console, print_json, table, warn
from bertsweep.cli._tables import labelling
from bertsweep.cli._texts import Columns, read_file
from bertsweep.errors import InputError
from bertsweep.paths import storage_root
from bertsweep.system import LIGHT_TENSORFLOW

EXAMPLES = (
    'bertsweep predict quickstart "Why is the sky blue?" "Are you stupid?"',
    "bertsweep predict quickstart --file questions.csv --column question_text --json",
    "bertsweep predict spam --file more.tsv --set data.table.header=false --column 2",
    'bertsweep predict pairs "How old is it?" --text-b "What is its age?"',
)


def predict(
    target: Annotated[
        str,
        typer.Argument(
            metavar="SWEEP_OR_CHECKPOINT", help="A sweep (its best checkpoint), or a checkpoint."
        ),
    ],
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
    storage: Storage = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Label text with a sweep's best checkpoint: label and probability for each."""
    root = storage_root(storage)
    checkpoint = results.checkpoint_of(target, root, notify=warn)
    if file is None:
        if column or settings:
            raise InputError("--column and --set say how --file is written, but there is no --file")
        columns = _typed(text or [], text_b or [])
    elif text or text_b:
        raise InputError("texts come from the command line or from --file, but got both")
    else:
        columns, notes = read_file(
            file,
            checkpoint.folder,
            text=checkpoint.record.text,
            column=column or (),
            settings=settings or (),
        )
        for note in notes:
            console(stderr=True).print(note, soft_wrap=True)
    if not columns[0]:
        raise InputError(
            'there is nothing to label. Give texts, such as "Why is it so?", or --file.'
        )
    for name, value in LIGHT_TENSORFLOW.items():
        os.environ.setdefault(name, value)
    # Only now: it loads TensorFlow.
    from bertsweep.predict import Predictor

    predictor = results.read_checkpoint(target, root, Predictor, first=checkpoint)
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


def _key(label: Any) -> str:
    """A label as the name in a JSON object: as it would stand in JSON, text without quotes."""
    return label if isinstance(label, str) else json.dumps(label)


def _documents(columns: Columns, predictions: Sequence[Any]) -> list[dict[str, Any]]:
    keys = ("text", "text_b")
    return [
        {
            **dict(zip(keys, texts, strict=False)),
            "label": prediction.label,
            "probability": prediction.probability,
            "probabilities": {_key(k): v for k, v in prediction.probabilities.items()},
        }
        for prediction, *texts in zip(predictions, *columns, strict=True)
    ]
