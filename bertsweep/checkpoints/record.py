"""What a best checkpoint says of itself: all that prediction needs, and where it comes from."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, cast

from bertsweep.checksums import DamageError
from bertsweep.encoders.config import EncoderConfig
from bertsweep.errors import EncoderError
from bertsweep.space import Scalar

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from bertsweep.spec.hyperparameters import Pooling

_POOLINGS = ("pooled", "cls", "mean")


TRAIN: Literal["train"] = "train"
TRAIN_AND_VALIDATION: Literal["train+validation"] = "train+validation"
TrainedOn = Literal["train", "train+validation"]


@dataclass(frozen=True)
class EncoderRecord:
    """The encoder that was trained: sizes, casing, and the hash and source it began with."""

    config: EncoderConfig
    lowercase: bool
    hash: str = ""
    source: str = ""


@dataclass(frozen=True)
class CheckpointRecord:
    """The record of a best checkpoint; raises `ValueError` where its values contradict each other.

    `labels` are in the order of the classes, `text` names the text columns (two for pairs of
    texts), `threshold` is the probability from which the second of two labels, the `positive`
    one, is chosen, None where there are more, and `threshold_rule` how it was set (a number, or a
    name such as "f1"). `temperature` divides the logits before they become probabilities, None for
    1; the threshold was set without it. `params` are complete. `report` and `epoch` say when in
    the trial, `metrics` what it scored there, `compute` what it was trained in. `trained_on` are
    the rows that it was trained on: with "train+validation", no row was left to score it by, and
    those of the `metrics` that begin with `val_` are the means over repeats of its configuration.

    A field that a later version adds needs a default, so that older checkpoints open; one that this
    version does not know is passed over.
    """

    labels: tuple[Scalar, ...]
    text: tuple[str | int, ...]
    threshold: float | None
    params: Mapping[str, Scalar]
    encoder: EncoderRecord
    trial: str = ""
    seed: int = 0
    report: int = 0
    epoch: float = 0.0
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    compute: Mapping[str, Any] = field(default_factory=dict)
    positive: Scalar | None = None
    threshold_rule: float | str | None = None
    temperature: float | None = None
    trained_on: TrainedOn = TRAIN

    def __post_init__(self) -> None:
        length, most = self.params.get("max_seq_length"), self.encoder.config
        if len(self.labels) < 2:
            raise ValueError(f"labels must be at least 2, but are {len(self.labels)}")
        if len(self.text) not in (1, 2):
            raise ValueError(f"text must name 1 or 2 columns, but names {len(self.text)}")
        if (self.threshold is None) != (len(self.labels) > 2):
            raise ValueError("threshold must be a number for 2 labels and null for more")
        # One a little above 1 makes no row positive, which can be the best there is.
        if self.threshold is not None and not 0 <= self.threshold < 2:
            raise ValueError(f"threshold must be a probability, but is {self.threshold}")
        if self.temperature is not None and not 0 < self.temperature < math.inf:
            raise ValueError(f"temperature must be above 0, but is {self.temperature}")
        if self.params.get("pooling", _POOLINGS[0]) not in _POOLINGS:
            raise ValueError(
                f"params -> pooling must be one of {', '.join(_POOLINGS)}, but is "
                f"{self.params['pooling']!r}"
            )
        if isinstance(length, bool) or not isinstance(length, int):
            raise ValueError(f"params -> max_seq_length must be whole, but is {length!r}")
        if not 3 <= length <= most.max_position_embeddings:
            raise ValueError(
                f"params -> max_seq_length must be 3 to {most.max_position_embeddings}, as many "
                f"positions as the encoder has, but is {length}"
            )

    @property
    def max_seq_length(self) -> int:
        """Word pieces that a row is cut to."""
        return int(self.params["max_seq_length"])

    @property
    def pooling(self) -> Pooling:
        """What the head sees; checkpoints older than the parameter have BERT's pooled output."""
        found: Any = self.params.get("pooling", _POOLINGS[0])
        return cast("Pooling", found)

    def to_plain(self) -> dict[str, Any]:
        """The record as values that JSON holds."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> CheckpointRecord:
        """The record that `to_plain` returned, or that of format 1. Raises `DamageError`."""
        from pydantic import ValidationError

        if "text" not in plain:  # format 1 told their number only
            pair = plain.get("text_columns") == 2
            plain = {**plain, "text": ["text", "text_b"] if pair else ["text"]}
        try:
            # JSON, for a strict reading that still takes a list for a tuple.
            return _adapter().validate_json(json.dumps(plain), strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            path = " -> ".join(str(part) for part in first["loc"])
            what = first["msg"].removeprefix("Value error, ")
            raise DamageError(f"its record is wrong: {f'{path}: ' if path else ''}{what}") from None
        except EncoderError as error:
            raise DamageError(f"its record is wrong: {error}") from error


@cache
def _adapter() -> TypeAdapter[CheckpointRecord]:
    from pydantic import TypeAdapter

    return TypeAdapter(CheckpointRecord)
