"""Text → word pieces, once, and padded batches of them at any sequence length."""

from bertsweep.tokens.folder import tokenize_dataset
from bertsweep.tokens.resplit import redrawn, resplit
from bertsweep.tokens.tokens import RowNumbers, Tokens
from bertsweep.tokens.wordpieces import Special, WordPieces

__all__ = [
    "RowNumbers",
    "Special",
    "Tokens",
    "WordPieces",
    "redrawn",
    "resplit",
    "tokenize_dataset",
]
