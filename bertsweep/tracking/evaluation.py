"""The run of job_type `evaluate`: a reading of the test split as metrics, curves and tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bertsweep.evaluation import Answers, Assessment, Rows
from bertsweep.ledger import Reading
from bertsweep.ledger.events import SweepStarted
from bertsweep.tracking.plans import RunSettings, origin

ERROR_ROWS = 200
"""Rows of the table of errors at most."""


@dataclass(frozen=True)
class EvaluationRun:
    """A reading of a sweep's test split with the rows it is about, and the winner's answers.

    With `sample_rows` 0 no text and no word of the rows is shown.
    """

    started: SweepStarted
    reading: Reading
    rows: Rows
    answers: Answers
    assessment: Assessment
    sample_rows: int

    step = 1

    @property
    def settings(self) -> RunSettings:
        number, opened = self.reading.number, self.reading.opened
        last = "evaluate" if number == 1 else f"evaluate-{number}"
        return RunSettings(
            id=f"{self.started.sweep}-{last}",
            name=f"{self.started.name}-{last}",
            job_type="evaluate",
            config={
                **origin(self.started),
                "trial": opened.trial,
                "aim": opened.aim,
                "threshold": opened.threshold,
                "temperature": opened.temperature,
                "again": opened.again,
                "rows": self.assessment.rows,
            },
        )

    def summary(self) -> dict[str, Any]:
        """Every test metric with its interval, and what became of the comparison."""
        plain = self.assessment.to_plain()
        found = {f"test_{name}": value for name, value in plain["metrics"].items()}
        for name, interval in plain["intervals"].items():
            found |= {f"test_{name}_{end}": value for end, value in interval.items()}
        calibration = plain["calibration"]["expected_calibration_error"]
        found |= {f"test_calibration_error_{when}": value for when, value in calibration.items()}
        beside = self.assessment.against_baseline
        if beside is not None:
            found |= {f"baseline_{name}": value for name, value in beside.metrics.items()}
            found |= {"verdict": beside.verdict, "mcnemar_p_value": beside.mcnemar.p_value}
        found["opened"] = self.reading.number
        return {k: v for k, v in found.items() if v is not None and v == v}

    def charts(self, wandb: Any) -> dict[str, Any]:
        """Key → table or plot, ready to log."""
        names = [str(name) for name in self.rows.names]
        labels = self.rows.labels.tolist()
        charts = {
            "test/confusion": wandb.plot.confusion_matrix(
                y_true=labels, preds=self.answers.predicted.tolist(), class_names=names
            ),
            "test/classes": _table(
                wandb,
                [{**one.to_plain(), "label": str(one.label)} for one in self.assessment.classes],
            ),
            "test/reliability": _table(wandb, self._reliability),
            "test/reliability_plot": self._reliability_plot(wandb),
            "test/slices": _table(wandb, self._slices()),
        }
        present = np.unique(self.rows.labels)
        if len(present) > 1:
            # wandb takes column i for the i-th class that has rows.
            curves = {
                "y_true": labels,
                "y_probas": self.answers.each[:, present],
                "labels": names,
                "classes_to_plot": [1] if len(names) == 2 else None,
            }
            charts["test/precision_recall"] = wandb.plot.pr_curve(**curves)
            charts["test/roc"] = wandb.plot.roc_curve(**curves)
        if self.sample_rows:
            charts["test/errors"] = self._errors(wandb, names)
            words = [one.to_plain() for one in self.assessment.slices.words]
            if words:
                charts["test/words"] = _table(wandb, words)
        return charts

    def files(self) -> None:
        return None

    @property
    def _reliability(self) -> list[dict[str, Any]]:
        return [one.to_plain() for one in self.assessment.calibration.reliability]

    def _slices(self) -> list[dict[str, Any]]:
        plain = self.assessment.slices.to_plain()
        return [{"by": by, **one} for by in ("length", "class") for one in plain[by]]

    def _reliability_plot(self, wandb: Any) -> Any:
        said = [one["probability"] for one in self._reliability]
        return wandb.plot.line_series(
            xs=[said, said],
            ys=[[one["share"] for one in self._reliability], said],
            keys=["share that is right", "as it should be"],
            title="reliability",
            xname="probability",
        )

    def _errors(self, wandb: Any, names: list[str]) -> Any:
        """Rows labelled wrongly, those first that the classifier was surest of."""
        predicted = self.answers.predicted
        wrong = np.flatnonzero(predicted != self.rows.labels)
        said = self.answers.each[wrong, predicted[wrong]]
        surest = wrong[np.argsort(-said, kind="stable")][:ERROR_ROWS]
        return wandb.Table(
            columns=["text", "label", "predicted", "probability"],
            data=[
                [
                    self.rows.texts[row],
                    names[int(self.rows.labels[row])],
                    names[int(predicted[row])],
                    float(self.answers.each[row, predicted[row]]),
                ]
                for row in surest.tolist()
            ],
        )


def _table(wandb: Any, rows: list[dict[str, Any]]) -> Any:
    columns = list(rows[0])
    return wandb.Table(columns=columns, data=[[row[name] for name in columns] for row in rows])
