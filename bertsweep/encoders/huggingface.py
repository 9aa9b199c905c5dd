"""A Hugging Face BERT folder → native weights, in numpy alone.

The layout is that of `transformers.BertModel`: `config.json`, `model.safetensors`, and `vocab.txt`
or `tokenizer.json`. PyTorch keeps dense kernels as [out, in]; the native ones are [in, out], with
the attention heads as an axis of their own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsweep.encoders import vocabulary as vocabularies
from bertsweep.encoders.prepared import Activation, EncoderConfig, PreparedEncoder, write
from bertsweep.encoders.store import fingerprint
from bertsweep.encoders.variables import listed, shapes
from bertsweep.errors import EncoderError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

ACTIVATIONS: Mapping[str, Activation] = {
    "gelu": "gelu",
    "gelu_python": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "relu": "relu",
}
"""`hidden_act` of a config.json → activation of the native encoder."""

POOLER_SEED = 1
"""Seed of the pooler of a folder that has none."""

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


@dataclass(frozen=True)
class HuggingFaceFolder:
    """A local folder as `save_pretrained` of a BERT model and its tokenizer leaves it."""

    folder: Path

    @staticmethod
    def matches(folder: Path) -> bool:
        return (folder / "config.json").is_file()

    def key(self) -> str:
        """Path, size and time of every file that the prepared encoder depends on."""
        names = (
            "config.json",
            "model.safetensors",
            "vocab.txt",
            "tokenizer.json",
            "tokenizer_config.json",
        )
        return fingerprint(self.folder / name for name in names)

    def convert(self, out: Path, *, lowercase: bool | None, source: str) -> PreparedEncoder:
        """Writes the prepared encoder into `out`. Raises `EncoderError` naming file, key, remedy."""
        config = read_config(self.folder / "config.json")
        tokens = read_vocabulary(self.folder)
        weights, notes = read_weights(self.folder / "model.safetensors", config)
        if lowercase is None:
            lowercase, casing_notes = read_casing(self.folder, tokens)
            notes += casing_notes
        return write(
            out,
            config=config,
            weights=weights,
            vocabulary=tokens,
            lowercase=lowercase,
            source=source,
            notes=notes,
        )


def read_config(path: Path) -> EncoderConfig:
    """The sizes in a Hugging Face config.json.

    Raises `EncoderError` where it is not a BERT that the native encoder computes.
    """
    raw = _read_json(path)

    def need(key: str, allowed: str, *, holds: bool) -> None:
        if not holds:
            raise EncoderError(
                f"{path}: {key} must be {allowed}, but got {raw.get(key)!r}. Only plain BERT "
                "encoders are supported; choose another encoder."
            )

    need("model_type", "'bert'", holds=raw.get("model_type") == "bert")
    position = raw.get("position_embedding_type", "absolute")
    need("position_embedding_type", "'absolute'", holds=position == "absolute")
    need("layer_norm_eps", "1e-12", holds=raw.get("layer_norm_eps", 1e-12) == 1e-12)
    activation = raw.get("hidden_act", "gelu")
    need("hidden_act", " or ".join(ACTIVATIONS), holds=activation in ACTIVATIONS)
    need("is_decoder", "false", holds=not raw.get("is_decoder", False))

    def number(key: str, kind: type, default: float | None = None) -> Any:
        value = raw.get(key, default)
        fits = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not fits or kind(value) != value:
            raise EncoderError(
                f"{path}: {key} must be {'a whole number' if kind is int else 'a number'}, but got "
                f"{value!r}. Take the config.json that belongs to the weights."
            )
        return kind(value)

    return EncoderConfig(
        vocab_size=number("vocab_size", int),
        hidden_size=number("hidden_size", int),
        num_layers=number("num_hidden_layers", int),
        num_attention_heads=number("num_attention_heads", int),
        intermediate_size=number("intermediate_size", int),
        max_position_embeddings=number("max_position_embeddings", int, 512),
        type_vocab_size=number("type_vocab_size", int, 2),
        activation=ACTIVATIONS[activation],
        dropout=number("hidden_dropout_prob", float, 0.1),
        attention_dropout=number("attention_probs_dropout_prob", float, 0.1),
    )


def read_weights(path: Path, config: EncoderConfig) -> tuple[dict[str, Array], list[str]]:
    """Native name → float32 array, and notes on what is unusual. Raises `EncoderError`."""
    tensors = _plain_names(_load(path))
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


def _plain_names(tensors: Mapping[str, Array]) -> dict[str, Array]:
    """Without the `bert.` in front of a model with a head, and with today's LayerNorm names."""
    plain = {}
    for name, tensor in tensors.items():
        short = name.removeprefix("bert.")
        short = short.replace("LayerNorm.gamma", "LayerNorm.weight")
        plain[short.replace("LayerNorm.beta", "LayerNorm.bias")] = tensor
    return plain


