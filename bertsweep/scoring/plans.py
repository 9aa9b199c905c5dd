"""What a reading of the test split is made with: decided now, or as one was begun."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertsweep.checkpoints import Checkpoint
from bertsweep.data import Dataset
from bertsweep.evaluation import Aim
from bertsweep.ledger import Reading, SweepState
from bertsweep.ledger.events import TestOpened
from bertsweep.paths import SweepPaths
from bertsweep.progress import Progress
from bertsweep.ranking import best_repeat
from bertsweep.scoring.contenders import (
    Contender,
    fixed_temperature,
    fixed_threshold,
    kept_validation,
    scored_validation,
)
from bertsweep.usable import checkpoint_in, usable

if TYPE_CHECKING:
    import pandas as pd

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
    trial, checkpoint = usable(state, paths, notify=notify)
    rows = dataset.splits["validation"]
    validation = kept_validation(checkpoint) or scored_validation(checkpoint, rows, progress)
    winner = Contender(trial.id, checkpoint, fixed_threshold(checkpoint, aim, validation))
    baseline = _baseline(state, paths, winner, rows, aim, notify=notify, progress=progress)
    opened = TestOpened(
        trial=trial.id,
        path=str(checkpoint.folder.relative_to(paths.folder)),
        threshold=winner.threshold,
        temperature=fixed_temperature(validation),
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


def _baseline(
    state: SweepState,
    paths: SweepPaths,
    winner: Contender,
    rows: pd.DataFrame,
    aim: Aim | None,
    *,
    notify: Notify,
    progress: Progress | None,
) -> Contender | None:
    """The baseline's checkpoint with a threshold for the same aim.

    Where it was repeated with fresh seeds, as the winner was, that of its best repeat.
    """
    trial = state.baseline
    if trial is not None:
        itself = state.trial(winner.trial).repeats == trial.id
        trial = best_repeat(state, trial.id) or trial
        trial = state.trial(winner.trial) if itself else trial
    if trial is None or trial.id == winner.trial:
        notify("the winner is the baseline itself: there is nothing to compare it with")
        return None
    checkpoint = checkpoint_in(trial, paths, notify=notify)
    if checkpoint is None:
        notify(f"the baseline {trial.id} has no checkpoint to compare the winner with")
        return None
    validation = None
    if aim is not None:
        validation = kept_validation(checkpoint) or scored_validation(checkpoint, rows, progress)
    return Contender(trial.id, checkpoint, fixed_threshold(checkpoint, aim, validation))


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
