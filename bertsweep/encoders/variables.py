"""The names and shapes of a native encoder's variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bertsweep.errors import EncoderError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from bertsweep.encoders.config import EncoderConfig

    Weights = Mapping[str, npt.NDArray[np.float32]]

Shape = tuple[int, ...]


def shapes(config: EncoderConfig) -> dict[str, Shape]:
    """Returns the shape of every variable by name, in the order of the native encoder.

    The names are those of Model Garden's `BertEncoder` without the trailing ":0"; attention
    kernels are [hidden, heads, hidden / heads], the output projection is [heads, hidden / heads,
    hidden].
    """
    hidden = config.hidden_size
    result: dict[str, Shape] = {
        "word_embeddings/embeddings": (config.vocab_size, hidden),
        "position_embedding/embeddings": (config.max_position_embeddings, hidden),
        "type_embeddings/embeddings": (config.type_vocab_size, hidden),
        "embeddings/layer_norm/gamma": (hidden,),
        "embeddings/layer_norm/beta": (hidden,),
    }
    for layer in range(config.num_layers):
        for name, shape in _layer_shapes(config).items():
            result[f"transformer/layer_{layer}/{name}"] = shape
    result["pooler_transform/kernel"] = (hidden, hidden)
    result["pooler_transform/bias"] = (hidden,)
    return result


def _layer_shapes(config: EncoderConfig) -> dict[str, Shape]:
    hidden, heads, inner = (
        config.hidden_size,
        config.num_attention_heads,
        config.intermediate_size,
    )
    size = hidden // heads
    attention: dict[str, Shape] = {}
    for part in ("query", "key", "value"):
        attention[f"self_attention/{part}/kernel"] = (hidden, heads, size)
        attention[f"self_attention/{part}/bias"] = (heads, size)
    return {
        **attention,
        "self_attention/attention_output/kernel": (heads, size, hidden),
        "self_attention/attention_output/bias": (hidden,),
        "self_attention_layer_norm/gamma": (hidden,),
        "self_attention_layer_norm/beta": (hidden,),
        "intermediate/kernel": (hidden, inner),
        "intermediate/bias": (inner,),
        "output/kernel": (inner, hidden),
        "output/bias": (hidden,),
        "output_layer_norm/gamma": (hidden,),
        "output_layer_norm/beta": (hidden,),
    }


def check(config: EncoderConfig, weights: Mapping[str, Any], *, where: str) -> None:
    """Raises `EncoderError` unless `weights` are exactly the variables of `config`, finite."""
    import numpy as np

    expected = shapes(config)
    missing = [name for name in expected if name not in weights]
    extra = [name for name in weights if name not in expected]
    if missing or extra:
        raise EncoderError(
            f"{where}: the weights must be exactly those of the encoder's config, but "
            f"{listed(missing) or 'none'} are missing and {listed(extra) or 'none'} are unknown. "
            "The config does not belong to these weights, or the folder was changed by hand."
        )
    for name, shape in expected.items():
        got = tuple(weights[name].shape)
        if got != shape:
            raise EncoderError(
                f"{where}: {name} must have the shape {shape}, but has {got}. "
                "The config does not belong to these weights."
            )
        if not np.isfinite(weights[name]).all():
            raise EncoderError(
                f"{where}: {name} must hold finite numbers only, but holds NaN or infinity. "
                "The file is damaged: fetch it again."
            )


def listed(names: list[str], *, most: int = 4) -> str:
    """Returns the first names and how many more there are, as text for a message."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
