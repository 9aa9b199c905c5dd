"""The checkpoints that are scored, and what is fixed of them before: threshold and temperature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bertsweep import checkpoints
from bertsweep.checkpoints import Checkpoint
from bertsweep.errors import InputError
from bertsweep.evaluation import Aim, Answers, Rows, temperature_for
from bertsweep.evaluation.rows import Floats, Ints
from bertsweep.ledger import SweepState, TrialState
from bertsweep.paths import SweepPaths
from bertsweep.predict import Predictor
from bertsweep.progress import Progress
from bertsweep.ranking import best_repeat
from bertsweep.usable import checkpoint_in

if TYPE_CHECKING:
    import pandas as pd

_CHUNK_ROWS = 2048
"""Rows that are scored before the progress is told, and before a Ctrl-C is heeded."""


@dataclass(frozen=True)
class Contender:
    """A checkpoint of a trial, and the threshold that its labels have here (None: more classes)."""

    trial: str
    checkpoint: Checkpoint
    threshold: float | None


def baseline_of(
    state: SweepState, paths: SweepPaths, winner: TrialState, *, notify: Callable[[str], None]
) -> tuple[TrialState, Checkpoint] | None:
    """The baseline to compare the winner with, verified; None, with a sentence, without one.

    A winner that is the best of several seeds is compared with the baseline's best of as many; so
    is a refit, which was trained on more rows.
    """
    trial = state.baseline
    if trial is None:
        return None
    if trial.id in (winner.id, winner.repeats):
        notify("the winner is the baseline itself: there is nothing to compare it with")
        return None
    if winner.repeats is not None:
        trial = best_repeat(state, trial.id) or trial
    checkpoint = checkpoint_in(trial, paths, notify=notify)
    if checkpoint is None:
        notify(f"the baseline {trial.id} has no checkpoint to compare the winner with")
        return None
    return trial, checkpoint


@dataclass(frozen=True)
class Validation:
    """Labels [rows] and a checkpoint's probabilities of the validation rows."""

    labels: Ints
    answers: Answers


def kept_validation(checkpoint: Checkpoint) -> Validation | None:
    """What the checkpoint predicted for its validation rows when it was written.

    Those of a refit, which was trained on them, are of the repeats of its configuration. None in
    one of a version that kept no predictions, and where they are damaged.
    """
    folder = checkpoint.folder
    kept = checkpoints.read_predictions(folder.parent, folder.name)
    if kept is None:
        return None
    return Validation(kept.labels, Answers(kept.probabilities, checkpoint.record.threshold))


def scored_validation(
    checkpoint: Checkpoint, frame: pd.DataFrame, progress: Progress | None
) -> Validation:
    """The same, predicted now."""
    found, _ = probabilities(Predictor(checkpoint), frame, "scoring the validation rows", progress)
    answers = Answers(found, checkpoint.record.threshold)
    return Validation(frame["label"].to_numpy(), answers)


def fixed_threshold(
    checkpoint: Checkpoint, aim: Aim | None, validation: Validation | None
) -> float | None:
    """The threshold for an aim; without one the checkpoint's own.

    Raises `InputError` for an aim with more than two classes, and where no validation rows can tell
    the threshold.
    """
    own = checkpoint.record.threshold
    if aim is None:
        return own
    if own is None:
        raise InputError(
            f"--aim sets the threshold of two classes, but there are "
            f"{len(checkpoint.record.labels)}: the likeliest one is predicted. Leave --aim out."
        )
    if validation is None:
        raise InputError(
            f"{checkpoint.folder} holds no predictions for the validation rows, which --aim needs. "
            "Leave --aim out, for the threshold that the checkpoint has."
        )
    return aim.threshold(validation.labels, validation.answers.probabilities)


def fixed_temperature(validation: Validation | None) -> float | None:
    """The temperature that fits the validation rows best; None without any."""
    return None if validation is None else temperature_for(validation.labels, validation.answers)


def probabilities(
    predictor: Predictor, frame: pd.DataFrame, what: str, progress: Progress | None
) -> tuple[Floats, Ints]:
    """The probabilities and numbers of word pieces of rows `text` and `text_b` (pairs only)."""
    scored, lengths = [], []
    texts = [frame[column].tolist() for column in ("text", "text_b") if column in frame]
    for start in range(0, len(frame), _CHUNK_ROWS):
        chunk = [column[start : start + _CHUNK_ROWS] for column in texts]
        found, pieces = predictor.raw(*chunk)
        scored.append(found)
        lengths.append(pieces)
        if progress is not None:
            progress(what, min(start + _CHUNK_ROWS, len(frame)), len(frame))
    return np.concatenate(scored), np.concatenate(lengths)


@dataclass(frozen=True)
class Scored:
    """Labelled rows, and what winner and baseline (None without one) say of them."""

    rows: Rows
    winner: Answers
    baseline: Answers | None


def score(
    frame: pd.DataFrame,
    winner: Contender,
    baseline: Contender | None,
    *,
    before: Callable[[], None] = lambda: None,
    progress: Progress | None = None,
) -> Scored:
    """Both contenders on the same rows.

    `before` is called when both have been loaded, before either is given a row. Raises `InputError`
    where a checkpoint is damaged or its labels are not those of the other.
    """
    contenders = [one for one in (winner, baseline) if one is not None]
    predictors = [Predictor(one.checkpoint) for one in contenders]
    before()
    answers, lengths = [], list[Ints]()
    for one, predictor in zip(contenders, predictors, strict=True):
        found, pieces = probabilities(predictor, frame, f"scoring {one.trial}", progress)
        lengths.append(pieces)
        answers.append(Answers(found, one.threshold))
    texts = frame["text"] if "text_b" not in frame else frame["text"] + " " + frame["text_b"]
    rows = Rows(
        labels=frame["label"].to_numpy(),
        names=winner.checkpoint.record.labels,
        texts=texts.tolist(),
        lengths=lengths[0],
    )
    return Scored(rows, answers[0], answers[1] if baseline is not None else None)
