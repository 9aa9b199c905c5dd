"""BERT's word pieces: each word is tokenised once, by the `tokenizers` library, and remembered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers.models import WordPiece

from bertsweep.errors import EncoderError
from bertsweep.tokens.ragged import take_ranges
from bertsweep.tokens.special import Special
from bertsweep.tokens.words import split_words
from bertsweep.vocabulary import read_vocabulary

MAX_WORD_CHARACTERS = 400
"""Longer words are [UNK]. This is Model Garden's limit; BERT's was 200, and others have 100."""

_UNK = "[UNK]"
_MEMO_WORDS = 400_000
_CHUNK_ROWS = 8192

_surrogates = re.compile(r"[\ud800-\udfff]")


class WordPieces:
    """A tokenizer of a vocabulary and a casing, equal to Model Garden's `FullTokenizer`.

    Words repeat, so each is split into pieces once and then remembered (up to a bound), which is
    several times as fast as running the library on whole texts. Not safe for several threads.
    """

    def __init__(self, vocabulary: Path, lowercase: bool) -> None:  # noqa: FBT001
        """Raises `EncoderError` when the vocabulary cannot be read or lacks a special token."""
        self.lowercase = lowercase
        # Of a token that stands twice the last id counts, as in BERT.
        self.vocabulary = {token: i for i, token in enumerate(read_vocabulary(vocabulary))}
        self.special = _special(self.vocabulary, vocabulary)
        self._model = WordPiece(
            self.vocabulary, unk_token=_UNK, max_input_chars_per_word=MAX_WORD_CHARACTERS
        )
        self._memo = _Memo()

    def encode(self, texts: Sequence[str]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Returns the word pieces of every text, without [CLS] and [SEP].

        They are ids [all pieces] and offsets [rows + 1]: row i has ids[offsets[i]:offsets[i + 1]].
        """
        flat = []
        counts = []
        for start in range(0, len(texts), _CHUNK_ROWS):
            ids, lengths = self._encode_chunk(texts[start : start + _CHUNK_ROWS])
            flat.append(ids)
            counts.append(lengths)
        offsets = np.zeros(len(texts) + 1, np.int64)
        if counts:
            np.cumsum(np.concatenate(counts), out=offsets[1:])
        return (np.concatenate(flat) if flat else np.zeros(0, np.int32)), offsets

    def _encode_chunk(
        self, texts: Sequence[str]
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        if len(self._memo) > _MEMO_WORDS:
            self._memo = _Memo()
        rows = [split_words(text, lowercase=self.lowercase) for text in texts]
        per_row = np.fromiter(map(len, rows), np.int64, len(rows))
        words = np.fromiter(
            map(self._memo.__getitem__, chain.from_iterable(rows)), np.int64, int(per_row.sum())
        )
        self._learn()
        lengths = self._memo.lengths[words]
        ids = take_ranges(self._memo.pieces, self._memo.starts[words], lengths)
        ends = np.concatenate([[0], np.cumsum(lengths)])
        rows_end = np.cumsum(per_row)
        return ids, ends[rows_end] - ends[rows_end - per_row]

    def _learn(self) -> None:
        """Splits the words that occurred for the first time."""
        new = self._memo.new
        if new:
            # The library refuses lone surrogates. A noncharacter, too, is in no vocabulary, so the
            # result is the same [UNK].
            cuttable = (_surrogates.sub("\uffff", word) for word in new)
            self._memo.add([[t.id for t in self._model.tokenize(word)] for word in cuttable])


class _Memo(dict[str, int]):
    """Numbers of words; looking up an unknown word numbers it and appends it to `new`.

    Word i has `pieces[starts[i]:starts[i] + lengths[i]]`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.new: list[str] = []
        self.pieces = np.zeros(0, np.int32)
        self.starts = np.zeros(0, np.int64)
        self.lengths = np.zeros(0, np.int64)

    def __missing__(self, word: str) -> int:
        number = len(self)
        self[word] = number
        self.new.append(word)
        return number

    def add(self, cut: list[list[int]]) -> None:
        """Adds the pieces of the words in `new`, in that order, and empties it."""
        lengths = np.fromiter(map(len, cut), np.int64, len(cut))
        pieces = np.fromiter(chain.from_iterable(cut), np.int32, int(lengths.sum()))
        starts = len(self.pieces) + np.cumsum(lengths) - lengths
        self.pieces = np.concatenate([self.pieces, pieces])
        self.starts = np.concatenate([self.starts, starts])
        self.lengths = np.concatenate([self.lengths, lengths])
        self.new.clear()


def _special(vocabulary: dict[str, int], path: Path) -> Special:
    names = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
    absent = [token for token in names if token not in vocabulary]
    if absent:
        raise EncoderError(
            f"the vocabulary {path} must hold {', '.join(names)}, but "
            f"{', '.join(absent)} is not in it. Give the vocab.txt of a BERT encoder."
        )
    pad, unk, cls, sep = (vocabulary[token] for token in names)
    return Special(pad, unk, cls, sep)
