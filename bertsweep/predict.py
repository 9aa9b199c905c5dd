"""Labels and probabilities of texts, from a checkpoint folder alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsweep.checkpoints import Checkpoint
from bertsweep.errors import InputError
from bertsweep.space import Scalar
from bertsweep.tokens import Tokens, WordPieces

if TYPE_CHECKING:
    import numpy as np

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


class Predictor:
    """A trained classifier, which computes in the precision that its checkpoint was scored in.

    Its labels therefore score on the validation rows what the sweep reports. `labels` are in the
    order of their class index. `positive` is the second of two labels, and `threshold` the
    probability from which it is predicted; `threshold_rule` says how that was set, as
    `metrics.threshold_rule` does (None in a checkpoint of an earlier version). With more than two
    labels the most probable one is predicted and all three are None. TensorFlow is imported when a
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
        self.threshold = record.threshold
        self.threshold_rule = record.threshold_rule
        self.text_columns = len(record.text)
        self._length = record.max_seq_length
        arrays = checkpoint.arrays()
        self._pieces = WordPieces(checkpoint.vocabulary, lowercase=record.encoder.lowercase)
        config = record.encoder.config
        classifier = Classifier(native.empty(config), config, classes=len(self.labels))
        classifier.compute_in(Compute(record.compute.get("precision", "float32")).dtype)
        classifier.load(arrays)
        self._forward = trace_forward(classifier, pair=self.text_columns == 2)

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
        labels] with more: those that the checkpoint's threshold was set on. The texts must be of
        the kind that `predict` takes. Raises `ValueError` without any.
        """
        from bertsweep.training.trainer import evaluate

        tokens = Tokens.from_texts(self._pieces, texts, texts_b)
        evaluation = evaluate(self._forward, tokens, max_seq_length=self._length)
        return evaluation.probabilities, tokens.lengths(_UNCUT)

    def predict(
        self, texts: Sequence[str], texts_b: Sequence[str] | None = None
    ) -> list[Prediction]:
        """A prediction for each text, or for each pair of `texts` and `texts_b`.

        Raises `InputError` when the checkpoint was trained on the other kind.
        """
        from bertsweep.training.trainer import evaluate

        if (texts_b is None) != (self.text_columns == 1):
            kind = "pairs of texts" if self.text_columns == 2 else "single texts"
            raise InputError(f"this checkpoint was trained on {kind} and takes nothing else.")
        if not texts:
            return []
        tokens = Tokens.from_texts(self._pieces, texts, texts_b)
        evaluation = evaluate(self._forward, tokens, max_seq_length=self._length)
        return [self._prediction(row) for row in evaluation.probabilities.tolist()]

    def _prediction(self, row: float | list[float]) -> Prediction:
        each = [1.0 - row, row] if isinstance(row, float) else row
        if self.threshold is not None:
            chosen = int(each[1] >= self.threshold)
        else:
            chosen = max(range(len(each)), key=each.__getitem__)
        return Prediction(
            self.labels[chosen], each[chosen], dict(zip(self.labels, each, strict=True))
        )
