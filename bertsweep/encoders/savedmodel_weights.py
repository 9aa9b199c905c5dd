"""Reads a SavedModel's variables by native name, and the encoder's sizes from their shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from bertsweep.encoders.config import EncoderConfig
from bertsweep.encoders.variables import listed, shapes
from bertsweep.errors import EncoderError

Array = npt.NDArray[np.float32]

_ANCHOR = "word_embeddings/embeddings"

# Modules exported before 2020 name the output projection differently.
_RENAMED = {"/self_attention_output/": "/self_attention/attention_output/"}


def read_weights(module: Any, *, where: str) -> dict[str, Array]:
    """Returns every variable of the BERT encoder as a float32 array, by native name.

    Others (the masked language model's, the casing flag) are left out. Raises `EncoderError` naming
    a variable that is missing.
    """
    named = {str(v.name).removesuffix(":0"): v for v in getattr(module, "variables", ())}
    roots = [name.removesuffix(_ANCHOR) for name in named if name.endswith(_ANCHOR)]
    if len(roots) != 1:
        raise EncoderError(
            f"{where} must be a BERT encoder of TensorFlow 2 with one variable {_ANCHOR}, but has "
            f"{len(roots)} among {len(named)} variables ({listed(list(named)) or 'none'}). "
            "Choose a BERT encoder; preprocessing models and other architectures are not."
        )
    plain: dict[str, Any] = {}
    for name, variable in named.items():
        short = name.removeprefix(roots[0])
        for old, new in _RENAMED.items():
            short = short.replace(old, new)
        plain[short] = variable
    if "embedding_projection/kernel" in plain:
        raise EncoderError(
            f"{where}: the word embeddings must be as wide as the encoder, but they are projected "
            "(ALBERT, MobileBERT, small ELECTRA). Choose a BERT encoder."
        )
    arrays = {name: np.asarray(variable.numpy()) for name, variable in plain.items()}
    expected = shapes(read_config(arrays, where=where))
    missing = [name for name in expected if name not in arrays]
    if missing:
        raise EncoderError(
            f"{where} must have every variable of a BERT encoder, but lacks {listed(missing)}. "
            "Choose a BERT encoder of TensorFlow 2."
        )
    return {name: arrays[name].astype(np.float32) for name in expected}


def read_config(weights: Mapping[str, Array], *, where: str) -> EncoderConfig:
    """Returns the encoder's sizes, read from the shapes of its variables.

    Dropout rates and activation cannot be read from variables: the rates are BERT's own 0.1, and
    the activation is exact GELU until `verify.prove` finds the true one. Raises `EncoderError`.
    """

    def shape(name: str, rank: int) -> tuple[int, ...]:
        found = weights[name].shape if name in weights else None
        if found is None or len(found) != rank:
            raise EncoderError(
                f"{where} must have the variable {name} with {rank} dimensions, but it is "
                f"{'missing' if found is None else list(found)}. "
                "Choose a BERT encoder of TensorFlow 2."
            )
        return found

    vocab_size, _ = shape(_ANCHOR, 2)
    hidden, heads, _ = shape("transformer/layer_0/self_attention/query/kernel", 3)
    _, intermediate = shape("transformer/layer_0/intermediate/kernel", 2)
    layers = {int(m[1]) for n in weights if (m := re.match(r"transformer/layer_(\d+)/", n))}
    return EncoderConfig(
        vocab_size=vocab_size,
        hidden_size=hidden,
        num_layers=len(layers),
        num_attention_heads=heads,
        intermediate_size=intermediate,
        max_position_embeddings=shape("position_embedding/embeddings", 2)[0],
        type_vocab_size=shape("type_embeddings/embeddings", 2)[0],
        activation="gelu",
        dropout=0.1,
        attention_dropout=0.1,
    )
