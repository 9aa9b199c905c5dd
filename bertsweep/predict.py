"""Labels and probabilities of texts, from a checkpoint folder alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bertsweep.checkpoints import Checkpoint
from bertsweep.errors import InputError
from bertsweep.space import Scalar
from bertsweep.tokens import Tokens, WordPieces


@dataclass(frozen=True)
class Prediction:
    """A label, how probable it is, and the probability of every label.

    With two labels the second is given where its probability reaches the checkpoint's threshold,
    so a label may be given below one half.
    """

    label: Scalar
    probability: float
    probabilities: dict[Scalar, float]


class Predictor:
    """A trained classifier; TensorFlow is imported when it is opened."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        """Reads the checkpoint. Raises `InputError` where it is damaged or was removed."""
        from bertsweep.encoders import native
        from bertsweep.model.classifier import Classifier
        from bertsweep.training.steps import trace_forward

        record = checkpoint.record
        self.labels: tuple[Scalar, ...] = record.labels
        self.threshold = record.threshold
        self.text_columns = len(record.text)
        self._length = record.max_seq_length
        arrays = checkpoint.arrays()
        self._pieces = WordPieces(checkpoint.vocabulary, lowercase=record.encoder.lowercase)
        config = record.encoder.config
        classifier = Classifier(native.empty(config), config, classes=len(self.labels))
        classifier.load(arrays)
        self._forward = trace_forward(classifier, pair=self.text_columns == 2)

    @classmethod
    def open(cls, folder: Path) -> Predictor:
        """Raises `InputError` when `folder` is no checkpoint or is damaged."""
        checkpoint = Checkpoint.open(folder)
        checkpoint.verify()
        return cls(checkpoint)

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
