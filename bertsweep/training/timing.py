"""Which way of computing trains fastest here: a few steps of each, timed in turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bertsweep.errors import NonFiniteLossError
from bertsweep.spec.hyperparameters import Hyperparameters
from bertsweep.training.compute import Compute
from bertsweep.training.trainer import Trainer

MARGIN = 1.1
"""How many times as fast as the first way another must be, so that noise does not choose."""

AGREEMENT = 0.05
"""How far the mean loss of the timed steps may lie from that of the first way, absolutely."""

_STEPS = 4


@dataclass(frozen=True)
class Timing:
    """Rows per second that a way trains, and its mean loss, None where that is not finite."""

    compute: Compute
    examples_per_second: float
    loss: float | None


def compare(trainer: Trainer, ways: Sequence[Compute], *, seconds: float) -> list[Timing]:
    """Trains the same few steps in every way, in turns, for about `seconds` after tracing.

    Taking turns makes a change of the machine's load fall on all of them. The trainer is left in
    no trial's state: `begin` must follow.
    """
    losses = {way: _train(trainer, way)[1] for way in ways}  # the first run traces and compiles
    rates: dict[Compute, list[float]] = {way: [] for way in ways if losses[way] is not None}
    until = time.monotonic() + seconds
    while rates and (time.monotonic() < until or not all(rates.values())):
        for way, taken in rates.items():
            taken.append(_train(trainer, way)[0])
    return [
        Timing(way, statistics.median(rates[way]) if way in rates else 0.0, losses[way])
        for way in ways
    ]


def fastest(timings: Sequence[Timing]) -> Timing:
    """Returns the fastest way whose loss agrees with the first one's; the first one by default.

    Another is chosen only if it is at least `MARGIN` times as fast.
    """
    first = timings[0]
    if first.loss is None:
        return first
    able = [
        timing
        for timing in timings[1:]
        if timing.loss is not None
        and abs(timing.loss - first.loss) <= AGREEMENT
        and timing.examples_per_second >= MARGIN * first.examples_per_second
    ]
    return max(able, key=lambda timing: timing.examples_per_second, default=first)


def _train(trainer: Trainer, way: Compute) -> tuple[float, float | None]:
    """Returns rows per second and mean loss of a trial's first steps."""
    trainer.use(way)
    usual = Hyperparameters(epochs=_STEPS)
    most = trainer.classifier.config.max_position_embeddings
    length = {"max_seq_length": min(usual.max_seq_length, most)}
    trainer.begin(usual.model_copy(update=length), seed=0)
    try:
        training = trainer.train(min(_STEPS, trainer.total_steps))
    except NonFiniteLossError:
        return 0.0, None
    return training.examples / training.seconds, training.loss
