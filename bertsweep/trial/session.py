"""One trial from its first step, or from where it was left, to its last report."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bertsweep import checkpoints, metrics
from bertsweep.checkpoints import (
    TRAIN,
    TRAIN_AND_VALIDATION,
    CheckpointRecord,
    EncoderRecord,
    Predictions,
    State,
)
from bertsweep.spec.hyperparameters import Hyperparameters
from bertsweep.training.evaluating import Evaluation
from bertsweep.training.trainer import Training
from bertsweep.trial.costs import costs_of
from bertsweep.trial.job import Proposal, TrialJob
from bertsweep.trial.refit import held_out
from bertsweep.trial.soup import Soup
from bertsweep.trial.workbench import Workbench

STATE_BUDGET = 0.05
"""Share of a trial's time that saving its full state may take."""

_KEPT = ("checkpoint", "best", "threshold")
"""What a report says of the trial's checkpoint, None before there is one."""

_ROUNDING = 1e-9
"""Of epochs, which are fractions."""

_STATE_SIZE = 3
"""Times the weights: Adam keeps two moments of each."""


class Session:
    """Trains a proposal on a workbench, a report at a time.

    Where the trial's folder holds a good full state, the session goes on from there: it returns the
    reports that were made before again, without training, for a driver that missed one.

    A refit has no rows to be evaluated on: its reports tell of the training, and its checkpoint is
    that of the last one.
    """

    def __init__(self, bench: Workbench, job: TrialJob, proposal: Proposal) -> None:
        self.bench, self.job, self.proposal = bench, job, proposal
        self.folder = proposal.trial_folder(job)
        hyperparameters = Hyperparameters.from_point(proposal.params)
        self.refit = proposal.refit
        if self.refit is None:
            bench.divide(proposal.split)
        else:
            bench.join()
        bench.trainer.begin(hyperparameters, seed=proposal.seed)
        self.per_epoch = min(job.reports_per_epoch, bench.trainer.steps_per_epoch)
        self.epochs = float(hyperparameters.epochs) if self.refit is None else self.refit.epoch
        self.total = math.ceil(round(self.per_epoch * self.epochs, 6))
        self.patience = 0.0 if self.refit else hyperparameters.patience
        # A refit has nothing to choose by: it takes its last weights.
        self.soup = Soup() if hyperparameters.average == "soup" and not self.refit else None
        self._joined = False
        self.reports: list[dict[str, Any]] = []
        self.given = 0
        self._saving = 0.0
        self._restore()

    def next_report(self) -> dict[str, Any]:
        """The next report, its `finished` true for the last.

        Raises `NonFiniteLossError` when training diverged.
        """
        if self.given == len(self.reports):
            self.reports.append(self._train())
            self._save_state()
        self.given += 1
        return self.reports[self.given - 1]

    def _train(self) -> dict[str, Any]:
        begun = time.perf_counter()
        number = len(self.reports) + 1
        trainer = self.bench.trainer
        until = round(number * trainer.steps_per_epoch / self.per_epoch)
        training = trainer.train(min(until, round(self.epochs * trainer.steps_per_epoch)))
        with self._candidate() as (evaluation, seconds):
            report = self._report(number, training, evaluation, evaluating=seconds)
        report["finished"] = report["finished"] or self._waited(report)
        before = self.reports[-1] if self.reports else {"seconds": 0.0}
        report["seconds"] = before["seconds"] + time.perf_counter() - begun
        return report

    @contextlib.contextmanager
    def _candidate(self) -> Iterator[tuple[Evaluation | None, float]]:
        """The weights that a report is about in the classifier; their evaluation, and its seconds.

        They are those of the training, their moving average, or a soup with them. Afterwards the
        classifier has those of the training again.
        """
        begun, trainer = time.perf_counter(), self.bench.trainer
        with contextlib.ExitStack() as held:
            held.enter_context(trainer.averaged())
            evaluation = None if self.refit else trainer.evaluate(self.bench.validation)
            more = self.soup and self.soup.with_more(trainer.classifier.weights)
            self._joined = False
            if evaluation is not None and more:
                with trainer.holding(more):
                    together = trainer.evaluate(self.bench.validation)
                self._joined = self._is_better(together, evaluation)
                if self._joined:
                    held.enter_context(trainer.holding(more))
                    evaluation = together
            yield evaluation, time.perf_counter() - begun

    def _is_better(self, one: Evaluation, other: Evaluation) -> bool:
        """Whether the objective of an evaluation is better; one that is not finite is not."""
        values = [_finite(_scores(each)).get(self.job.metric) for each in (one, other)]
        if values[0] is None or values[1] is None:
            return values[0] is not None
        return self._sign * values[0] > self._sign * values[1]

    def _waited(self, report: Mapping[str, Any]) -> bool:
        """Whether the last better report is `patience` epochs ago."""
        best, since = None, 0.0
        for one in (*self.reports, report):
            if one["best"] != best:
                best, since = one["best"], one["epoch"]
        return 0 < self.patience <= report["epoch"] - since + _ROUNDING

    def _report(
        self, number: int, training: Training, evaluation: Evaluation | None, *, evaluating: float
    ) -> dict[str, Any]:
        before = self.reports[-1] if self.reports else {"examples": 0}
        report: dict[str, Any] = {
            "report": number,
            "epoch": min(number / self.per_epoch, self.epochs),
            "examples": before["examples"] + training.examples,
            "metrics": _finite(_metrics(training, evaluation)),
            "compute": self.bench.compute,
            "system": {
                **self.bench.system.sample(),
                "training_seconds": training.seconds,
                "evaluation_seconds": evaluating,
            },
            "finished": number == self.total,
        }
        report["objective"] = report["metrics"].get(self.job.metric)
        if evaluation is None:
            report |= self._keep_last(report)
        else:
            report |= self._costs(report, training)
            report |= self._keep_best(report, evaluation)
        return report

    def _costs(self, report: dict[str, Any], training: Training) -> dict[str, Any]:
        """Adds the costs that are objectives to the metrics; returns what was measured for them."""
        if not self.job.costs:
            return {}
        earlier = self.reports[-1]["metrics"] if self.reports else None
        found, measured = costs_of(self.bench, self.job, earlier, training_seconds=training.seconds)
        report["metrics"] |= found
        return {"latency": measured}

    def _keep_best(self, report: Mapping[str, Any], evaluation: Evaluation) -> dict[str, Any]:
        """The trial's best checkpoint so far, a new one where this report beats it."""
        best: dict[str, Any] = dict.fromkeys(_KEPT)
        if self.reports:
            best = {name: self.reports[-1].get(name) for name in _KEPT}
        value, before = report["objective"], best["best"]
        if value is None or not (before is None or self._sign * value > self._sign * before):
            return best
        if self.soup is not None:
            self.soup.take(self._arrays(), joined=self._joined)
        told = Predictions(evaluation.labels, evaluation.probabilities)
        return {"best": value, **self._keep(report, told)}

    def _keep_last(self, report: Mapping[str, Any]) -> dict[str, Any]:
        """The checkpoint of a refit, when it is done."""
        if self.refit is None or not report["finished"]:
            return dict.fromkeys(_KEPT)
        expected = {**report["metrics"], **self.refit.expected}
        told = held_out(self.refit, Path(self.job.folder))
        return {"best": None, **self._keep({**report, "metrics": expected}, told)}

    def _keep(self, report: Mapping[str, Any], told: Predictions) -> dict[str, Any]:
        """Writes a checkpoint whose labels follow from `told`, predictions for rows not seen."""
        begun = time.perf_counter()
        threshold = self._threshold(told)
        folder = checkpoints.write_best(
            self.folder,
            self._record(report, threshold),
            arrays=self._arrays(),
            vocabulary=self.bench.vocabulary,
            vocabulary_name=self.bench.encoder.vocabulary.name,
            predictions=told,
        )
        seconds = time.perf_counter() - begun
        self.bench.saving_seconds = self.bench.saving_seconds or _STATE_SIZE * seconds
        checkpoint = str(folder.relative_to(Path(self.job.folder)))
        return {"checkpoint": checkpoint, "threshold": threshold}

    def _arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        return {n: v.numpy() for n, v in self.bench.trainer.classifier.weights.items()}

    @property
    def _sign(self) -> int:
        return 1 if self.job.mode == "max" else -1

    def _threshold(self, told: Predictions) -> float | None:
        """The probability from which a row is labelled positive; None with more than two classes.

        It is set on the rows that the metrics are of, so that the labels score what they say.
        """
        if len(self.job.labels) != 2:
            return None
        return metrics.threshold_for(self.job.threshold_rule, told.labels, told.probabilities)

    def _record(self, report: Mapping[str, Any], threshold: float | None) -> CheckpointRecord:
        two, encoder = len(self.job.labels) == 2, self.bench.encoder
        return CheckpointRecord(
            trial=self.proposal.trial,
            params=dict(self.proposal.params),
            seed=self.proposal.seed,
            report=report["report"],
            epoch=report["epoch"],
            metrics=report["metrics"],
            compute=self.bench.compute,
            labels=self.job.labels,
            positive=self.job.labels[1] if two else None,
            text=self.job.text,
            threshold=threshold,
            threshold_rule=self.job.threshold_rule if two else None,
            encoder=EncoderRecord(
                config=encoder.config,
                lowercase=encoder.lowercase,
                hash=encoder.hash,
                source=encoder.source,
            ),
            trained_on=TRAIN if self.refit is None else TRAIN_AND_VALIDATION,
        )

    def _save_state(self) -> None:
        """Saves the full state where that stays within its share of the trial's time.

        What it will take is what it took last on this workbench, or what its size lets expect: a
        fast device would otherwise wait longer for a state than training the same again would take.
        """
        report = self.reports[-1]
        if report["finished"]:
            return
        if self._saving + self.bench.saving_seconds > STATE_BUDGET * report["seconds"]:
            return
        begun = time.perf_counter()
        arrays = self.bench.trainer.state() | (self.soup.state() if self.soup else {})
        state = State(self.proposal.params, self.proposal.seed, self.reports, arrays)
        checkpoints.write_state(self.folder, state)
        self.bench.saving_seconds = time.perf_counter() - begun
        self._saving += self.bench.saving_seconds

    def _restore(self) -> None:
        """Goes on from the newest good state, unless the best weights up to it were lost.

        Those come back only by training again.
        """
        state = checkpoints.newest_state(
            self.folder, params=self.proposal.params, seed=self.proposal.seed
        )
        if state is None:
            return
        best = state.reports[-1]["checkpoint"]
        if best is not None and not checkpoints.has_since(self.folder, best):
            return
        self.bench.trainer.restore(state.arrays)
        if self.soup is not None:
            self.soup.restore(state.arrays)
        self.reports = [dict(report) for report in state.reports]


def _metrics(training: Training, evaluation: Evaluation | None) -> dict[str, float]:
    found = {
        "loss": training.loss,
        "learning_rate": training.learning_rate,
        "examples_per_second": training.examples / training.seconds,
    }
    return found if evaluation is None else {**found, **_scores(evaluation)}


def _scores(evaluation: Evaluation) -> dict[str, float]:
    scores = metrics.scores(evaluation.labels, evaluation.probabilities, loss=evaluation.loss)
    return {f"val_{name}": value for name, value in scores.items()}


def _finite(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: value if np.isfinite(value) else None for name, value in values.items()}
