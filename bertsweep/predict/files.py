"""Labels the rows of a file chunk by chunk, in memory that does not grow with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bertsweep.data import RowStream
from bertsweep.predict.outputs import Output
from bertsweep.predict.predictor import Predictor
from bertsweep.space import Scalar


@dataclass(frozen=True)
class Done:
    """What came of labelling a file: its `rows`, and how many were given each of the labels.

    `empty` rows had no text; they are labelled as empty texts. `first_empty` is the number of the
    first of them, from 1.
    """

    rows: int
    labels: Mapping[Scalar, int]
    empty: int = 0
    first_empty: int | None = None


def predict_rows(
    predictor: Predictor,
    rows: RowStream,
    output: Output,
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> Done:
    """Writes every row of `rows`, in order, with its label and probabilities to `output`.

    `progress` is called with the number of rows done. Raises `InputError` when the checkpoint was
    trained on another number of texts, and what reading and writing raise.
    """
    done = empty = 0
    first_empty: int | None = None
    counts: Counter[int] = Counter()
    for chunk in rows:
        answers = predictor.answers(*chunk.texts)
        output.write(chunk, answers)
        counts.update(answers.chosen.tolist())
        for number, texts in enumerate(zip(*chunk.texts, strict=True), start=done + 1):
            if not any(texts):
                empty += 1
                first_empty = first_empty or number
        done += len(chunk)
        progress(done)
    labels = {label: counts[index] for index, label in enumerate(predictor.labels)}
    return Done(done, labels, empty, first_empty)
