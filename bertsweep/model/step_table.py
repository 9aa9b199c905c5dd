"""What an optimizer step takes from its number alone: one table a trial, made before it begins."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from bertsweep.spec.hyperparameters import MOST_STEPS, Schedule

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7
RATIO = BETA_1 / math.sqrt(BETA_2)
"""By what factor first moment / sqrt(second moment) changes in a step whose gradient is 0."""


class StepRow(NamedTuple):
    """The four columns of `StepTable`, for one step (scalars) or for several ([n] each)."""

    alpha: Any
    kept: Any
    shrunk: Any
    tail: Any


class StepTable:
    """One row for every optimizer step of a trial, which the training graph looks up by number.

    Row n belongs to the n-th step (from 1); row 0 stands for the time before the first step.

    - `alpha`: the learning rate times both of Adam's bias corrections, so that a step subtracts
      `alpha * first / (sqrt(second) + epsilon)`.
    - `kept`: the factor that weight decay leaves of a weight in this step, `1 - rate * decay`.
    - `shrunk`: the logarithm of the product of `kept` over all steps up to this one.
    - `tail`: how far a weight would still move if its gradient were 0 from here on, in units of
      `first / sqrt(second)`: the sum over the later steps j of `alpha[j] * RATIO ** (j - n)`, each
      divided by what decay leaves between n and j. `SparseAdam` says what it is for.
    """

    def __init__(self) -> None:
        self._rows = tf.Variable(np.zeros([1, 4], np.float32), trainable=False, shape=[None, 4])
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
        """Computes every row for a trial of `total_steps`; `warmup` is a share of them.

        Raises `ValueError` for more than `MOST_STEPS`.
        """
        if total_steps > MOST_STEPS:
            raise ValueError(f"total_steps must be at most {MOST_STEPS}, but got {total_steps}")
        rates = learning_rate * _factors(schedule, round(warmup * total_steps), total_steps)
        count = np.arange(1, total_steps + 1)
        alpha = rates * np.sqrt(1 - BETA_2**count) / (1 - BETA_1**count)
        kept = 1 - rates * weight_decay
        tail = np.zeros(total_steps + 1)
        for n in range(total_steps - 1, -1, -1):
            tail[n] = RATIO / kept[n] * (alpha[n] + tail[n + 1])
        rows = np.zeros([total_steps + 1, 4])
        rows[1:, 0], rows[1:, 1], rows[1:, 2] = alpha, kept, np.cumsum(np.log(kept))
        rows[:, 3] = tail
        self._rows.assign(rows.astype(np.float32))
        self._rates = rates

    def rate(self, step: int) -> float:
        """The learning rate of step number `step`, from 0; after the end, that of the last step."""
        return float(self._rates[min(step, len(self._rates) - 1)])

    def row(self, number: Any) -> StepRow:
        """Row `number` (an int32 scalar), or several rows (int32 [n])."""
        return StepRow(*tf.unstack(tf.gather(self._rows, number), num=4, axis=-1))


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
