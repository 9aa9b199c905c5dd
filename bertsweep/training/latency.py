"""How long predictions take: measured, in turns with a reference.

The protocol. The texts are `TEXTS` validation rows at even steps through the order of length, so
that short and long ones have their share. They are cut to the trial's sequence length and
padded as `evaluate` and `predict` do it, and go through the graph by which the trial is evaluated,
one by one or in batches, from word pieces in memory to logits in memory: what a call takes besides
(splitting a text into word pieces, about 0.03 ms) is the same for all trials. After one call of
each form that is not timed, rounds follow. In a round each call is made in both ways, one right
after the other, and which comes first changes with every round; so a change of the machine's load
falls on both. There are at least `LEAST_ROUNDS`, and more until `SECONDS` have passed. Of each
call the median quotient of both times over the rounds is taken, and of these the mean, weighted by
what the reference took, since a service pays for the long texts too. A call that is the same in
both ways (a text that neither cuts) has the quotient 1, without noise.
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

Forward = Callable[[Feed], Any]


@dataclass(frozen=True)
class Way:
    """A way to predict: the graph from a feed to logits, and the length that texts are cut to."""

    forward: Forward
    length: int


@dataclass(frozen=True)
class Latency:
    """Milliseconds of a call, those of the reference, the quotient, and how many rounds."""

    milliseconds: float
    reference_ms: float
    ratio: float
    rounds: int


def measure(
    tokens: Tokens, *, batch: int, own: Way, reference: Way, seconds: float = SECONDS
) -> Latency:
    """Times calls of `batch` texts in both ways, in turns, as the protocol says."""
    calls = [
        [_Call(way.forward, feed) for feed in _feeds(tokens, batch=batch, length=way.length)]
        for way in (own, reference)
    ]
    alike = list(map(_Call.equals, *calls))
    for call in (*calls[0], *calls[1]):
        call.timed()
    times: tuple[list[list[float]], ...] = ([], [])
    until = time.perf_counter() + seconds
    while len(times[0]) < LEAST_ROUNDS or (
        time.perf_counter() < until and len(times[0]) < MOST_ROUNDS
    ):
        turn = (0, 1) if len(times[0]) % 2 == 0 else (1, 0)
        for column in times:
            column.append([])
        for place in range(len(calls[0])):
            for way in turn:
                times[way][-1].append(calls[way][place].timed())
    taken, weights = map(_typical, times)
    quotients = [
        1.0 if same else statistics.median(a / b for a, b in zip(mine, other, strict=True))
        for same, mine, other in zip(alike, _columns(times[0]), _columns(times[1]), strict=True)
    ]
    # Exactly 1 where all are: a weighted sum of ones need not be.
    ratio = 1.0 if all(alike) else float(np.average(quotients, weights=weights))
    milliseconds, reference_ms = (1000 * statistics.mean(each) for each in (taken, weights))
    return Latency(milliseconds, reference_ms, ratio, len(times[0]))


def _typical(rounds: Sequence[Sequence[float]]) -> list[float]:
    """Of each call the median over the rounds."""
    return [statistics.median(times) for times in _columns(rounds)]


def _columns(rounds: Sequence[Sequence[float]]) -> list[tuple[float, ...]]:
    return list(zip(*rounds, strict=True))


@dataclass(frozen=True)
class _Call:
    forward: Forward
    feed: Feed

    def timed(self) -> float:
        """Seconds that the call takes."""
        begun = time.perf_counter()
        self.forward(self.feed).numpy()
        return time.perf_counter() - begun

    def equals(self, other: _Call) -> bool:
        """Whether both compute the same."""
        same = zip(self.feed, other.feed, strict=True)
        return self.forward is other.forward and all(np.array_equal(a, b) for a, b in same)


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
