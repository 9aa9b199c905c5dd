"""Adam and AdamW in one graph: rates, decay and schedule are variables."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from bertsweep.spec.hyperparameters import Schedule

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-7
_SCHEDULES: tuple[Schedule, ...] = ("constant", "linear", "cosine")


class Adam:
    """Adam with decoupled weight decay (Adam where the decay is 0) and a scheduled learning rate.

    Sources: Kingma & Ba 2015, algorithm 1 in the efficient form of section 2, with Keras' epsilon;
    Loshchilov & Hutter 2019, algorithm 2, for the decay, which spares biases and layer norms as
    Devlin et al. 2019 do. Slots belong to variables by name, so that graphs which train different
    subsets of the weights share them.
    """

    def __init__(self, weights: Mapping[str, tf.Variable]) -> None:
        def slots() -> dict[str, tf.Variable]:
            return {
                name: tf.Variable(tf.zeros_like(v), trainable=False) for name, v in weights.items()
            }

        self.first, self.second = slots(), slots()
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.learning_rate = tf.Variable(0.0, trainable=False)
        self.weight_decay = tf.Variable(0.0, trainable=False)
        self.total_steps = tf.Variable(1.0, trainable=False)
        self.warmup_steps = tf.Variable(0.0, trainable=False)
        self.schedule = tf.Variable(0, dtype=tf.int32, trainable=False)

    def reset(
        self,
        *,
        learning_rate: float,
        weight_decay: float,
        schedule: Schedule,
        warmup: float,
        total_steps: int,
    ) -> None:
        """Clears the slots and sets a trial's values; `warmup` is a share of `total_steps`."""
        for slot in (*self.first.values(), *self.second.values()):
            slot.assign(tf.zeros_like(slot))
        self.step.assign(0)
        self.learning_rate.assign(learning_rate)
        self.weight_decay.assign(weight_decay)
        self.total_steps.assign(float(total_steps))
        self.warmup_steps.assign(float(round(warmup * total_steps)))
        self.schedule.assign(_SCHEDULES.index(schedule))

    def rate(self) -> Any:
        """The learning rate of the coming step, a float32 scalar.

        It rises linearly to the peak over the warm-up, then stays, falls linearly to zero, or falls
        along half a cosine (Loshchilov & Hutter 2017, equation 5, one cycle).
        """
        step = tf.cast(self.step, tf.float32)
        rising = (step + 1.0) / tf.maximum(self.warmup_steps, 1.0)
        past = (step - self.warmup_steps) / tf.maximum(self.total_steps - self.warmup_steps, 1.0)
        past = tf.clip_by_value(past, 0.0, 1.0)
        after = tf.stack([tf.ones_like(past), 1.0 - past, 0.5 * (1.0 + tf.cos(math.pi * past))])
        factor = tf.where(step < self.warmup_steps, rising, after[self.schedule])
        return self.learning_rate * factor

    def apply(self, gradients: Mapping[str, Any], weights: Mapping[str, tf.Variable]) -> None:
        """Takes one step; `gradients` and `weights` by the same names."""
        rate = self.rate()
        count = tf.cast(self.step + 1, tf.float32)
        power_1, power_2 = tf.pow(_BETA_1, count), tf.pow(_BETA_2, count)
        decayed = [weights[name] for name in gradients if _decays(name)]
        # A branch, because a pass over every weight to take away nothing is not free.
        tf.cond(self.weight_decay > 0, lambda: _decay(decayed, rate * self.weight_decay), tf.no_op)
        for name, gradient in gradients.items():
            weight = weights[name]
            tf.raw_ops.ResourceApplyAdam(
                var=weight.handle,
                m=self.first[name].handle,
                v=self.second[name].handle,
                beta1_power=power_1,
                beta2_power=power_2,
                lr=rate,
                beta1=_BETA_1,
                beta2=_BETA_2,
                epsilon=_EPSILON,
                grad=tf.convert_to_tensor(gradient),
            )
        self.step.assign_add(1)


def _decay(weights: list[tf.Variable], factor: Any) -> Any:
    return tf.group([weight.assign_sub(weight * factor) for weight in weights])


def _decays(name: str) -> bool:
    return not name.endswith(("/bias", "/gamma", "/beta"))
