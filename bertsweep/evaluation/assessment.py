"""All that is said of a classifier on labelled rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bertsweep.evaluation.calibration import Calibration
from bertsweep.evaluation.comparison import Comparison, McNemar, differences, verdict
from bertsweep.evaluation.resampling import RESAMPLES, Interval, intervals, resampled
from bertsweep.evaluation.rows import Answers, Rows, plain_number
from bertsweep.evaluation.scores import ClassScore, class_scores, confusion, scores_of
from bertsweep.evaluation.slices import Slices, slices
from bertsweep.progress import Progress
from bertsweep.seeds import derive


@dataclass(frozen=True)
class Assessment:
    """How good a classifier is on `rows` rows, by the metrics of `scores.scores_of`.

    `intervals` are 95 % intervals of the metrics, over the rows. `classes` and `confusion` are of
    the labels that are given at `threshold` (None with more than two classes).
    """

    rows: int
    metrics: Mapping[str, float]
    intervals: Mapping[str, Interval]
    threshold: float | None
    classes: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    calibration: Calibration
    slices: Slices
    against_baseline: Comparison | None

    def to_plain(self) -> dict[str, Any]:
        """As values that JSON holds; numbers that are not finite are None."""
        beside = self.against_baseline
        return {
            "rows": self.rows,
            "metrics": {name: plain_number(value) for name, value in self.metrics.items()},
            "intervals": {name: one.to_plain() for name, one in self.intervals.items()},
            "threshold": self.threshold,
            "classes": [one.to_plain() for one in self.classes],
            "confusion": [list(line) for line in self.confusion],
            "calibration": self.calibration.to_plain(),
            "slices": self.slices.to_plain(),
            "against_baseline": None if beside is None else beside.to_plain(),
        }


def assess(
    rows: Rows,
    answers: Answers,
    *,
    metric: str,
    temperature: float = 1.0,
    baseline: Answers | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
    progress: Progress | None = None,
) -> Assessment:
    """Scores a classifier on labelled rows, and against the baseline's answers on the same ones.

    `metric` is a name of `metrics.METRICS`, by which slices and verdict are scored; `temperature`
    was fitted on other rows. Equal rows and `seed` give equal intervals. `progress` counts samples.
    """
    each = [answers] if baseline is None else [answers, baseline]
    points = [scores_of(rows.labels, one) for one in each]
    samples = resampled(
        rows.labels,
        each,
        classes=len(rows.names),
        seed=derive(seed, "rows"),
        resamples=resamples,
        progress=progress,
    )
    beside = None
    if baseline is not None:
        found = differences((points[0], points[1]), (samples[0], samples[1]))
        values = (points[0][metric], points[1][metric])
        beside = Comparison(
            threshold=baseline.threshold,
            metrics=points[1],
            differences=found,
            mcnemar=McNemar.of(rows.labels, answers, baseline),
            verdict=verdict(metric, values, found[metric], rows=len(rows)),
        )
    return Assessment(
        rows=len(rows),
        metrics=points[0],
        intervals=intervals(samples[0]),
        threshold=answers.threshold,
        classes=class_scores(rows, answers),
        confusion=confusion(rows, answers),
        calibration=Calibration.of(rows.labels, answers, temperature=temperature),
        slices=slices(rows, answers, metric=metric, seed=derive(seed, "slices")),
        against_baseline=beside,
    )
