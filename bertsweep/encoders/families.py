"""Relatives of BERT that compute what BERT does, under other names: config keys and tensors.

RoBERTa (Liu et al. 2019) and XLM-R (Conneau et al. 2020) number positions from the id of padding
on, so that the first rows of their table of positions are never used: without these it is BERT's.

DistilBERT (Sanh et al. 2019) is a BERT without token types and pooler; ELECTRA (Clark et al. 2020)
is one without a pooler, where its embeddings are as wide as its layers. Names are those of
`transformers`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

Tensors = dict[str, "Array"]

_PAD = 1
"""Id of padding where a RoBERTa's config.json does not say it."""

_POSITIONS, _TABLE = "max_position_embeddings", "embeddings.position_embeddings.weight"


def _same(tensors: Tensors) -> Tensors:
    return tensors


@dataclass(frozen=True)
class Family:
    """How a model of one `model_type` is read as a BERT.

    `prefix` is what its tensors begin with in a model with a head, `keys` are its own names of
    sizes in config.json by BERT's, `parts` its own names of a layer's parts, and `complete` adds
    tensors that a BERT has and it lacks. The first `unused_positions` are those that no word piece
    has; `pads_first` says that they are those up to the id of padding.
    """

    prefix: str
    keys: Mapping[str, str] = field(default_factory=dict)
    layer: str = "encoder.layer."
    parts: Mapping[str, str] = field(default_factory=dict)
    complete: Callable[[Tensors], Tensors] = _same
    pads_first: bool = False
    unused_positions: int = 0

    def of(self, raw: Mapping[str, Any]) -> Family:
        """The family as a config.json has it."""
        pad = raw.get("pad_token_id", _PAD)
        known = isinstance(pad, int) and not isinstance(pad, bool) and pad >= 0
        if not self.pads_first:
            return self
        return replace(self, unused_positions=(pad if known else _PAD) + 1)

    def config(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """A config.json with the keys of BERT's."""
        plain = {**raw, **{ours: raw[own] for ours, own in self.keys.items() if own in raw}}
        if self.unused_positions and isinstance(plain.get(_POSITIONS), int):
            plain[_POSITIONS] -= self.unused_positions
        return plain

    def tensors(self, tensors: Mapping[str, Array]) -> Tensors:
        """The tensors under BERT's names, without prefix, old names of LayerNorm made new."""
        plain = self.complete({self._plain(name): array for name, array in tensors.items()})
        if self.unused_positions and _TABLE in plain:
            plain[_TABLE] = plain[_TABLE][self.unused_positions :]
        return plain

    def _plain(self, name: str) -> str:
        short = name.removeprefix(self.prefix)
        if self.parts and short.startswith(self.layer):
            number, _, part = short.removeprefix(self.layer).partition(".")
            inner, _, parameter = part.rpartition(".")
            short = f"encoder.layer.{number}.{self.parts.get(inner, inner)}.{parameter}"
        short = short.replace("LayerNorm.gamma", "LayerNorm.weight")
        return short.replace("LayerNorm.beta", "LayerNorm.bias")


def _without_types(tensors: Tensors) -> Tensors:
    """Token types that add nothing: every row of theirs is zero."""
    import numpy as np

    words = tensors.get("embeddings.word_embeddings.weight")
    if words is None:
        return tensors
    zeros = np.zeros((TYPES, words.shape[1]), np.float32)
    return {**tensors, "embeddings.token_type_embeddings.weight": zeros}


TYPES = 2
"""Token types of a native encoder that has none of its own."""

FAMILIES: Mapping[str, Family] = {
    "bert": Family("bert."),
    "electra": Family("electra."),
    "roberta": Family("roberta.", pads_first=True),
    "xlm-roberta": Family("roberta.", pads_first=True),
    "distilbert": Family(
        "distilbert.",
        keys={
            "hidden_size": "dim",
            "num_hidden_layers": "n_layers",
            "num_attention_heads": "n_heads",
            "intermediate_size": "hidden_dim",
            "hidden_act": "activation",
            "hidden_dropout_prob": "dropout",
            "attention_probs_dropout_prob": "attention_dropout",
        },
        layer="transformer.layer.",
        parts={
            "attention.q_lin": "attention.self.query",
            "attention.k_lin": "attention.self.key",
            "attention.v_lin": "attention.self.value",
            "attention.out_lin": "attention.output.dense",
            "sa_layer_norm": "attention.output.LayerNorm",
            "ffn.lin1": "intermediate.dense",
            "ffn.lin2": "output.dense",
            "output_layer_norm": "output.LayerNorm",
        },
        complete=_without_types,
    ),
}
"""`model_type` of a config.json → how it is read."""
