"""Hugging Face tensors of a BERT encoder into arrays with native names and shapes, and back.

PyTorch stores dense kernels as [out, in]; the native ones are [in, out], with the attention heads
as an axis of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bertsweep.encoders.config import EncoderConfig
from bertsweep.encoders.families import Family
from bertsweep.encoders.safetensors_file import read_tensors
from bertsweep.encoders.variables import listed, shapes
from bertsweep.errors import EncoderError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

POOLER_SEED = 1
"""Seed of the random pooler that a model without one receives."""

_TOP = {
    "word_embeddings/embeddings": "embeddings.word_embeddings.weight",
    "position_embedding/embeddings": "embeddings.position_embeddings.weight",
    "type_embeddings/embeddings": "embeddings.token_type_embeddings.weight",
    "embeddings/layer_norm/gamma": "embeddings.LayerNorm.weight",
    "embeddings/layer_norm/beta": "embeddings.LayerNorm.bias",
    "pooler_transform/kernel": "pooler.dense.weight",
    "pooler_transform/bias": "pooler.dense.bias",
}
_LAYER = {
    "self_attention/query": "attention.self.query",
    "self_attention/key": "attention.self.key",
    "self_attention/value": "attention.self.value",
    "self_attention/attention_output": "attention.output.dense",
    "self_attention_layer_norm": "attention.output.LayerNorm",
    "intermediate": "intermediate.dense",
    "output": "output.dense",
    "output_layer_norm": "output.LayerNorm",
}
_PARAMETER = {"kernel": "weight", "gamma": "weight", "bias": "bias", "beta": "bias"}


def read_weights(
    path: Path, config: EncoderConfig, family: Family
) -> tuple[dict[str, Array], list[str]]:
    """Returns float32 arrays by native name, and notes on oddities. Raises `EncoderError`."""
    tensors = family.tensors(_load(path))
    notes: list[str] = []
    if _TOP["pooler_transform/kernel"] not in tensors:
        tensors |= _fresh_pooler(config.hidden_size)
        notes.append(
            "the encoder comes without a pooler, so one is initialised at random (fixed seed)"
        )
    if any(name.startswith(f"encoder.layer.{config.num_layers}.") for name in tensors):
        notes.append(f"only the first {config.num_layers} layers are used, as config.json says")
    sources = {name: _source_name(name) for name in shapes(config)}
    missing = [source for source in sources.values() if source not in tensors]
    if missing:
        raise EncoderError(
            f"{path} must hold every tensor of a BERT with {config.num_layers} layers, but lacks "
            f"{listed(missing)}. Take weights and config.json from the same model."
        )
    return {
        name: _native(name, tensors[sources[name]], shape, path)
        for name, shape in shapes(config).items()
    }, notes


def to_tensors(weights: Mapping[str, Array]) -> dict[str, Array]:
    """The inverse of `read_weights`: tensors by PyTorch's names, without a prefix."""
    import numpy as np

    tensors = {}
    for name, array in weights.items():
        if name.endswith("/kernel"):
            # Only the output projection of an attention has its heads before the last axis.
            joined = array.shape[-1] if name.endswith("attention_output/kernel") else None
            flat = array.reshape(-1, joined) if joined else array.reshape(len(array), -1)
            tensors[_source_name(name)] = np.ascontiguousarray(flat.T)
        else:
            flat = array.reshape(-1) if name.endswith("/bias") else array
            tensors[_source_name(name)] = np.ascontiguousarray(flat)
    return tensors


def _source_name(name: str) -> str:
    if name in _TOP:
        return _TOP[name]
    _, layer, rest = name.split("/", 2)
    part, parameter = rest.rsplit("/", 1)
    return f"encoder.layer.{layer.removeprefix('layer_')}.{_LAYER[part]}.{_PARAMETER[parameter]}"


def _native(name: str, tensor: Array, shape: tuple[int, ...], path: Path) -> Array:
    import numpy as np

    array = tensor.T if name.endswith("/kernel") else tensor
    merged = array.shape if len(shape) == array.ndim else None
    if int(np.prod(shape)) != array.size or (merged is not None and merged != shape):
        raise EncoderError(
            f"{path}: {_source_name(name)} does not fit the sizes in config.json: it has the shape "
            f"{tuple(tensor.shape)} for a native {shape}. Take both files from the same model."
        )
    return np.ascontiguousarray(array, np.float32).reshape(shape)


def _fresh_pooler(hidden: int) -> dict[str, Array]:
    import numpy as np

    kernel = np.random.RandomState(POOLER_SEED).normal(0, 0.02, (hidden, hidden))
    return {
        "pooler.dense.weight": kernel.astype(np.float32),
        "pooler.dense.bias": np.zeros(hidden, np.float32),
    }


def _load(path: Path) -> dict[str, Array]:
    if not path.is_file():
        raise EncoderError(_no_weights(path))
    return read_tensors(path)


def _no_weights(path: Path) -> str:
    folder = path.parent
    if (folder / "model.safetensors.index.json").is_file():
        found = "weights in several files"
        remedy = "Save them in one: save_pretrained(folder, max_shard_size='100GB')."
    elif (folder / "pytorch_model.bin").is_file():
        found = "pytorch_model.bin, which can run code when read"
        remedy = "Save it anew with transformers: model.save_pretrained(folder)."
    else:
        found = "no weights"
        remedy = "Put the model's model.safetensors there."
    return f"{folder} must hold model.safetensors, but has {found}. {remedy}"
