"""What an optimizer step takes from its number alone: one table a trial, made before it begins."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from bertsweep.spec.hyperparameters import Schedule

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7
RATIO = BETA_1 / math.sqrt(BETA_2)
"""What a step without a gradient leaves of first moment over root of the second."""


class Line(NamedTuple):
    """Of one step, or of several ([n] each): see `Plan`."""

    alpha: Any
    kept: Any
    shrunk: Any
    tail: Any


class Plan:
    """Lines 0 to total steps; line n belongs to the n-th step, line 0 is what comes before it.

    `alpha` is the learning rate with both of Adam's corrections of bias, `kept` what weight decay
    leaves of a weight, `shrunk` the logarithm of what it has left of it since the start. `tail` is
    how far a weight would still move if it never got a gradient again, in units of first moment
    over root of second: the sum over later steps j of alpha[j] RATIO^(j - n), each divided by what
    decay leaves between n and j.
    """

    def __init__(self) -> None:
        self._lines = tf.Variable(np.zeros([1, 4], np.float32), trainable=False, shape=[None, 4])
        self._rates: npt.NDArray[np.float64] = np.zeros(1)

    def set(
        self,
        *,
        learning_rate: float,
        weight_decay: float,
        schedule: Schedule,
        warmup: float,
        total_steps: int,
    ) -> None:
        """`warmup` is a share of `total_steps`."""
        rates = learning_rate * _factors(schedule, round(warmup * total_steps), total_steps)
        count = np.arange(1, total_steps + 1)
        alpha = rates * np.sqrt(1 - BETA_2**count) / (1 - BETA_1**count)
        kept = 1 - rates * weight_decay
        tail = np.zeros(total_steps + 1)
        for n in range(total_steps - 1, -1, -1):
            tail[n] = RATIO / kept[n] * (alpha[n] + tail[n + 1])
        lines = np.zeros([total_steps + 1, 4])
        lines[1:, 0], lines[1:, 1], lines[1:, 2] = alpha, kept, np.cumsum(np.log(kept))
        lines[:, 3] = tail
        self._lines.assign(lines.astype(np.float32))
        self._rates = rates

    def rate(self, step: int) -> float:
        """The learning rate of step number `step`, from 0; of the last one after the end."""
        return float(self._rates[min(step, len(self._rates) - 1)])

    def line(self, number: Any) -> Line:
        """The line, or the lines, of `number`: an int32 scalar, or [n]."""
        return Line(*tf.unstack(tf.gather(self._lines, number), num=4, axis=-1))


def _factors(schedule: Schedule, warmup_steps: int, total: int) -> npt.NDArray[np.float64]:
    """The share of the peak learning rate at every step, [total].

    It rises linearly to the peak over the warm-up, then stays, falls linearly to zero, or falls
    along half a cosine (Loshchilov & Hutter 2017, equation 5, one cycle).
    """
    step = np.arange(total)
    past = np.clip((step - warmup_steps) / max(total - warmup_steps, 1), 0, 1)
    after = {
        "constant": np.ones(total),
        "linear": 1 - past,
        "cosine": 0.5 * (1 + np.cos(np.pi * past)),
    }[schedule]
    return np.where(step < warmup_steps, (step + 1) / max(warmup_steps, 1), after)
