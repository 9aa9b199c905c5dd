"""The tokenizer of an encoder, by the file that holds its vocabulary."""

from __future__ import annotations

from pathlib import Path

from bertsweep.tokens.library import LibraryTokenizer
from bertsweep.tokens.special import Tokenizer
from bertsweep.tokens.wordpieces import WordPieces
from bertsweep.vocabulary import TOKENIZER


def open_tokenizer(vocabulary: Path, *, lowercase: bool) -> Tokenizer:
    """The tokenizer of a vocab.txt, or of a tokenizer.json, whose own rules hold.

    Raises `EncoderError`.
    """
    if vocabulary.name == TOKENIZER:
        return LibraryTokenizer(vocabulary)
    return WordPieces(vocabulary, lowercase)
