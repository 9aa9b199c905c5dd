"""Relatives of BERT that compute what BERT does, under other names: config keys and tensors.

DistilBERT (Sanh et al. 2019) is a BERT without token types and pooler; ELECTRA (Clark et al. 2020)
is one without a pooler, where its embeddings are as wide as its layers. Names are those of
`transformers`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

Tensors = dict[str, "Array"]


def _same(tensors: Tensors) -> Tensors:
    return tensors


@dataclass(frozen=True)
class Family:
    """How a model of one `model_type` is read as a BERT.

    `prefix` is what its tensors begin with in a model with a head, `keys` are its own names of
    sizes in config.json by BERT's, `parts` its own names of a layer's parts, and `complete` adds
    tensors that a BERT has and it lacks.
    """

    prefix: str
    keys: Mapping[str, str] = field(default_factory=dict)
    layer: str = "encoder.layer."
    parts: Mapping[str, str] = field(default_factory=dict)
    complete: Callable[[Tensors], Tensors] = _same

    def config(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """A config.json with the keys of BERT's."""
        return {**raw, **{ours: raw[own] for ours, own in self.keys.items() if own in raw}}

    def tensors(self, tensors: Mapping[str, Array]) -> Tensors:
        """The tensors under BERT's names, without prefix, old names of LayerNorm made new."""
        return self.complete({self._plain(name): array for name, array in tensors.items()})

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
