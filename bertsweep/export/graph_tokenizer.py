"""BERT's tokenizer as TensorFlow operations, which give the word pieces that `WordPieces` gives.

tensorflow-text brings the search for word pieces and Unicode's decomposition. Its own BERT
tokenizers differ from BERT's in what they take for control characters, white space and punctuation,
decompose compatibility characters (ligatures, full-width digits), and count a long word in bytes.
So the text is cleaned and split here, by character classes that are written out from the same
Unicode tables as `tokens.words` reads.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tensorflow_text as tf_text

from bertsweep.export.characters import character_classes
from bertsweep.tokens import WordPieces
from bertsweep.tokens.wordpieces import MAX_WORD_CHARACTERS

_UNK, _SUFFIX = "[UNK]", "##"


class GraphTokenizer(tf.Module):
    """Turns a batch of strings into word ids, mask and type ids, as `Tokens.batch` makes them.

    Bytes that are no UTF-8 are passed over.
    """

    def __init__(self, pieces: WordPieces, *, max_seq_length: int) -> None:
        super().__init__()
        self._special, self._length = pieces.special, max_seq_length
        self._lowercase = pieces.lowercase
        self._pieces = tf_text.FastWordpieceTokenizer(
            vocab=_by_id(pieces.vocabulary),
            suffix_indicator=_SUFFIX,
            # In bytes, and none of them too long: `_known` knows the limit in characters.
            max_bytes_per_word=4 * MAX_WORD_CHARACTERS + 1,
            token_out_type=tf.int32,
            unknown_token=_UNK,
            no_pretokenization=True,
        )

    def batch(self, texts: Any, texts_b: Any = None) -> tuple[Any, Any, Any]:
        """Word ids, mask and type ids, int32 [rows, width of the longest], of strings [rows]."""
        first = self.encode(texts)
        if texts_b is None:
            kept = tf.minimum(first.row_lengths(), self._length - 2)
            parts = [_start(first, kept)]
        else:
            second = self.encode(texts_b)
            room = tf.constant(self._length - 3, tf.int64)
            lengths = second.row_lengths()
            kept = tf.minimum(first.row_lengths(), tf.maximum((room + 1) // 2, room - lengths))
            parts = [_start(first, kept), _start(second, tf.minimum(lengths, room - kept))]
        rows = first.nrows()
        one = tf.ones([rows, 1], tf.int32)
        joined = [one * self._special.cls]
        for part in parts:
            joined += [part, one * self._special.sep]
        ids = tf.concat(joined, axis=1)
        mask = tf.sequence_mask(ids.row_lengths(), dtype=tf.int32)
        columns = tf.range(tf.shape(mask, out_type=tf.int64)[1])
        in_second = columns[tf.newaxis, :] >= (kept + 2)[:, tf.newaxis]
        types = tf.cast(in_second, tf.int32) * mask if len(parts) == 2 else tf.zeros_like(mask)
        return ids.to_tensor(default_value=self._special.pad), mask, types

    def encode(self, texts: Any) -> Any:
        """The word pieces of strings [rows], without [CLS] and [SEP]: int32 [rows, (pieces)]."""
        words = tf.strings.split(self._spaced(texts))
        return self._pieces.tokenize(words.with_flat_values(_known(words.flat_values))).merge_dims(
            1, 2
        )

    def _spaced(self, texts: Any) -> Any:
        """Texts whose words, and nothing else, are separated by spaces."""
        classes = character_classes()
        # What cannot be decoded becomes U+FFFD, which is removed with the control characters.
        texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
        texts = tf.strings.regex_replace(texts, classes["space"], " ")
        texts = tf.strings.regex_replace(texts, classes["control"], "")
        texts = tf.strings.regex_replace(texts, classes["chinese"], r" \0 ")
        if self._lowercase:
            texts = tf.strings.lower(texts, encoding="utf-8")
            texts = tf_text.normalize_utf8(texts, "NFD")
            texts = tf.strings.regex_replace(texts, classes["accent"], "")
        return tf.strings.regex_replace(texts, classes["punctuation"], r" \0 ")


def _by_id(vocabulary: dict[str, int]) -> list[str]:
    """The tokens by id; where a token stands twice, the earlier place holds what no text matches.

    A vocabulary also has places with nothing in them, which no word is equal to either.
    """
    tokens = [f" {number}" for number in range(max(vocabulary.values()) + 1)]
    for token, number in vocabulary.items():
        if token:
            tokens[number] = token
    return tokens


def _known(words: Any) -> Any:
    long = tf.strings.length(words, unit="UTF8_CHAR") > MAX_WORD_CHARACTERS
    return tf.where(long, _UNK, words)


def _start(pieces: Any, lengths: Any) -> Any:
    """The first pieces of each row, as many as `lengths` says."""
    return tf.gather(pieces, tf.ragged.range(lengths), batch_dims=1)
