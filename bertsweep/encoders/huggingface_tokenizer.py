"""The vocabulary and the casing of a Hugging Face folder's tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bertsweep.encoders.config import EncoderConfig
from bertsweep.encoders.files import read_json
from bertsweep.errors import EncoderError
from bertsweep.vocabulary import TOKENIZER, VOCABULARY, looks_lowercase, read_vocabulary

LIBRARY_MODELS = ("BPE", "Unigram")
"""Models of a tokenizer.json that its own rules are used for; word pieces are BERT's own."""


def read_vocabulary_of(folder: Path) -> list[str] | bytes:
    """The tokens of a word-piece tokenizer by id; of another one, the content of tokenizer.json.

    Word pieces are read from vocab.txt where there is one. Raises `EncoderError` where there is
    neither file.
    """
    path = folder / TOKENIZER
    model = read_json(path).get("model") if path.is_file() else None
    if isinstance(model, dict) and model.get("type") in LIBRARY_MODELS:
        return path.read_bytes()
    if (folder / VOCABULARY).is_file():
        return read_vocabulary(folder / VOCABULARY)
    if not path.is_file():
        raise EncoderError(_without_tokenizer(folder))
    pieces = model.get("vocab") if isinstance(model, dict) else None
    if not isinstance(pieces, dict) or sorted(pieces.values()) != list(range(len(pieces))):
        raise EncoderError(
            f"{path} must hold a word-piece vocabulary with ids from 0 without gaps, but model -> "
            "vocab does not. Put the vocab.txt of the model there."
        )
    return sorted(pieces, key=pieces.__getitem__)


def own_casing(folder: Path, config: EncoderConfig, *, lowercase: bool | None) -> bool:
    """Whether a tokenizer.json with rules of its own lower-cases text.

    Raises `EncoderError` where `lowercase` says something else, or where the tokenizer does not fit
    the encoder.
    """
    # Only here, as the library takes time to import.
    from bertsweep.tokens.library import LibraryTokenizer

    path = folder / TOKENIZER
    tokenizer = LibraryTokenizer(path)
    if tokenizer.size > config.vocab_size:
        raise EncoderError(
            f"{path}: its ids must be below vocab_size, but go to {tokenizer.size - 1} for "
            f"{config.vocab_size} rows of embeddings. Take both from the same model."
        )
    if tokenizer.special.types and config.type_vocab_size < 2:
        raise EncoderError(
            f"{path}: it gives the second text of a pair a type of its own, but the encoder has "
            "one type. Take both from the same model."
        )
    if lowercase not in (None, tokenizer.lowercase):
        raise EncoderError(
            f"encoder.lowercase must be auto, as {path} has rules of its own, but got "
            f"{str(lowercase).lower()}. Leave it out."
        )
    return tokenizer.lowercase


def _without_tokenizer(folder: Path) -> str:
    for name in ("vocab.json", "sentencepiece.bpe.model"):
        if (folder / name).is_file():
            return (
                f"{folder} must hold tokenizer.json, but has {name} alone. Write it with "
                "transformers: AutoTokenizer.from_pretrained(folder).save_pretrained(folder)."
            )
    return (
        f"{folder} must hold vocab.txt or tokenizer.json, but has neither. "
        "Put the vocab.txt of the model there."
    )


def read_casing(folder: Path, tokens: list[str]) -> tuple[bool, list[str]]:
    """Returns whether text is lower-cased, and notes where the tokenizer's rules are not BERT's."""
    normalizer: dict[str, Any] = {}
    for name, inside in (("tokenizer_config.json", None), ("tokenizer.json", "normalizer")):
        if not (folder / name).is_file():
            continue
        raw = read_json(folder / name)
        found = raw if inside is None else raw.get(inside)
        if isinstance(found, dict):
            normalizer = {**found, **normalizer}
    lowercase = normalizer.get("do_lower_case", normalizer.get("lowercase"))
    if not isinstance(lowercase, bool):
        lowercase = looks_lowercase(tokens)
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
