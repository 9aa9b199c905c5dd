"""Several batches as a few flat arrays, so that one call into a graph can take many steps.

Batches differ in width, and the last one of an epoch in rows, so they cannot be stacked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from bertsweep.tokens import RowNumbers, Tokens


class Feed(NamedTuple):
    """Batches end to end; batch i is a matrix of `rows[i]` × `widths[i]` word pieces. All int32.

    `ids` holds the matrices row by row, and so does `types` (empty for single texts); `lengths` and
    `labels` have one number per row. Rows that only fill up a batch have length 0.
    """

    ids: Any
    types: Any
    lengths: Any
    labels: Any
    rows: Any
    widths: Any


class Batch(NamedTuple):
    """One batch: word ids, mask and types (None: all 0), int32 [rows, width], and labels [rows]."""

    ids: Any
    mask: Any
    types: Any
    labels: Any

    @property
    def packing(self) -> None:
        """Every row is a row of the matrices."""

    def between(self, start: Any, end: Any) -> Batch:
        """The rows from `start` to before `end` alone."""
        return Batch(*(None if value is None else value[start:end] for value in self))

    def real(self) -> Any:
        """Returns float32 [rows]: 1 for rows of the data, 0 for those that only fill it up."""
        return tf.cast(self.mask[:, 0], tf.float32)


SIGNATURE = Feed(*(tf.TensorSpec([None], tf.int32) for _ in Feed._fields))


@dataclass(frozen=True)
class Multiples:
    """Rows and width of every batch are rounded up to a multiple of these."""

    rows: int = 1
    width: int = 1

    def rounded(self, rows: int, width: int) -> tuple[int, int]:
        return -(-rows // self.rows) * self.rows, -(-width // self.width) * self.width


def make_feed(
    tokens: Tokens,
    batches: Sequence[RowNumbers],
    *,
    max_seq_length: int,
    multiples: Multiples | None = None,
) -> Feed:
    """Returns `batches` (row numbers each) of `tokens`, every one as wide as its longest row.

    With `multiples`, rows and widths are rounded up, and filled with padding.
    """
    pair = tokens.second is not None
    made = [_matrices(tokens, rows, max_seq_length, multiples) for rows in batches]
    ids, types, lengths, labels = zip(*made, strict=True)
    return Feed(
        ids=np.concatenate([one.ravel() for one in ids]),
        types=np.concatenate([one.ravel() for one in types]) if pair else np.zeros(0, np.int32),
        lengths=np.concatenate(lengths),
        labels=np.concatenate(labels),
        rows=np.array([len(one) for one in ids], np.int32),
        widths=np.array([one.shape[1] for one in ids], np.int32),
    )


def _matrices(
    tokens: Tokens, rows: RowNumbers, max_seq_length: int, multiples: Multiples | None
) -> tuple[Any, Any, Any, Any]:
    """Returns ids and types [rows, width], lengths and labels [rows] of one batch."""
    ids, mask, types = tokens.batch(rows, max_seq_length=max_seq_length)
    lengths, labels = mask.sum(axis=1, dtype=np.int32), tokens.labels[rows]
    if multiples is None:
        return ids, types, lengths, labels
    height, width = multiples.rounded(*ids.shape)
    # Never wider than max_seq_length: the encoder may have no position embeddings beyond it.
    below, beside = height - ids.shape[0], min(width, max_seq_length) - ids.shape[1]
    square, line = ((0, below), (0, beside)), (0, below)
    pad = int(tokens.special.pad)
    return (
        np.pad(ids, square, constant_values=pad),
        np.pad(types, square),
        np.pad(lengths, line),
        np.pad(labels, line),
    )


def cut_batch(feed: Feed, index: Any, place: Any, row: Any, *, pair: bool) -> Batch:
    """Returns batch `index` of a feed.

    It begins at element `place` of the flat matrices and at `row` of lengths and labels; the loop
    that goes through a feed keeps both sums.
    """
    rows, width = feed.rows[index], feed.widths[index]

    def matrix(flat: Any) -> Any:
        return tf.reshape(flat[place : place + rows * width], [rows, width])

    lengths = feed.lengths[row : row + rows]
    return Batch(
        ids=matrix(feed.ids),
        mask=tf.sequence_mask(lengths, width, dtype=tf.int32),
        types=matrix(feed.types) if pair else None,
        labels=feed.labels[row : row + rows],
    )
