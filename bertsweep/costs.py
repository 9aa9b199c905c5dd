"""What a trial costs: the objectives that no validation row tells, and that are always lower."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """A cost of a trial, lower being better; its unit stands in `title`.

    `follows` names the hyperparameters that it depends on, None where all count. `batch` is the
    number of texts in one call, for those that are measured latencies.
    """

    name: str
    title: str
    follows: tuple[str, ...] | None = None
    batch: int | None = None


PREDICTION = ("max_seq_length", "pooling", "encoder")
"""The hyperparameters that change what one prediction computes."""

COSTS: Mapping[str, Cost] = {
    cost.name: cost
    for cost in (
        Cost("latency_ms", "milliseconds for one text, measured", PREDICTION, batch=1),
        Cost(
            "latency_ms_batch_32",
            "milliseconds for a batch of 32 texts, measured",
            PREDICTION,
            batch=32,
        ),
        Cost("parameters", "number of weights that a prediction uses", ("pooling", "encoder")),
        Cost("train_seconds", "seconds of training up to the checkpoint"),
    )
}
"""Every cost by the name that it has in a search space file and among a trial's metrics."""
