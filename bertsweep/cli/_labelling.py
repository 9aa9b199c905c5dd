"""`predict --out`: labels files of any size, with progress."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsweep import results
from bertsweep.checkpoints import Checkpoint
from bertsweep.cli._output import duration, print_json, warn
from bertsweep.cli._row_progress import row_progress
from bertsweep.cli._texts import Columns, open_file
from bertsweep.data import Chunk, RowStream, single_chunk
from bertsweep.errors import InputError
from bertsweep.system import import_tensorflow_lightly

if TYPE_CHECKING:
    from bertsweep.predict import Done, Predictor


@dataclass(frozen=True)
class Request:
    """What is labelled: with which sweep or checkpoint, and the file, None for typed texts."""

    target: str
    storage: Path
    file: str | None
    column: tuple[str, ...]
    settings: tuple[str, ...]


def open_predictor(request: Request, checkpoint: Checkpoint) -> Predictor:
    """The predictor of a checkpoint that was found for the request; loads TensorFlow."""
    import_tensorflow_lightly()
    from bertsweep.predict import Predictor

    return results.read_checkpoint(request.target, request.storage, Predictor, first=checkpoint)


def label_rows(
    request: Request, typed: Columns | None, out: str, *, force: bool, as_json: bool
) -> None:
    """Writes the rows of the file, or typed texts, with their predictions to `out`."""
    from bertsweep.predict import check_target, open_output, predict_rows

    if as_json and out == "-":
        raise InputError("--out - writes JSON lines and --json one document: give one of them")
    check_target(out, force=force)
    checkpoint = results.checkpoint_of(request.target, request.storage, notify=warn)
    with _rows(request, checkpoint, typed) as rows:
        told = [note.message for note in rows.notes]
        for sentence in told:
            warn(sentence)
        predictor = open_predictor(request, checkpoint)
        begun = time.monotonic()
        with (
            open_output(out, predictor.labels, force=force) as output,
            row_progress(rows.rows) as progress,
        ):
            done = predict_rows(predictor, rows, output, progress=progress)
        seconds = time.monotonic() - begun
        for note in rows.notes[len(told) :]:
            warn(note.message)
    _tell(done, out, seconds, as_json=as_json)


@contextmanager
def _rows(request: Request, checkpoint: Checkpoint, typed: Columns | None) -> Iterator[RowStream]:
    if typed is not None:
        yield _typed_rows(typed)
        return
    with open_file(
        str(request.file),
        checkpoint.folder,
        text=checkpoint.record.text,
        column=request.column,
        settings=request.settings,
    ) as (rows, notes):
        for note in notes:
            warn(note)
        yield rows


def _typed_rows(typed: Columns) -> RowStream:
    if not typed[0]:
        raise InputError(
            'there is nothing to label. Give texts, such as "Why is it so?", or --file.'
        )
    return single_chunk(Chunk(typed, dict(zip(("text", "text_b"), typed, strict=False))))


def _tell(done: Done, out: str, seconds: float, *, as_json: bool) -> None:
    if done.empty:
        rows = "1 row has" if done.empty == 1 else f"{done.empty:,} rows have"
        warn(f"{rows} no text (the first is row {done.first_empty:,}): labelled as an empty text.")
    rate = done.rows / seconds if seconds > 0 else 0.0
    if as_json:
        print_json(_document(done, out, seconds, rate))
        return
    where = "standard output" if out == "-" else out
    counts = ", ".join(f"{label}: {count:,}" for label, count in done.labels.items())
    rows = "1 row" if done.rows == 1 else f"{done.rows:,} rows"
    warn(f"{rows} written to {where} in {duration(seconds)} ({rate:,.0f} rows/s); {counts}")


def _document(done: Done, out: str, seconds: float, rate: float) -> dict[str, Any]:
    from bertsweep.predict import label_word

    return {
        "out": str(Path(out).expanduser().absolute()),
        "rows": done.rows,
        "empty": done.empty,
        "labels": {label_word(label): count for label, count in done.labels.items()},
        "seconds": seconds,
        "rows_per_second": rate,
    }
