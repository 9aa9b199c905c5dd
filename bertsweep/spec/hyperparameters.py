"""What a trial can be told to do differently: searchable parameters, their rules and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from bertsweep.space import Point, Scalar
from bertsweep.spec.fields import Section

Optimizer = Literal["adam", "adamw"]
Schedule = Literal["constant", "linear", "cosine"]
ClassWeight = Literal["none", "balanced"]
Pooling = Literal["pooled", "cls", "mean"]
Batches = Literal["bucketed", "random"]
Average = Literal["none", "ema", "soup"]

ENCODER = "encoder"
"""The parameter that names the encoder of a trial."""

ENCODER_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
"""What the name of an encoder is made of."""

MOST_STEPS = 10_000_000
"""Optimizer steps of the longest trial: the table of their rates takes about 100 bytes a step."""

MOST_ROWS = 65_536
"""Rows of the largest batch. With XLA every batch is filled up to its size."""


class Hyperparameters(Section):
    """One trial's parameters; the defaults are the tutorial's configuration.

    The source of the defaults is the insincere-questions tutorial: Adam 2e-5, dropout 0.5,
    128 word pieces, batches of 32, 5 epochs, everything trained.
    """

    learning_rate: Annotated[float, Field(gt=0, le=1)] = Field(2e-5, title="peak learning rate")
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(0.5, title="dropout on what the head sees")
    max_seq_length: Annotated[int, Field(ge=4)] = Field(
        128, title="word pieces a row is cut to, [CLS] and [SEP] included"
    )
    batch_size: Annotated[int, Field(ge=1, le=MOST_ROWS)] = Field(
        32, title="rows an optimizer step"
    )
    batches: Batches = Field(
        "bucketed",
        title="rows of a batch: bucketed takes those of similar length, which needs the least "
        "computation; random takes any",
    )
    epochs: Annotated[int, Field(ge=1, le=MOST_STEPS)] = Field(
        5, title="passes over the training rows"
    )
    optimizer: Optimizer = Field("adam", title="optimizer")
    weight_decay: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0, title="decoupled weight decay; adamw only"
    )
    warmup: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0, title="share of all steps in which the learning rate rises from zero"
    )
    schedule: Schedule = Field("constant", title="learning rate after the warm-up")
    class_weight: ClassWeight = Field(
        "none", title="balanced weighs rows by n / (classes * rows of the class)"
    )
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0, title="share of the target spread evenly over the classes"
    )
    trainable_layers: Annotated[int, Field(ge=0)] | Literal["all"] = Field(
        "all", title="all, or only the top N encoder layers, the pooler and the head"
    )
    layer_decay: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0,
        title="factor by which the learning rate falls from each encoder layer to the one below; "
        "the top layer, the pooler and the head have the full rate",
    )
    head_learning_rate: Annotated[float, Field(gt=0, le=1000)] = Field(
        1.0, title="times `learning_rate` that the head learns at"
    )
    clip_norm: Annotated[float, Field(ge=0)] = Field(
        0.0, title="largest global norm of a step's gradients; 0 clips nothing"
    )
    pooling: Pooling = Field(
        "pooled",
        title="what the head sees: BERT's pooler, the last layer at [CLS], or its mean over the "
        "word pieces",
    )
    reinit_layers: Annotated[int, Field(ge=0)] = Field(
        0,
        title="top encoder layers that begin anew, as if never pre-trained, and with them the "
        "pooler",
    )
    accumulate: Annotated[int, Field(ge=1, le=MOST_ROWS)] = Field(
        1, title="parts that a batch is computed in, one after the other; saves memory"
    )

    patience: Annotated[float, Field(ge=0)] = Field(
        0.0, title="epochs without a better report after which a trial ends; 0 for all its epochs"
    )
    average: Average = Field(
        "none",
        title="weights that are judged and kept: as they are, their moving average (ema), or the "
        "mean of the trial's best ones (soup)",
    )
    encoder: Annotated[str, Field(pattern=rf"^({ENCODER_NAME})?$")] = Field(
        "", title="one of the encoders that the section `encoder` gives names to"
    )

    @classmethod
    def from_point(cls, point: Mapping[str, Scalar]) -> Hyperparameters:
        """The parameters of a proposed point; those not in it take their default.

        Raises `pydantic.ValidationError` for a name or value that breaks a rule.
        """
        return cls.model_validate(dict(point))

    def to_point(self) -> Point:
        """Every parameter as a plain value, in the order of the schema.

        `encoder` is left out where encoders have no names.
        """
        point = dict(self.model_dump())
        if not self.encoder:
            del point[ENCODER]
        return point
