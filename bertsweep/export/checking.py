"""Compares an export, loaded again in a fresh process, with the checkpoint it was made from."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bertsweep.checkpoints import Checkpoint
from bertsweep.errors import ExportError, InputError
from bertsweep.export.formats import Format, installed
from bertsweep.export.rows import Row
from bertsweep.export.subject import FLOAT32, Subject, in_float32, precision_of
from bertsweep.predict import Prediction, Predictor
from bertsweep.system import LIGHT_TENSORFLOW
from bertsweep.tokens import Tokens
from bertsweep.training.batches import evaluation_batches

_BATCH_ROWS = 64
_surrogates = re.compile(r"[\ud800-\udfff]")
_RELOAD = Path(__file__).parent / "standalone" / "reload.py"


@dataclass(frozen=True)
class Check:
    """What a comparison found: the largest difference of a probability, and who computed it."""

    max_difference: float
    tolerance: float
    rows: int
    checked_with: str

    def to_plain(self) -> dict[str, Any]:
        return dict(vars(self))


class Checker:
    """Knows what the checkpoint answers on some rows, and asks exports the same.

    `label_agreement` is the share of rows on which the checkpoint predicts the same label in
    float32, which exports compute in, as in its own precision.
    """

    def __init__(self, checkpoint: Checkpoint, subject: Subject, rows: Sequence[Row]) -> None:
        """Raises `InputError` for pairs where the checkpoint takes single texts, or the reverse."""
        self._subject, self._rows = subject, list(rows)
        wanted = tuple if subject.pair else str
        if not all(isinstance(row, wanted) for row in self._rows):
            kind = "pairs of texts" if subject.pair else "single texts"
            raise InputError(f"rows must be {kind}, as those that the checkpoint was trained on.")
        columns = zip(*self._rows, strict=True) if subject.pair else [self._rows]
        # Half a surrogate pair, as a JSON file may hold, cannot be written as UTF-8, in which every
        # export takes text.
        self._columns = [[_surrogates.sub("\ufffd", str(t)) for t in column] for column in columns]
        predictions = Predictor(in_float32(checkpoint)).predict(*self._columns)
        self._wanted = np.array([list(p.probabilities.values()) for p in predictions])
        self._labels = _indices(predictions, subject)
        self.label_agreement = 1.0
        if precision_of(checkpoint) != FLOAT32:
            own = Predictor(checkpoint).predict(*self._columns)
            self.label_agreement = float(np.mean(self._labels == _indices(own, subject)))

    def check(self, form: Format, folder: Path) -> Check:
        """Loads the export in `folder` in a process of its own and compares every row.

        Raises `ExportError`, which names the row that differs most.
        """
        if form.name == "huggingface" and not all(map(installed, form.readers)):
            command = ["-m", "bertsweep.export.huggingface_reading", str(folder)]
            checked_with = "tokenizers and bertsweep's reader, as torch and transformers are absent"
        else:
            command = [str(_RELOAD), form.name, str(folder)]
            checked_with = " and ".join(form.readers)
        found = self._asked(form, command)
        labels = found.pop("labels", None)
        worst = max(self._difference(form, way, found[way]) for way in found)
        if labels is not None:
            self._compare_labels(form, labels)
        return Check(worst, form.tolerance, len(self._rows), checked_with)

    def _asked(self, form: Format, command: list[str]) -> dict[str, npt.NDArray[Any]]:
        """What the export answers, with rows in their own order."""
        with tempfile.TemporaryDirectory(prefix="bertsweep-export-") as scratch:
            given, out = Path(scratch), Path(scratch) / "answers.npz"
            order = self._write_batches(given)
            done = subprocess.run(  # noqa: S603 - this Python, with a program of this package
                [sys.executable, *command, str(given), str(out)],
                env={**os.environ, **LIGHT_TENSORFLOW},
                capture_output=True,
                text=True,
                errors="replace",
            )
            if done.returncode:
                last = (done.stderr.strip() or "no message").splitlines()[-1]
                raise ExportError(
                    f"the {form.title} cannot be loaded again (exit {done.returncode}): {last}"
                )
            answers = dict(np.load(out))
        back = np.argsort(order)
        return {name: array[back] for name, array in answers.items()}

    def _write_batches(self, folder: Path) -> npt.NDArray[np.integer]:
        """Writes the rows for the fresh process, sorted by length; returns their numbers."""
        tokens = Tokens.from_texts(self._subject.pieces, *self._columns)
        length = self._subject.length
        batches = evaluation_batches(tokens.lengths(length), batch_size=_BATCH_ROWS)
        arrays: dict[str, Any] = {}
        for n, rows in enumerate(batches):
            for name, array in zip(
                ("ids", "mask", "types"), tokens.batch(rows, max_seq_length=length), strict=True
            ):
                arrays[f"{name}_{n}"] = array
        texts = [[[column[i] for i in rows] for column in self._columns] for rows in batches]
        np.savez(folder / "rows.npz", **arrays)
        (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
        return np.concatenate(batches)

    def _difference(self, form: Format, way: str, got: npt.NDArray[Any]) -> float:
        if got.shape != self._wanted.shape:
            raise ExportError(
                f"the {form.title} must answer with {self._wanted.shape} probabilities, but did "
                f"with {got.shape}."
            )
        each = np.abs(got - self._wanted).max(axis=1)
        row = int(np.argmax(np.where(np.isnan(each), np.inf, each)))
        # Not `>`, which is false for NaN.
        if not each[row] <= form.tolerance:
            raise ExportError(
                f"the {form.title}, asked by {way}, must agree with the checkpoint to "
                f"{form.tolerance:g}, but differs by {each[row]:.2g} in row {row}: "
                f"{_shown(self._rows[row])}. Nothing was exported."
            )
        return float(each[row])

    def _compare_labels(self, form: Format, labels: npt.NDArray[Any]) -> None:
        wanted = np.array(self._subject.names)[self._labels]
        wrong = np.flatnonzero((labels != wanted) & ~self._close(form.tolerance))
        if len(wrong):
            row = int(wrong[0])
            raise ExportError(
                f"the {form.title} labels row {row} {labels[row]!r}, and the checkpoint "
                f"{wanted[row]!r}: {_shown(self._rows[row])}. Nothing was exported."
            )

    def _close(self, tolerance: float) -> npt.NDArray[np.bool_]:
        """Rows whose label the tolerance leaves open."""
        threshold = self._subject.record.threshold
        if threshold is not None:
            return np.abs(self._wanted[:, 1] - threshold) <= tolerance
        ordered = np.sort(self._wanted, axis=1)
        return ordered[:, -1] - ordered[:, -2] <= 2 * tolerance


def _indices(predictions: Sequence[Prediction], subject: Subject) -> npt.NDArray[np.integer]:
    return np.array([subject.labels.index(each.label) for each in predictions])


def _shown(row: Row, *, most: int = 120) -> str:
    text = repr(row)
    return text if len(text) <= most else f"{text[:most]}…"
