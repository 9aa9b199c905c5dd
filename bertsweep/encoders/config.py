"""The sizes and dropout rates of a BERT encoder."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from bertsweep.errors import EncoderError

Activation = Literal["gelu", "gelu_tanh", "relu"]


LAYER_NORM_EPS = 1e-12
"""What BERT adds to the variance in its layer norms."""


@dataclass(frozen=True)
class EncoderConfig:
    """The arguments of a native `BertEncoder`.

    `activation` is "gelu" (exact), "gelu_tanh" (the tanh approximation) or "relu". `dropout` is the
    rate after the embeddings and after the feed-forward part of each layer, `attention_dropout` the
    rate of the attention. `layer_norm_eps` is added to the variance that a layer norm divides by.
    Raises `EncoderError` where the sizes contradict each other.
    """

    vocab_size: int
    hidden_size: int
    num_layers: int
    num_attention_heads: int
    intermediate_size: int
    max_position_embeddings: int
    type_vocab_size: int
    activation: Activation
    dropout: float
    attention_dropout: float
    layer_norm_eps: float = LAYER_NORM_EPS

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            rate = name.endswith("dropout")
            if name == "layer_norm_eps":
                if not 0 < value < 1:
                    raise EncoderError(f"0 < {name} < 1 must hold for an encoder, but got {value}.")
            elif not rate and name != "activation" and value < 1:
                raise EncoderError(f"{name} of an encoder must be at least 1, but got {value}.")
            if rate and not 0 <= value < 1:
                raise EncoderError(f"0 <= {name} < 1 must hold for an encoder, but got {value}.")
        if self.hidden_size % self.num_attention_heads:
            raise EncoderError(
                "hidden_size must be a multiple of num_attention_heads, but got "
                f"{self.hidden_size} and {self.num_attention_heads}."
            )
