"""Writes a tiny Hugging Face BERT folder, and computes what such a folder means, in numpy."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
VOCABULARY = [*SPECIAL, *"abcdefghijklmnopqrstuvwxyz?!", *(f"##{c}" for c in "abcdefghij")]

CONFIG: dict[str, Any] = {
    "model_type": "bert",
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "max_position_embeddings": 32,
    "type_vocab_size": 2,
    "vocab_size": len(VOCABULARY),
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "layer_norm_eps": 1e-12,
}

Tensors = dict[str, Any]


def tensors(config: Mapping[str, Any] = CONFIG, *, seed: int = 0) -> Tensors:
    """Random weights under the names of `transformers.BertModel`."""
    random = np.random.RandomState(seed)
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (config["vocab_size"], hidden),
        "embeddings.position_embeddings.weight": (config["max_position_embeddings"], hidden),
        "embeddings.token_type_embeddings.weight": (config["type_vocab_size"], hidden),
        "embeddings.LayerNorm.weight": (hidden,),
        "embeddings.LayerNorm.bias": (hidden,),
        "pooler.dense.weight": (hidden, hidden),
        "pooler.dense.bias": (hidden,),
    }
    for layer in range(config["num_hidden_layers"]):
        parts = {
            "attention.self.query": (hidden, hidden),
            "attention.self.key": (hidden, hidden),
            "attention.self.value": (hidden, hidden),
            "attention.output.dense": (hidden, hidden),
            "attention.output.LayerNorm": (hidden,),
            "intermediate.dense": (inner, hidden),
            "output.dense": (hidden, inner),
            "output.LayerNorm": (hidden,),
        }
        for part, shape in parts.items():
            shapes[f"encoder.layer.{layer}.{part}.weight"] = shape
            shapes[f"encoder.layer.{layer}.{part}.bias"] = shape[:1]
    return {
        name: (random.standard_normal(shape) * 0.3).astype(np.float32)
        for name, shape in shapes.items()
    }


def write_folder(
    folder: Path,
    *,
    config: Mapping[str, Any] = CONFIG,
    weights: Tensors | None = None,
    vocabulary: list[str] | None = None,
    files: Mapping[str, Any] | None = None,
) -> Path:
    """config.json, model.safetensors, vocab.txt, and `files` (name → JSON content)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(dict(config)))
    chosen = tensors(config) if weights is None else weights
    save_file({n: np.ascontiguousarray(a) for n, a in chosen.items()}, folder / "model.safetensors")
    lines = VOCABULARY if vocabulary is None else vocabulary
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in lines), encoding="utf-8")
    for name, content in (files or {}).items():
        (folder / name).write_text(json.dumps(content))
    return folder


def pooled(weights: Tensors, config: Mapping[str, Any], ids: Any, mask: Any, types: Any) -> Any:
    """The pooled output of BERT (Devlin et al. 2018), written down plainly, in float64."""
    w = {name: array.astype(np.float64) for name, array in weights.items()}

    def dense(x: Any, name: str) -> Any:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(x: Any, name: str) -> Any:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + config["layer_norm_eps"])
        return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]

    x = w["embeddings.word_embeddings.weight"][ids]
    x = x + w["embeddings.position_embeddings.weight"][: ids.shape[1]]
    x = norm(x + w["embeddings.token_type_embeddings.weight"][types], "embeddings.LayerNorm")
    heads = config["num_attention_heads"]
    for layer in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{layer}"
        q, k, v = (
            dense(x, f"{at}.attention.self.{part}")
            .reshape(*ids.shape, heads, -1)
            .transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        scores = q @ k.transpose(0, 1, 3, 2) / math.sqrt(q.shape[-1])
        scores = np.where(mask[:, None, None, :] > 0, scores, -1e9)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        context = (shares @ v).transpose(0, 2, 1, 3).reshape(x.shape)
        x = norm(
            x + dense(context, f"{at}.attention.output.dense"), f"{at}.attention.output.LayerNorm"
        )
        inner = _ACTIVATIONS[config["hidden_act"]](dense(x, f"{at}.intermediate.dense"))
        x = norm(x + dense(inner, f"{at}.output.dense"), f"{at}.output.LayerNorm")
    return np.tanh(dense(x[:, 0], "pooler.dense"))


_ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "gelu": lambda x: x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2))),
    "gelu_new": lambda x: x * 0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "relu": lambda x: np.maximum(x, 0),
}
