"""Labels and probabilities of texts, from a checkpoint folder alone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsweep.checkpoints import Checkpoint
from bertsweep.errors import InputError
from bertsweep.space import Scalar
from bertsweep.tokens import Tokens, open_tokenizer

if TYPE_CHECKING:
    import numpy as np

CHUNK_ROWS = 8192
"""Rows that `stream` sorts by length and labels at once."""

_UNCUT = 1 << 30
"""A sequence length that cuts nothing."""


@dataclass(frozen=True)
class Prediction:
    """A label, its probability, and the probability of every label.

    Of two labels the positive one is predicted where its probability reaches the checkpoint's
    threshold, so the predicted label may be the less probable one.
    """

    label: Scalar
    probability: float
    probabilities: dict[Scalar, float]


@dataclass(frozen=True)
class Answers:
    """The predictions for some rows as arrays: those of many rows at once.

    `chosen` is the index of each row's label (int64 [rows]), `probabilities` has one column a
    label (float64 [rows, labels]).
    """

    chosen: np.ndarray[Any, Any]
    probabilities: np.ndarray[Any, Any]


class Predictor:
    """A trained classifier, which computes in the precision that its checkpoint was scored in.

    Its labels therefore score on the validation rows what the sweep reports. `labels` are in the
    order of their class index. `positive` is the second of two labels, and `threshold` the
    probability from which it is predicted; `threshold_rule` says how that was set, as
    `metrics.threshold_rule` does (None in a checkpoint of an earlier version). With more than two
    labels the most probable one is predicted and all three are None.

    A checkpoint may have a `temperature`, by which logits are divided (temperature scaling: Guo et
    al. 2017, "On Calibration of Modern Neural Networks"). It changes probabilities and no label:
    `threshold` is that of the checkpoint at this temperature. TensorFlow is imported when a
    predictor is made.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        """Reads the checkpoint. Raises `InputError` where it is damaged or was removed."""
        from bertsweep.encoders import native
        from bertsweep.model.classifier import Classifier
        from bertsweep.training.compute import Compute
        from bertsweep.training.steps import trace_forward

        record = checkpoint.record
        self.labels: tuple[Scalar, ...] = record.labels
        self.positive: Scalar | None = self.labels[1] if len(self.labels) == 2 else None
        self.temperature: float | None = record.temperature
        self._decided_at = record.threshold
        self.threshold = _tempered(record.threshold, self.temperature)
        self.threshold_rule = record.threshold_rule
        self.text_columns = len(record.text)
        self._length = record.max_seq_length
        arrays = checkpoint.arrays()
        self._pieces = open_tokenizer(checkpoint.vocabulary, lowercase=record.encoder.lowercase)
        config = record.encoder.config
        classifier = Classifier(native.empty(config), config, classes=len(self.labels))
        classifier.compute_in(Compute(record.compute.get("precision", "float32")).dtype)
        classifier.load(arrays)
        self._forward = trace_forward(
            classifier, pair=self.text_columns == 2, pooling=record.pooling
        )

    @classmethod
    def open(cls, folder: Path) -> Predictor:
        """Raises `InputError` when `folder` is no checkpoint or is damaged."""
        checkpoint = Checkpoint.open(folder)
        checkpoint.verify()
        return cls(checkpoint)

    def raw(
        self, texts: Sequence[str], texts_b: Sequence[str] | None = None
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """The probabilities of each text or pair, and its number of word pieces, uncut.

        Probabilities are float64, those of class 1 [rows] with two labels and of every label [rows,
        labels] with more: those that the checkpoint's threshold was set on, without its
        temperature. The texts must be of the kind that `predict` takes. Raises `ValueError` without
        any.
        """
        from bertsweep.training.evaluating import evaluate

        tokens = Tokens.from_texts(self._pieces, texts, texts_b)
        evaluation = evaluate(self._forward, tokens, max_seq_length=self._length)
        return evaluation.probabilities, tokens.lengths(_UNCUT)

    def predict(
        self, texts: Sequence[str], texts_b: Sequence[str] | None = None
    ) -> list[Prediction]:
        """A prediction for each text, or for each pair of `texts` and `texts_b`.

        Raises `InputError` when the checkpoint was trained on the other kind.
        """
        answers = self.answers(texts, texts_b)
        rows = answers.probabilities.tolist()
        return [
            Prediction(self.labels[index], row[index], dict(zip(self.labels, row, strict=True)))
            for index, row in zip(answers.chosen.tolist(), rows, strict=True)
        ]

    def stream(
        self,
        texts: Iterable[str],
        texts_b: Iterable[str] | None = None,
        *,
        chunk_rows: int = CHUNK_ROWS,
    ) -> Iterator[Prediction]:
        """Predictions for texts that need not fit into memory, one by one, in their order.

        `chunk_rows` texts at a time are read, sorted by length, which saves padding, and labelled;
        so as many are read before the first prediction. Raises what `predict` raises, and
        `ValueError` when `texts` and `texts_b` differ in number.
        """
        firsts = iter(texts)
        seconds = iter(texts_b) if texts_b is not None else None
        while True:
            first = list(itertools.islice(firsts, chunk_rows))
            second = None
            if seconds is not None:
                # One more at the end, where the second texts might go on.
                second = list(itertools.islice(seconds, len(first) or 1))
                if len(second) != len(first):
                    raise ValueError("texts and texts_b must be as many, but one of them ended")
            if not first:
                return
            yield from self.predict(first, second)

    def answers(self, texts: Sequence[str], texts_b: Sequence[str] | None = None) -> Answers:
        """What `predict` says, as arrays. Raises `InputError` as it does."""
        import numpy as np

        from bertsweep.model.classifier import probabilities
        from bertsweep.training.evaluating import logits_of

        if (texts_b is None) != (self.text_columns == 1):
            kind = "pairs of texts" if self.text_columns == 2 else "single texts"
            raise InputError(f"this checkpoint was trained on {kind} and takes nothing else.")
        if not texts:
            return Answers(np.zeros(0, np.int64), np.zeros((0, len(self.labels))))
        tokens = Tokens.from_texts(self._pieces, texts, texts_b)
        logits = logits_of(self._forward, tokens, max_seq_length=self._length)
        scored = probabilities(logits)
        told = scored if self.temperature is None else probabilities(logits / self.temperature)
        if logits.ndim == 1:
            told = np.stack([1.0 - told, told], axis=1)
        # The threshold was set on probabilities without temperature, and so it is applied to them.
        if self._decided_at is not None:
            return Answers((scored >= self._decided_at).astype(np.int64), told)
        return Answers(told.argmax(axis=1), told)


def _tempered(threshold: float | None, temperature: float | None) -> float | None:
    """The threshold on probabilities at a temperature that decides as `threshold` does without."""
    if threshold is None or temperature is None or not 0 < threshold < 1:
        return threshold
    logit = math.log(threshold / (1 - threshold)) / temperature
    return 0.5 * (1.0 + math.tanh(0.5 * logit))