def _fresh_pooler(hidden: int) -> dict[str, Array]:
    import numpy as np

    kernel = np.random.RandomState(POOLER_SEED).normal(0, 0.02, (hidden, hidden))
    return {
        "pooler.dense.weight": kernel.astype(np.float32),
        "pooler.dense.bias": np.zeros(hidden, np.float32),
    }


def _load(path: Path) -> dict[str, Array]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if not path.is_file():
        raise EncoderError(_no_weights(path))
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError, TypeError, KeyError) as error:
        raise EncoderError(
            f"{path} cannot be read as safetensors ({type(error).__name__}: {error}). "
            "Fetch it again, or save the model in float32."
        ) from error


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


def read_vocabulary(folder: Path) -> list[str]:
    """The tokens of vocab.txt, else those of a word-piece tokenizer.json, by id."""
    if (folder / "vocab.txt").is_file():
        return vocabularies.read(folder / "vocab.txt")
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise EncoderError(
            f"{folder} must hold vocab.txt or tokenizer.json, but has neither. "
            "Put the vocab.txt of the model there."
        )
    model = _read_json(path).get("model")
    pieces = model.get("vocab") if isinstance(model, dict) else None
    if not isinstance(pieces, dict) or sorted(pieces.values()) != list(range(len(pieces))):
        raise EncoderError(
            f"{path} must hold a word-piece vocabulary with ids from 0 without gaps, but model -> "
            "vocab does not. Put the vocab.txt of the model there."
        )
    return sorted(pieces, key=pieces.__getitem__)


def read_casing(folder: Path, tokens: list[str]) -> tuple[bool, list[str]]:
    """Whether text is lower-cased (and stripped of accents), and notes where BERT's rules differ."""
    normalizer: dict[str, Any] = {}
    for name, inside in (("tokenizer_config.json", None), ("tokenizer.json", "normalizer")):
        if not (folder / name).is_file():
            continue
        raw = _read_json(folder / name)
        found = raw if inside is None else raw.get(inside)
        if isinstance(found, dict):
            normalizer = {**found, **normalizer}
    lowercase = normalizer.get("do_lower_case", normalizer.get("lowercase"))
    if not isinstance(lowercase, bool):
        lowercase = vocabularies.looks_lowercase(tokens)
    notes = []
    accents = normalizer.get("strip_accents")
    if isinstance(accents, bool) and accents != lowercase:
        notes.append(
            f"the encoder's tokenizer has strip_accents={accents} with lower-casing {lowercase}; "
            f"here accents are {'stripped' if lowercase else 'kept'}, as BERT does"
        )
    if normalizer.get("tokenize_chinese_chars") is False:
        notes.append(
            "the encoder's tokenizer keeps Chinese words whole; here each character is one word"
        )
    return lowercase, notes


def _read_json(path: Path) -> dict[str, Any]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EncoderError(
            f"{path} cannot be read as JSON ({error}). Fetch it again from where the model is."
        ) from error
    if not isinstance(raw, dict):
        raise EncoderError(f"{path} must hold a JSON object, but got {type(raw).__name__}.")
    return raw
