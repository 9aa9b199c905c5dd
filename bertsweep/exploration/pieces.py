"""The word pieces of an example, as the model gets them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bertsweep.encoders import PreparedEncoder
from bertsweep.tokens import Tokenizer, Tokens, WordPieces, open_tokenizer
from bertsweep.tokens.library import LibraryTokenizer


def word_pieces(
    encoder: PreparedEncoder, texts: tuple[str, ...], *, max_seq_length: int
) -> dict[str, Any]:
    """Returns {texts, max_seq_length, pieces, ids, mask, types} of a text, or of a pair.

    `pieces` are the tokens that the `ids` stand for; mask and types have one number each.
    """
    tokenizer = open_tokenizer(encoder.vocabulary, lowercase=encoder.lowercase)
    tokens = Tokens.from_texts(tokenizer, *([text] for text in texts))
    ids, mask, types = (
        part[0].tolist() for part in tokens.batch(np.arange(1), max_seq_length=max_seq_length)
    )
    name = _names(tokenizer)
    return {
        "texts": list(texts),
        "max_seq_length": max_seq_length,
        "pieces": [name(number) for number in ids],
        "ids": ids,
        "mask": mask,
        "types": types,
    }


def _names(tokenizer: Tokenizer) -> Callable[[int], str]:
    if isinstance(tokenizer, LibraryTokenizer):
        return tokenizer.token
    if not isinstance(tokenizer, WordPieces):
        raise TypeError(type(tokenizer).__name__)
    by_id = {number: token for token, number in tokenizer.vocabulary.items()}
    return by_id.__getitem__
