"""Writes a tiny original BERT checkpoint: the weights of `hfmodel`, as Google published its own."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.hfmodel import CONFIG, VOCABULARY, tensors

_WORDS = {
    "embeddings.word_embeddings.weight": "embeddings/word_embeddings",
    "embeddings.position_embeddings.weight": "embeddings/position_embeddings",
    "embeddings.token_type_embeddings.weight": "embeddings/token_type_embeddings",
}


def write_original(folder: Path) -> Path:
    """bert_config.json, vocab.txt and bert_model.ckpt, with a slot of Adam as pre-training left."""
    import tensorflow as tf

    folder.mkdir(parents=True)
    config = {key: value for key, value in CONFIG.items() if key != "model_type"}
    (folder / "bert_config.json").write_text(json.dumps(config))
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in VOCABULARY))
    variables = {}
    for name, array in tensors().items():
        kernel = name.endswith(".weight") and "LayerNorm" not in name and name not in _WORDS
        variables[f"bert/{_named(name)}"] = array.T if kernel else array
    variables["bert/pooler/dense/kernel/adam_m"] = variables["bert/pooler/dense/kernel"]
    tf.raw_ops.SaveV2(
        prefix=str(folder / "bert_model.ckpt"),
        tensor_names=list(variables),
        shape_and_slices=[""] * len(variables),
        tensors=[tf.constant(array) for array in variables.values()],
    )
    return folder


def _named(name: str) -> str:
    if name in _WORDS:
        return _WORDS[name]
    path = name.replace("encoder.layer.", "encoder.layer_").replace(".", "/")
    if "LayerNorm" in path:
        return path.replace("/weight", "/gamma").replace("/bias", "/beta")
    return path.replace("/weight", "/kernel")
