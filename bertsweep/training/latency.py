"""How long predictions take: measured, in turns with a reference.

The protocol. The texts are `TEXTS` validation rows at even steps through the order of length, so
that short and long ones have their share. They are cut to the sequence length that is measured and
padded as `evaluate` and `predict` do it, and go through the graph by which the trial is evaluated,
one by one or in batches, from word pieces in memory to logits in memory: what a call takes besides
(splitting a text into word pieces, about 0.03 ms) is the same for all trials. After one call of
each form that is not timed, rounds follow. In a round each call is made at both lengths, one right
after the other, and which comes first changes with every round; so a change of the machine's load
falls on both. There are at least `LEAST_ROUNDS`, and more until `SECONDS` have passed. Of each call
the median over the rounds is taken, and of these the mean over the calls, since a service pays for
the long texts too; the result is that of both lengths, and their quotient.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertsweep.tokens import Tokens
from bertsweep.training.feed import Feed, make_feed

TEXTS = 32
LEAST_ROUNDS = 5
MOST_ROUNDS = 100
SECONDS = 3.0


@dataclass(frozen=True)
class Latency:
    """Milliseconds of a call, the same of the reference, their quotient, and how many rounds."""

    milliseconds: float
    reference_ms: float
    ratio: float
    rounds: int


def measure(
    forward: Callable[[Feed], Any],
    tokens: Tokens,
    *,
    batch: int,
    length: int,
    reference: int,
    seconds: float = SECONDS,
) -> Latency:
    """Times calls of `batch` texts cut to `length` word pieces, and to `reference` in turns.

    Where both lengths cut the texts alike, the quotient is 1, without noise.
    """
    own, other = (_feeds(tokens, batch=batch, length=one) for one in (length, reference))
    alike = all(map(_equal, own, other))
    for feed in (*own, *other):
        _timed(forward, feed)
    mine, others = list[list[float]](), list[list[float]]()
    until = time.perf_counter() + seconds
    while len(mine) < LEAST_ROUNDS or (time.perf_counter() < until and len(mine) < MOST_ROUNDS):
        first, second = (own, other) if len(mine) % 2 == 0 else (other, own)
        times = [
            (_timed(forward, one), _timed(forward, two))
            for one, two in zip(first, second, strict=True)
        ]
        pair = [list(column) for column in zip(*times, strict=True)]
        if first is other:
            pair.reverse()
        mine.append(pair[0])
        others.append(pair[1])
    taken, reference_ms = _typical(mine), _typical(others)
    return Latency(taken, reference_ms, 1.0 if alike else taken / reference_ms, len(mine))


def _typical(rounds: Sequence[Sequence[float]]) -> float:
    """Milliseconds: of each call the median over the rounds, and of these the mean."""
    medians = [statistics.median(times) for times in zip(*rounds, strict=True)]
    return 1000 * statistics.mean(medians)


def _timed(forward: Callable[[Feed], Any], feed: Feed) -> float:
    begun = time.perf_counter()
    forward(feed).numpy()
    return time.perf_counter() - begun


def _feeds(tokens: Tokens, *, batch: int, length: int) -> list[Feed]:
    """The measured calls: the texts in batches, every one with short and long texts in it."""
    # By the uncut length, so that the same texts are chosen for every length.
    order = np.argsort(tokens.lengths(_UNCUT), kind="stable")
    count = max(1, -(-min(TEXTS, len(order)) // batch))
    places = np.linspace(0, len(order) - 1, num=count * batch).round().astype(np.int64)
    rows = order[places]
    return [
        make_feed(tokens, [rows[start::count]], max_seq_length=length) for start in range(count)
    ]


_UNCUT = 1 << 30
"""A sequence length that cuts nothing."""


def _equal(one: Feed, other: Feed) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
