"""The vocabulary and the casing of a Hugging Face folder's tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bertsweep.encoders.files import read_json
from bertsweep.errors import EncoderError
from bertsweep.vocabulary import looks_lowercase, read_vocabulary


def read_tokens(folder: Path) -> list[str]:
    """Returns the tokens, by id, of vocab.txt, else of a word-piece tokenizer.json.

    Raises `EncoderError` where there is neither.
    """
    if (folder / "vocab.txt").is_file():
        return read_vocabulary(folder / "vocab.txt")
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise EncoderError(
            f"{folder} must hold vocab.txt or tokenizer.json, but has neither. "
            "Put the vocab.txt of the model there."
        )
    model = read_json(path).get("model")
    pieces = model.get("vocab") if isinstance(model, dict) else None
    if not isinstance(pieces, dict) or sorted(pieces.values()) != list(range(len(pieces))):
        raise EncoderError(
            f"{path} must hold a word-piece vocabulary with ids from 0 without gaps, but model -> "
            "vocab does not. Put the vocab.txt of the model there."
        )
    return sorted(pieces, key=pieces.__getitem__)


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
