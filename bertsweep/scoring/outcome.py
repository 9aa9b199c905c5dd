"""What an evaluation came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TEST = "test"
"""The rows of an evaluation that are a sweep's test split."""


@dataclass(frozen=True)
class Evaluation:
    """A checkpoint's scores on labelled rows.

    `rows` is "test" or the file that was read, `sweep` None for a checkpoint outside of any.
    `metric` is what the sweep ranks by (without `val_`), `aim` what the threshold is for, None for
    the checkpoint's own. `temperature` is None where no validation rows could tell it. `opened` is
    how often the test split has been read, `again` whether it had been before; None and False for
    a file. `result` is an `evaluation.Assessment` as plain values; its `against_baseline` also
    names the baseline's `trial`.
    """

    sweep: str | None
    rows: str
    trial: str
    checkpoint: Path
    positive: Any
    metric: str
    aim: str | None
    threshold: float | None
    temperature: float | None
    result: Mapping[str, Any]
    opened: int | None = None
    again: bool = False

    @property
    def metrics(self) -> Mapping[str, float | None]:
        """Every score by its name; None where it is not defined on these rows."""
        found: Mapping[str, float | None] = self.result["metrics"]
        return found

    def to_plain(self) -> dict[str, Any]:
        """The document of `bertsweep evaluate --json`."""
        return {
            "sweep": self.sweep,
            "data": self.rows,
            "trial": self.trial,
            "checkpoint": str(self.checkpoint),
            "positive": self.positive,
            "metric": self.metric,
            "aim": self.aim,
            "threshold": self.threshold,
            "temperature": self.temperature,
            "opened": self.opened,
            "again": self.again,
            **{key: value for key, value in self.result.items() if key != "threshold"},
        }
