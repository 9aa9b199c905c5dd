"""Several rows end to end in one sequence: where each stands, and who may attend to whom.

Then a batch of short and long rows needs next to no padding, and the matrix products of a layer are
computed on word pieces alone. Attention is computed by sequence, with scores between different rows
masked. Source: Krell et al. 2021, "Efficient Sequence Packing without Cross-contamination",
arXiv:2107.02027.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

MASKED = -1e9
"""Added to the attention scores of what must not be seen, as in BERT."""


class Packing(NamedTuple):
    """Where the rows of a batch stand in its sequences; rows are numbered in this order.

    `rows` has the number of the row that each place belongs to, negative for padding, and `places`
    how many word pieces of that row come before it, int32 [sequences, width]. `firsts`, int32
    [sequences, most rows of one], is where in its sequence each row begins, 0 where there are fewer
    rows. `order`, int32 [rows], is the number of each row in `firsts`, counted through.
    """

    rows: Any
    places: Any
    firsts: Any
    order: Any

    def between(self, start: Any, end: Any) -> tuple[Packing, tuple[Any, Any]]:
        """The sequences from `start` to before `end` alone, and between which rows theirs are."""
        most = tf.shape(self.firsts)[1]
        first, last = tf.unstack(tf.searchsorted(self.order, tf.stack([start, end]) * most), num=2)
        part = Packing(
            rows=self.rows[start:end] - first,
            places=self.places[start:end],
            firsts=self.firsts[start:end],
            order=self.order[first:last] - start * most,
        )
        return part, (first, last)

    def bias(self) -> Any:
        """What is added to attention scores, float32 [sequences, 1, width, width]."""
        return self._apart(self.rows)

    def firsts_bias(self) -> Any:
        """The same for the places in `firsts`, float32 [sequences, 1, most rows, width]."""
        return self._apart(tf.gather(self.rows, self.firsts, batch_dims=1))

    def flat_firsts(self) -> Any:
        """`firsts`, counted through all sequences, int32 [sequences × most rows]."""
        sequences, width = tf.unstack(tf.shape(self.rows), num=2)
        return tf.reshape(self.firsts + tf.range(sequences)[:, tf.newaxis] * width, [-1])

    def mean(self, x: Any) -> Any:
        """The mean of each row's part of `x` [sequences × width, hidden], float32 [rows, hidden].

        A row has at least one word piece.
        """
        rows, count = tf.reshape(self.rows, [-1]), tf.size(self.order)
        pieces = tf.math.unsorted_segment_sum(tf.ones_like(x[:, :1]), rows, count)
        return tf.math.unsorted_segment_sum(x, rows, count) / pieces

    def _apart(self, asking: Any) -> Any:
        same = tf.equal(asking[:, :, tf.newaxis], self.rows[:, tf.newaxis, :])
        return (1.0 - tf.cast(same, tf.float32))[:, tf.newaxis] * MASKED
