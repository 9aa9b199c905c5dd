"""Batches whose rows share sequences (`model.packing`), as flat arrays for one graph call."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from bertsweep.model.packing import Packing
from bertsweep.tokens import RowNumbers, Tokens

WIDTH_STEP = 4
"""Widths of sequences are multiples of this, so that few shapes of matrices occur."""

_MOST_WIDER = 32
"""Places by which sequences may be wider than the longest row, where that leaves less padding."""

_SCORES = 400
"""Width of sequences at which attention to all their places costs what a place does elsewhere.

An estimate from how many numbers a layer of MiniLM's size reads and writes, not a measurement.
"""


@dataclass(frozen=True)
class Plan:
    """Sequences of `width` places: which rows each holds, by their index in the batch, end to end.

    Rows follow each other from the sequence's first place on.
    """

    width: int
    sequences: tuple[tuple[int, ...], ...]


def plan(lengths: np.ndarray[Any, Any]) -> Plan:
    """Packs rows of these lengths, int [rows], all above 0, into sequences of equal width.

    Best fit, longest row first, at every width from that of the longest row on, of which the one
    is taken that costs least: padding costs, and so does attention, the more the wider.
    """
    order = np.argsort(-lengths, kind="stable").tolist()
    sizes, total = lengths.tolist(), int(lengths.sum())
    least = -(-max(sizes) // WIDTH_STEP) * WIDTH_STEP
    chosen, cost = _fitted(order, sizes, least), float("inf")
    for width in range(least, least + _MOST_WIDER + 1, WIDTH_STEP):
        each = 1 + width / _SCORES
        if total * each >= cost:
            break  # even without any padding
        found = chosen if width == least else _fitted(order, sizes, width)
        if len(found) * width * each < cost:
            chosen, cost, best = found, len(found) * width * each, width
    return Plan(best, tuple(map(tuple, chosen)))


def _fitted(order: Sequence[int], sizes: Sequence[int], width: int) -> list[list[int]]:
    """Each row goes where the least room is left for it."""
    held: list[list[int]] = []
    rooms: list[tuple[int, int]] = []  # places left, and the sequence, in order
    for row in order:
        at = bisect.bisect_left(rooms, (sizes[row], 0))
        if at == len(rooms):
            left, sequence = width, len(held)
            held.append([])
        else:
            left, sequence = rooms.pop(at)
        held[sequence].append(row)
        bisect.insort(rooms, (left - sizes[row], sequence))
    return held


class PackedFeed(NamedTuple):
    """Batches end to end; all int32.

    `shapes` has a line for each batch: sequences, width, rows, and the most rows of a sequence.
    `ids`, `types` (empty for single texts), `numbers` and `places` hold matrices of sequences,
    `firsts` those of `Packing.firsts`; `order` and `labels` have one number per row.
    """

    ids: Any
    types: Any
    numbers: Any
    places: Any
    firsts: Any
    order: Any
    labels: Any
    shapes: Any


class PackedBatch(NamedTuple):
    """One batch: word ids and types (None: all 0), int32 [sequences, width], and labels [rows]."""

    ids: Any
    types: Any
    packing: Packing
    labels: Any

    @property
    def mask(self) -> None:
        """The packing says what is padding."""

    def between(self, start: Any, end: Any) -> PackedBatch:
        """The sequences from `start` to before `end` alone, with their rows."""
        packing, (first, last) = self.packing.between(start, end)
        types = None if self.types is None else self.types[start:end]
        return PackedBatch(self.ids[start:end], types, packing, self.labels[first:last])

    def real(self) -> Any:
        """Returns float32 [rows]: 1, as all rows are of the data."""
        return tf.ones_like(self.labels, tf.float32)


SIGNATURE = PackedFeed(
    *(
        tf.TensorSpec([None, 4] if name == "shapes" else [None], tf.int32)
        for name in PackedFeed._fields
    )
)


def make_packed_feed(
    tokens: Tokens, batches: Sequence[RowNumbers], *, max_seq_length: int, multiple: int = 1
) -> PackedFeed:
    """Returns `batches` (row numbers each) of `tokens`, the rows of every one in another order.

    The number of sequences is filled up to a `multiple` with padding.
    """
    made = [_packed(tokens, rows, max_seq_length, multiple) for rows in batches]
    arrays = (
        np.concatenate([value.ravel() for value in column]) for column in zip(*made, strict=True)
    )
    ids, types, numbers, places, firsts, order, labels = arrays
    shapes = [(*one[0].shape, len(one[5]), one[4].shape[1]) for one in made]
    if tokens.second is None:
        types = np.zeros(0, np.int32)
    return PackedFeed(
        ids, types, numbers, places, firsts, order, labels, np.array(shapes, np.int32)
    )


def _packed(
    tokens: Tokens, rows: RowNumbers, max_seq_length: int, multiple: int
) -> tuple[np.ndarray[Any, Any], ...]:
    """Returns what a `PackedFeed` has of one batch, but for its shape."""
    ids, mask, types = tokens.batch(rows, max_seq_length=max_seq_length)
    lengths = mask.sum(axis=1, dtype=np.int32)
    planned = plan(lengths)
    shape = (-(-len(planned.sequences) // multiple) * multiple, planned.width)
    counts = np.array([len(held) for held in planned.sequences])
    order = np.concatenate([np.array(held) for held in planned.sequences])
    sequence = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    ends = np.cumsum(lengths[order])
    begins = ends - lengths[order]
    begins -= np.repeat(begins[np.cumsum(counts) - counts], counts)

    pieces = mask[order].astype(bool)
    number, place = np.nonzero(pieces)
    target = (sequence[number], begins[number] + place)

    def matrix(values: np.ndarray[Any, Any], padding: int) -> np.ndarray[Any, Any]:
        filled = np.full(shape, padding, np.int32)
        filled[target] = values
        return filled

    firsts = np.zeros((shape[0], counts.max()), np.int32)
    firsts[sequence, within] = begins
    return (
        matrix(ids[order][pieces], int(tokens.special.pad)),
        matrix(types[order][pieces], 0),
        matrix(number, -1),
        matrix(place, 0),
        firsts,
        (sequence * firsts.shape[1] + within).astype(np.int32),
        tokens.labels[rows][order],
    )


def cut_packed(feed: PackedFeed, index: Any, starts: Any, *, pair: bool) -> PackedBatch:
    """Returns batch `index` of a feed.

    `starts`, int32 [3], is where it begins in the matrices, in `firsts` and among the rows; the
    loop that goes through a feed keeps these sums.
    """
    sequences, width, rows, most = tf.unstack(feed.shapes[index])
    place, first, row = tf.unstack(starts)

    def matrix(flat: Any) -> Any:
        return tf.reshape(flat[place : place + sequences * width], [sequences, width])

    firsts = tf.reshape(feed.firsts[first : first + sequences * most], [sequences, most])
    packing = Packing(
        matrix(feed.numbers), matrix(feed.places), firsts, feed.order[row : row + rows]
    )
    types = matrix(feed.types) if pair else None
    return PackedBatch(matrix(feed.ids), types, packing, feed.labels[row : row + rows])


def trace_packed_training(
    step: Callable[[Any, PackedBatch], Any], *, pair: bool
) -> Callable[[PackedFeed, Any], Any]:
    """What `steps.trace_training` returns, for batches of a `PackedFeed`."""

    @tf.function(input_signature=[SIGNATURE, tf.TensorSpec([], tf.int32)], autograph=False)
    def train(feed: PackedFeed, first: Any) -> Any:
        def body(index: Any, starts: Any, total: Any) -> Any:
            loss = step(first + index, cut_packed(feed, index, starts, pair=pair))
            sequences, width, rows, most = tf.unstack(feed.shapes[index])
            starts += tf.stack([sequences * width, sequences * most, rows])
            return index + 1, starts, total + loss

        return tf.while_loop(
            lambda index, *_: index < tf.shape(feed.shapes)[0],
            body,
            [tf.constant(0), tf.zeros([3], tf.int32), tf.constant(0.0)],
            parallel_iterations=1,
        )[-1]

    return train
