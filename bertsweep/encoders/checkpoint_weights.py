"""Reads the variables of an original BERT checkpoint by native name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from bertsweep.encoders.config import EncoderConfig
from bertsweep.encoders.variables import listed, shapes
from bertsweep.errors import EncoderError

_TOP = {
    "word_embeddings/embeddings": "embeddings/word_embeddings",
    "position_embedding/embeddings": "embeddings/position_embeddings",
    "type_embeddings/embeddings": "embeddings/token_type_embeddings",
    "embeddings/layer_norm": "embeddings/LayerNorm",
    "pooler_transform": "pooler/dense",
}
_LAYER = {
    "self_attention/query": "attention/self/query",
    "self_attention/key": "attention/self/key",
    "self_attention/value": "attention/self/value",
    "self_attention/attention_output": "attention/output/dense",
    "self_attention_layer_norm": "attention/output/LayerNorm",
    "intermediate": "intermediate/dense",
    "output": "output/dense",
    "output_layer_norm": "output/LayerNorm",
}


def read_weights(
    folder: Path, config: EncoderConfig, *, where: str
) -> dict[str, npt.NDArray[np.float32]]:
    """float32 arrays by native name. Raises `EncoderError`."""
    arrays = _read(_prefix(folder, where), where=where)
    sources = {name: f"bert/{_source_name(name)}" for name in shapes(config)}
    missing = [source for source in sources.values() if source not in arrays]
    if missing:
        raise EncoderError(
            f"{where} must hold every variable of a BERT with {config.num_layers} layers, but "
            f"lacks {listed(missing)}. Take checkpoint and bert_config.json from the same model."
        )
    return {
        name: _native(arrays[sources[name]], name, shape, where)
        for name, shape in shapes(config).items()
    }


def _prefix(folder: Path, where: str) -> Path:
    prefixes = [path.with_suffix("") for path in sorted(folder.glob("*.index"))]
    if len(prefixes) != 1:
        raise EncoderError(
            f"{where} must hold one checkpoint (bert_model.ckpt.index and its data) beside "
            f"bert_config.json, but holds {len(prefixes)}. Unpack the model's archive there."
        )
    return prefixes[0]


def _read(prefix: Path, *, where: str) -> dict[str, Any]:
    """Every variable of the encoder; what pre-training left besides stays on disk."""
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        names = [name for name in reader.get_variable_to_shape_map() if "/adam_" not in name]
        return {name: reader.get_tensor(name) for name in names if name.startswith("bert/")}
    except (tf.errors.OpError, RuntimeError, ValueError) as error:
        raise EncoderError(
            f"{where}: the checkpoint cannot be read ({str(error).splitlines()[0]}). "
            "Fetch it again."
        ) from error


def _source_name(name: str) -> str:
    if name in _TOP:
        return _TOP[name]
    part, parameter = name.rsplit("/", 1)
    if part in _TOP:
        return f"{_TOP[part]}/{parameter}"
    _, layer, inner = part.split("/", 2)
    return f"encoder/{layer}/{_LAYER[inner]}/{parameter}"


def _native(array: Any, name: str, shape: tuple[int, ...], where: str) -> npt.NDArray[np.float32]:
    """Kernels are [in, out] here and there; only the attention heads get an axis of their own."""
    if array.size != int(np.prod(shape)):
        raise EncoderError(
            f"{where}: {_source_name(name)} has the shape {tuple(array.shape)}, which does not fit "
            f"the sizes in bert_config.json. Take both from the same model."
        )
    return np.asarray(array, np.float32).reshape(shape)
