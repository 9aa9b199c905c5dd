"""Tokenizers that a tokenizer.json describes, as RoBERTa's and XLM-R's, by the library's own rules.

Byte-level BPE (Radford et al. 2019) and Unigram (Kudo 2018, "SentencePiece") run in the
`tokenizers` library, which reads every rule from the file. Special tokens that stand in a text are
taken for text, as BERT's are; a Unigram model whose pieces include them finds them all the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tokenizers

from bertsweep.errors import EncoderError
from bertsweep.tokens.special import Special

_CHUNK_ROWS = 8192
_PAD = ("<pad>", "[PAD]")
_surrogates = re.compile(r"[\ud800-\udfff]")


class LibraryTokenizer:
    """The tokenizer of a tokenizer.json.

    What it puts around texts is found by asking it for empty ones.
    """

    def __init__(self, path: Path) -> None:
        """Raises `EncoderError` where the file is none, or frames texts as no BERT does."""
        try:
            self.library = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises no narrower one
            raise EncoderError(
                f"{path} must be a tokenizer.json that the tokenizers library "
                f"{tokenizers.__version__} reads, but it is not ({error}). Fetch it again, or "
                "write it anew: AutoTokenizer.from_pretrained(folder).save_pretrained(folder)."
            ) from error
        self.library.no_truncation()
        self.library.no_padding()
        self.library.encode_special_tokens = True
        self.special = self._framing(path)
        normalizer = self.library.normalizer
        self.lowercase = normalizer is not None and normalizer.normalize_str("A") == "a"

    @property
    def size(self) -> int:
        """One more than the largest id."""
        return max(self.library.get_vocab(with_added_tokens=True).values()) + 1

    def encode(self, texts: Sequence[str]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Returns the ids of every text, as `Tokenizer.encode` does."""
        flat, counts = [np.zeros(0, np.int32)], [np.zeros(1, np.int64)]
        for start in range(0, len(texts), _CHUNK_ROWS):
            # The library refuses lone surrogates.
            chunk = [_surrogates.sub("\ufffd", t) for t in texts[start : start + _CHUNK_ROWS]]
            rows = [e.ids for e in self.library.encode_batch_fast(chunk, add_special_tokens=False)]
            lengths = np.fromiter(map(len, rows), np.int64, len(rows))
            flat.append(np.fromiter(chain.from_iterable(rows), np.int32, int(lengths.sum())))
            counts.append(lengths)
        return np.concatenate(flat), np.cumsum(np.concatenate(counts))

    def token(self, number: int) -> str:
        """The token of an id."""
        return str(self.library.id_to_token(number))

    def _framing(self, path: Path) -> Special:
        single, pair = self.library.encode(""), self.library.encode("", "")
        ids = pair.ids
        pads = [self.library.token_to_id(name) for name in _PAD]
        pad = next((number for number in pads if number is not None), None)
        framed = len(single.ids) == 2 and ids[:1] == single.ids[:1] and len(ids) in (3, 4)
        if pad is None or not framed or set(ids[1:]) != {single.ids[1]}:
            raise EncoderError(
                f"{path} must put one token before a text, one behind it and one or two between "
                f"the texts of a pair, and have {' or '.join(_PAD)}, but of no text it makes "
                f"{single.tokens} and of a pair {pair.tokens}. Choose another encoder."
            )
        # A byte-level model has no unknown token: every text is in its vocabulary.
        unknown = [self.library.token_to_id(name) for name in ("<unk>", "[UNK]")]
        return Special(
            pad=pad,
            unk=next((number for number in unknown if number is not None), pad),
            cls=single.ids[0],
            sep=single.ids[1],
            between=len(ids) - 2,
            types=any(pair.type_ids),
        )
