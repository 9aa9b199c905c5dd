"""Vocabularies: the files that hold them, reading a vocab.txt, and telling its casing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bertsweep.errors import EncoderError

VOCABULARY, TOKENIZER = "vocab.txt", "tokenizer.json"
"""The files, one or the other, that hold what an encoder's tokenizer knows: word pieces of BERT's
tokenizer, or a tokenizer of the `tokenizers` library."""


def read_vocabulary(path: Path) -> list[str]:
    """The tokens of a vocab.txt by id, one a line, stripped as Model Garden's `FullTokenizer` does.

    A byte-order mark before the first token is no part of it. Raises `EncoderError` when the file
    cannot be read as UTF-8 text.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise EncoderError(
            f"the vocabulary {path} cannot be read ({error.strerror}). "
            "An encoder needs its vocab.txt beside the weights."
        ) from error
    except UnicodeDecodeError as error:
        raise EncoderError(
            f"the vocabulary {path} must be UTF-8 text, but byte {error.start} is not. "
            "Give the vocab.txt that the encoder was trained with."
        ) from error
    # Only "\n" ends a token: vocabularies hold U+2028 and its like as tokens of their own.
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.strip() for line in lines]


def looks_lowercase(vocabulary: Iterable[str]) -> bool:
    """Whether no token but the special ones in brackets has an upper-case letter."""
    return not any(
        token.lower() != token
        for token in vocabulary
        if not (token.startswith("[") and token.endswith("]"))
    )
