"""What is exported: a checkpoint with its weights and tokenizer in memory."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bertsweep.checkpoints import Checkpoint, CheckpointRecord
from bertsweep.encoders.config import EncoderConfig
from bertsweep.space import Scalar
from bertsweep.tokens import Tokenizer, open_tokenizer

if TYPE_CHECKING:
    import numpy as np

    from bertsweep.spec.hyperparameters import Pooling

    Arrays = Mapping[str, np.ndarray[Any, Any]]

FLOAT32 = "float32"
_ENCODER = "encoder/"


@dataclass(frozen=True)
class Subject:
    """A classifier as its checkpoint holds it.

    `encoder` has the weights under the names of Model Garden's `BertEncoder`; `kernel` [hidden,
    units] and `bias` [units] are the head's, with one unit for two classes. `vocabulary` is the
    content of the file `vocabulary_name`, which the tokenizer is made of.
    """

    record: CheckpointRecord
    pieces: Tokenizer
    vocabulary: bytes
    vocabulary_name: str
    encoder: Arrays
    kernel: np.ndarray[Any, Any]
    bias: np.ndarray[Any, Any]

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Subject:
        """Reads the checkpoint. Raises `InputError` where it is damaged."""
        arrays = checkpoint.arrays()
        return cls(
            checkpoint.record,
            open_tokenizer(checkpoint.vocabulary, lowercase=checkpoint.record.encoder.lowercase),
            checkpoint.vocabulary.read_bytes(),
            checkpoint.vocabulary.name,
            {n.removeprefix(_ENCODER): a for n, a in arrays.items() if n.startswith(_ENCODER)},
            arrays["head/kernel"],
            arrays["head/bias"],
        )

    @property
    def config(self) -> EncoderConfig:
        return self.record.encoder.config

    @property
    def labels(self) -> tuple[Scalar, ...]:
        return self.record.labels

    @property
    def names(self) -> tuple[str, ...]:
        """The labels as text: as they stand in JSON, without quotes."""
        return tuple(map(label_name, self.labels))

    @property
    def classes(self) -> int:
        return len(self.labels)

    @property
    def pair(self) -> bool:
        """Whether a row is two texts."""
        return len(self.record.text) == 2

    @property
    def length(self) -> int:
        """Word pieces that a row is cut to."""
        return self.record.max_seq_length

    @property
    def pooling(self) -> Pooling:
        """What the head sees of the encoder."""
        return self.record.pooling

    @property
    def head_dropout(self) -> float:
        return float(self.record.params.get("dropout", 0.0))

    def settings(self) -> dict[str, Any]:
        """What whoever feeds token ids by hand must know, as plain values."""
        return {
            "labels": list(self.labels),
            "positive": self.labels[1] if self.classes == 2 else None,
            "threshold": self.record.threshold,
            "max_seq_length": self.length,
            "lowercase": self.record.encoder.lowercase,
            "texts": len(self.record.text),
        }


def label_name(label: Scalar) -> str:
    """A label as text: text as it is, others as in JSON."""
    return label if isinstance(label, str) else json.dumps(label)


def in_float32(checkpoint: Checkpoint) -> Checkpoint:
    """The same checkpoint, which a `Predictor` computes in float32."""
    compute = {**checkpoint.record.compute, "precision": FLOAT32}
    record = dataclasses.replace(checkpoint.record, compute=compute)
    return dataclasses.replace(checkpoint, record=record)


def precision_of(checkpoint: Checkpoint) -> str:
    """The precision that the checkpoint was trained and scored in."""
    return str(checkpoint.record.compute.get("precision", FLOAT32))
