"""How long the training texts are in word pieces: measured, or estimated where no tokenizer is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bertsweep.tokens import open_tokenizer
from bertsweep.tokens.words import split_words

if TYPE_CHECKING:
    import pandas as pd

    from bertsweep.encoders import PreparedEncoder

MOST_ROWS = 50_000
"""Rows that are measured; of more, a sample is."""

_PIECES_A_WORD = 1.25
"""Word pieces of a word of English text, punctuation marks counted as words: 1.1 to 1.4."""
_STEP = 8
"""Sequence lengths are multiples of it: batches are padded to those anyway."""
_SHORT = 64
"""Up to here a shorter length saves next to nothing: batches are only as long as their rows."""
_WORTH_IT = 0.9


@dataclass(frozen=True)
class Lengths:
    """Word pieces of each row, [CLS] and [SEP] included, sorted.

    `measured` is False where they are estimated from the words.
    """

    values: npt.NDArray[np.int64]
    measured: bool

    def longest_of(self, share: float) -> int:
        """The length that this share of the rows does not exceed."""
        return int(np.quantile(self.values, share, method="inverted_cdf"))

    def cut(self, max_seq_length: int) -> float:
        """The share of the rows that are longer, and so lose their end."""
        return float((self.values > max_seq_length).mean())

    def mean(self, max_seq_length: int) -> float:
        """Mean length of the rows, cut to a length."""
        return float(np.minimum(self.values, max_seq_length).mean())


def measure(frame: pd.DataFrame, encoder: PreparedEncoder | None) -> Lengths:
    """The lengths of the texts `text` (and `text_b`) with the tokenizer of `encoder`.

    Without one they are estimated from BERT's own splitting into words.
    """
    return Lengths(np.sort(row_lengths(frame, encoder, most=MOST_ROWS)), encoder is not None)


def row_lengths(
    frame: pd.DataFrame, encoder: PreparedEncoder | None, *, most: int
) -> npt.NDArray[np.int64]:
    """Word pieces of each row in order, special ones included; of `most` rows drawn, if of more.

    They are estimated where there is no `encoder`.
    """
    if len(frame) > most:
        frame = frame.sample(most, random_state=0)
    columns = [frame[name].tolist() for name in ("text", "text_b") if name in frame]
    pair = len(columns) > 1
    if encoder is None:
        parts, framing = [_estimated(texts) for texts in columns], 3 if pair else 2
    else:
        tokenizer = open_tokenizer(encoder.vocabulary, lowercase=encoder.lowercase)
        parts = [np.diff(tokenizer.encode(texts)[1]) for texts in columns]
        framing = tokenizer.special.framing(pair=pair)
    return np.asarray(np.sum(parts, axis=0) + framing, np.int64)


def candidates(lengths: Lengths, most: int) -> tuple[int, ...]:
    """Sequence lengths worth comparing, the shorter first.

    The longer one holds 99 of 100 rows whole, if the encoder's positions, `most`, allow. Where that
    is long, a shorter one that saves some of the word pieces may be worth the ends that it cuts.
    """
    longest = _fitting(lengths, 0.99, most)
    if longest <= _SHORT:
        return (longest,)
    shorter_ones = [_fitting(lengths, share, most) for share in (0.9, 0.75)]
    for shorter in (*shorter_ones, *([longest // 2] if longest == most else [])):
        if lengths.mean(shorter) <= _WORTH_IT * lengths.mean(longest):
            return shorter, longest
    return (longest,)


def _fitting(lengths: Lengths, share: float, most: int) -> int:
    return min(most, max(_STEP, -(-lengths.longest_of(share) // _STEP) * _STEP))


def _estimated(texts: Sequence[str]) -> npt.NDArray[np.int64]:
    words = (len(split_words(text, lowercase=True)) for text in texts)
    return np.ceil(np.fromiter(words, np.float64, len(texts)) * _PIECES_A_WORD).astype(np.int64)
