"""Text → word pieces, once, and padded batches of them at any sequence length."""

from bertsweep.tokens.folder import tokenize_dataset
from bertsweep.tokens.opening import open_tokenizer
from bertsweep.tokens.resplit import redrawn, resplit
from bertsweep.tokens.special import Special, Tokenizer
from bertsweep.tokens.tokens import RowNumbers, Tokens
from bertsweep.tokens.wordpieces import WordPieces

__all__ = [
    "RowNumbers",
    "Special",
    "Tokenizer",
    "Tokens",
    "WordPieces",
    "open_tokenizer",
    "redrawn",
    "resplit",
    "tokenize_dataset",
]
