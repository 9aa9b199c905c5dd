"""Data and encoder → a commented search space file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bertsweep import data as reading
from bertsweep.data import Dataset
from bertsweep.draft.choices import Classes, Split, Training, split_of, training_of
from bertsweep.draft.columns import guess
from bertsweep.draft.companions import beside
from bertsweep.draft.effort import Machine, Sizes, effort, one_training
from bertsweep.draft.facts import Facts, Looked
from bertsweep.draft.lengths import candidates, measure
from bertsweep.encoders import encoder_at_hand, tiny
from bertsweep.encoders.prepared import PreparedEncoder
from bertsweep.errors import InputError
from bertsweep.progress import Progress
from bertsweep.spec import load_data
from bertsweep.spec.data_models import Data
from bertsweep.spec.models import Encoder

_TRIALS, _FINALISTS, _SEEDS = 20, 3, 3
_USUAL_POSITIONS = 512
_STEPS_BETWEEN_REPORTS = 25
_INSTEAD = {
    "text": "Type --text COLUMN.",
    "label": "Type --label COLUMN.",
    "labels": "A file with labels of its own takes a search space file that is written by hand.",
    "split": "It is decided from the rows; change it in the file.",
    "positive": "It is decided from the rows; change it in the file.",
}


def look(
    source: str,
    *,
    text: Sequence[str] = (),
    label: str | None = None,
    settings: Sequence[str] = (),
    cache: Path,
    progress: Progress | None = None,
) -> Looked:
    """Returns what the first rows of a source show, with the columns that are named or guessed.

    `source` is whatever `data.source` may be, `settings` say `data.KEY=VALUE` how it is written.
    Files for validation and test that lie beside a file called train are taken too. Raises
    `DataError`, and `InputError` where no column fits.
    """
    stated = load_data({"source": source}, overrides=settings)
    for key in _INSTEAD:
        if key in stated.model_fields_set:
            raise InputError(f"--set data.{key} has no effect here. {_INSTEAD[key]}")
    seen = reading.peek(stated, base=Path.cwd(), cache=cache, progress=progress)
    columns = guess(seen, source, text=text, label=label)
    files, notes = beside(source, stated, seen, columns, cache=cache)
    names = [*columns.text, columns.label]
    section: dict[str, Any] = {
        "source": files if len(files) > 1 else source,
        "text": names[:-1] if seen.header else list(map(int, names[:-1])),
        "label": names[-1] if seen.header else int(names[-1]),
    }
    if not seen.header and stated.table.header:
        settings = ("data.table.header=false", *settings)
        notes.insert(0, f"{source} has no header: its columns are called by their numbers from 1.")
    data = load_data(section, overrides=settings)
    return Looked(source, data, seen, columns, (*columns.notes, *notes), tuple(settings))


def examine(
    looked: Looked,
    encoder: str,
    *,
    cache: Path,
    progress: Progress | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> Facts:
    """Reads all of the data and returns what a search space file for it is decided by.

    An encoder that would have to be downloaded is not: lengths are then estimated. Raises what
    `run` raises for data and encoder that cannot be used.
    """
    at_hand = encoder_at_hand(Encoder(source=encoder), cache=cache, base=Path.cwd(), notify=notify)
    data, dataset, split = _prepared(looked, cache=cache, progress=progress)
    sizes, machine = Sizes.of(at_hand, encoder), Machine.here()
    rows = len(dataset.splits["train"])
    lengths = measure(dataset.splits["train"], at_hand)
    tried = candidates(lengths, _positions(at_hand))
    training = training_of(sizes, rows=rows, longest=tried[-1], scratch=encoder == tiny.NAME)
    every = _report_every(rows, training)
    operations, steps = one_training(
        sizes,
        rows=rows,
        validation=len(dataset.splits["validation"]),
        tokens=lengths.mean(tried[-1]),
        epochs=training.epochs,
        batch=training.batch_sizes[-1],
        every=every,
    )
    return Facts(
        looked=looked,
        data=data,
        dataset=dataset,
        classes=Classes.of(dataset),
        split=split,
        encoder=encoder,
        sizes=sizes,
        lengths=lengths,
        lengths_tried=tried,
        training=training,
        report_every=every,
        trials=_TRIALS,
        finalists=_FINALISTS,
        seeds=_SEEDS,
        machine=machine,
        cost=effort(
            operations,
            steps,
            trials=_TRIALS,
            repeats=(_FINALISTS + 1) * _SEEDS,
            machine=machine,
        ),
    )


def _prepared(
    looked: Looked, *, cache: Path, progress: Progress | None
) -> tuple[Data, Dataset, Split]:
    """The section `data` with split and positive class, and the dataset that it describes."""
    data, base = looked.data, Path.cwd()
    there = _with_files(looked)
    dataset = reading.prepare(data, cache=cache, base=base, progress=progress)
    cut = [name for name in dataset.splits if name not in there]
    split = split_of(sum(len(dataset.splits[name]) for name in cut), there)
    sizes, scored = data.split.model_copy(update=dict(split.sizes)), Classes.of(dataset).scored()
    as_it_was = sizes == data.split and scored == dataset.positive
    data = data.model_copy(update={"split": sizes, "positive": scored})
    if not as_it_was:
        dataset = reading.prepare(data, cache=cache, base=base, progress=progress)
    return data, dataset, split


def _with_files(looked: Looked) -> tuple[str, ...]:
    """The splits that are not cut from the training rows."""
    return tuple({*looked.seen.splits, *looked.data.files()} - {"train"})


def _positions(encoder: PreparedEncoder | None) -> int:
    return _USUAL_POSITIONS if encoder is None else encoder.config.max_position_embeddings


def _report_every(rows: int, training: Training) -> float:
    """Four evaluations an epoch where each then has some steps to tell of, else two."""
    steps = rows / training.batch_sizes[-1]
    return 0.25 if steps >= 4 * _STEPS_BETWEEN_REPORTS else 0.5
