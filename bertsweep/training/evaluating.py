"""Logits, probabilities and loss of rows, without dropout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from bertsweep.model.classifier import cross_entropy, probabilities
from bertsweep.tokens import Tokens
from bertsweep.training.batches import evaluation_batches
from bertsweep.training.feed import Feed, make_feed

EVALUATION_ROWS = 64
"""Rows per evaluation batch: enough to fill a device, few enough for the caches of a CPU."""

CALL_STEPS = 50
"""Steps, or evaluation batches, in one call into a graph; the loss is checked after each call."""


@dataclass(frozen=True)
class Evaluation:
    """Labels int32 [rows], probabilities float64 as `probabilities` returns them, mean loss."""

    labels: np.ndarray[Any, Any]
    probabilities: np.ndarray[Any, Any]
    loss: float


def evaluate(forward: Callable[[Feed], Any], tokens: Tokens, *, max_seq_length: int) -> Evaluation:
    """Runs `forward` on every row of `tokens`; results are in the order of the rows."""
    logits = logits_of(forward, tokens, max_seq_length=max_seq_length)
    labels = np.asarray(tokens.labels)
    classes = 2 if logits.ndim == 1 else logits.shape[1]
    losses = cross_entropy(tf.constant(logits), tf.constant(labels), classes=classes)
    return Evaluation(labels, probabilities(logits), float(tf.reduce_mean(losses)))


def logits_of(
    forward: Callable[[Feed], Any], tokens: Tokens, *, max_seq_length: int
) -> np.ndarray[Any, Any]:
    """Returns the logits of every row, float32 [rows] for two classes, else [rows, classes]."""
    batches = evaluation_batches(tokens.lengths(max_seq_length), batch_size=EVALUATION_ROWS)
    outputs = []
    for start in range(0, len(batches), CALL_STEPS):
        feed = make_feed(tokens, batches[start : start + CALL_STEPS], max_seq_length=max_seq_length)
        outputs.append(forward(feed).numpy())
    batched = np.concatenate(outputs)
    logits = np.empty_like(batched)
    logits[np.concatenate(batches)] = batched
    return logits
