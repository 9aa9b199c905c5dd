"""Hugging Face folders of BERT and its relatives as sources of encoders, read with numpy alone.

The layout is that of `transformers`: `config.json`, `model.safetensors`, and `vocab.txt` or
`tokenizer.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsweep.encoders.config import LAYER_NORM_EPS, Activation, EncoderConfig
from bertsweep.encoders.families import FAMILIES, TYPES, Family
from bertsweep.encoders.files import fingerprint, read_json
from bertsweep.encoders.huggingface_tokenizer import own_casing, read_casing, read_vocabulary_of
from bertsweep.encoders.huggingface_weights import read_weights
from bertsweep.encoders.prepared import PreparedEncoder, write
from bertsweep.errors import EncoderError

ACTIVATIONS: Mapping[str, Activation] = {
    "gelu": "gelu",
    "gelu_python": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "relu": "relu",
}
"""The activation of the native encoder by `hidden_act` of a config.json."""

FILES = (
    "config.json",
    "model.safetensors",
    "vocab.txt",
    "tokenizer.json",
    "tokenizer_config.json",
)
"""The files on which the prepared encoder depends."""


@dataclass(frozen=True)
class HuggingFaceFolder:
    """A folder that `save_pretrained` of a BERT model and its tokenizer wrote."""

    folder: Path

    @staticmethod
    def matches(folder: Path) -> bool:
        return (folder / "config.json").is_file()

    def key(self) -> str:
        """Returns path, size and time of every file on which the prepared encoder depends."""
        return fingerprint(self.folder / name for name in FILES)

    def convert(self, out: Path, *, lowercase: bool | None, source: str) -> PreparedEncoder:
        """Writes the prepared encoder into `out`. Raises `EncoderError`."""
        config = read_config(self.folder / "config.json")
        vocabulary = read_vocabulary_of(self.folder)
        weights, notes = read_weights(
            self.folder / "model.safetensors", config, family_of(self.folder / "config.json")
        )
        if isinstance(vocabulary, bytes):
            lowercase = own_casing(self.folder, config, lowercase=lowercase)
        elif lowercase is None:
            lowercase, casing_notes = read_casing(self.folder, vocabulary)
            notes += casing_notes
        return write(
            out,
            config=config,
            weights=weights,
            vocabulary=vocabulary,
            lowercase=lowercase,
            source=source,
            notes=notes,
        )


def family_of(path: Path) -> Family:
    """Which relative of BERT a config.json speaks of; BERT where it does not say.

    Raises `EncoderError` for others.
    """
    # Where it is not said, the names of the tensors tell.
    raw = read_json(path)
    kind = raw.get("model_type", "bert")
    if kind not in FAMILIES:
        raise EncoderError(
            f"{path}: model_type must be one of {', '.join(FAMILIES)}, but got {kind!r}. Choose "
            "another encoder."
        )
    return FAMILIES[kind].of(raw)


def read_config(path: Path) -> EncoderConfig:
    """Returns the sizes in a Hugging Face config.json.

    Raises `EncoderError` where the native encoder cannot compute the model.
    """
    family = family_of(path)
    raw = family.config(read_json(path))

    def need(key: str, allowed: str, *, holds: bool) -> None:
        if not holds:
            raise EncoderError(
                f"{path}: {key} must be {allowed}, but got {raw.get(key)!r}. "
                "Choose another encoder."
            )

    width = raw.get("embedding_size", raw.get("hidden_size"))
    need("embedding_size", "hidden_size", holds=width == raw.get("hidden_size"))
    position = raw.get("position_embedding_type", "absolute")
    need("position_embedding_type", "'absolute'", holds=position == "absolute")
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

    try:
        return EncoderConfig(
            vocab_size=number("vocab_size", int),
            hidden_size=number("hidden_size", int),
            num_layers=number("num_hidden_layers", int),
            num_attention_heads=number("num_attention_heads", int),
            intermediate_size=number("intermediate_size", int),
            max_position_embeddings=number("max_position_embeddings", int, 512),
            type_vocab_size=number("type_vocab_size", int, TYPES),
            activation=ACTIVATIONS[activation],
            dropout=number("hidden_dropout_prob", float, 0.1),
            attention_dropout=number("attention_probs_dropout_prob", float, 0.1),
            layer_norm_eps=number("layer_norm_eps", float, LAYER_NORM_EPS),
        )
    except EncoderError as error:
        raise EncoderError(f"{path}: {error} Take the config.json of the weights.") from error
