"""What a reading of the test split is made with: decided now, or as one was begun."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bertsweep.checkpoints import TRAIN, Checkpoint
from bertsweep.data import Dataset
from bertsweep.evaluation import Aim
from bertsweep.ledger import Reading, SweepState
from bertsweep.ledger.events import TestOpened
from bertsweep.paths import SweepPaths
from bertsweep.progress import Progress
from bertsweep.scoring.contenders import (
    Contender,
    Validation,
    baseline_of,
    fixed_temperature,
    fixed_threshold,
    kept_validation,
    scored_validation,
)
from bertsweep.usable import usable

Notify = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What a reading of the test split is made with; `opened` is its event."""

    winner: Contender
    baseline: Contender | None
    opened: TestOpened


def decided(
    state: SweepState,
    paths: SweepPaths,
    dataset: Dataset,
    aim: Aim | None,
    *,
    notify: Notify,
    progress: Progress | None,
) -> Plan:
    """Winner and baseline of the sweep as it stands, with what the validation rows fix."""
    rows = dataset.splits["validation"]

    def validation(checkpoint: Checkpoint) -> Validation | None:
        kept = kept_validation(checkpoint)
        if kept is None and checkpoint.record.trained_on == TRAIN:  # a refit has seen these rows
            return scored_validation(checkpoint, rows, progress)
        return kept

    trial, checkpoint = usable(state, paths, notify=notify)
    told = validation(checkpoint)
    winner = Contender(trial.id, checkpoint, fixed_threshold(checkpoint, aim, told))
    baseline, beside = None, baseline_of(state, paths, trial, notify=notify)
    if beside is not None:
        base, other = beside
        threshold = fixed_threshold(other, aim, None if aim is None else validation(other))
        baseline = Contender(base.id, other, threshold)
    opened = TestOpened(
        trial=trial.id,
        path=str(checkpoint.folder.relative_to(paths.folder)),
        threshold=winner.threshold,
        temperature=fixed_temperature(told),
        aim=None if aim is None else str(aim),
        baseline=None
        if baseline is None
        else {
            "trial": baseline.trial,
            "path": str(baseline.checkpoint.folder.relative_to(paths.folder)),
            "threshold": baseline.threshold,
        },
        again=bool(state.tests),
    )
    return Plan(winner, baseline, opened)


def recorded(state: SweepState, paths: SweepPaths, reading: Reading) -> Plan:
    """What a reading was begun with."""
    opened = reading.opened
    winner = _contender(paths, opened.trial, opened.path, opened.threshold)
    beside = opened.baseline
    baseline = None if beside is None else _contender(paths, **beside)
    return Plan(winner, baseline, opened)


def _contender(paths: SweepPaths, trial: str, path: str, threshold: float | None) -> Contender:
    checkpoint = Checkpoint.open(paths.folder / path)
    checkpoint.verify()
    return Contender(trial, checkpoint, threshold)
