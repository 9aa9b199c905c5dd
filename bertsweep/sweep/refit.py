"""A refit: the configuration that was confirmed, trained once more on all rows but the test split.

docs/selection.md says by which rules, and what it gives up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import mean, median
from typing import Any

from bertsweep.checkpoints import TRAIN_AND_VALIDATION
from bertsweep.kept_predictions import predictions_of
from bertsweep.ledger import FINISHED, Confirmation, Refit, SweepState, TrialState
from bertsweep.paths import SweepPaths
from bertsweep.seeds import derive
from bertsweep.sweep.repeats import Repeat, repeats_of

Notify = Callable[[str], None]
_VALIDATION = "val_"


def is_wanted(confirmation: Confirmation) -> bool:
    """Whether the settings of a confirmation ask for a refit; those of earlier versions do not."""
    return confirmation.settings.get("refit") == TRAIN_AND_VALIDATION


def planned(state: SweepState, paths: SweepPaths, finalist: str, *, seed: int) -> Repeat | None:
    """The refit of a finalist whose repeats have ended: one that was begun like that, else new.

    `seed` is that of the sweep. None where no repeat kept what it predicted, which the threshold
    follows from.
    """
    refit = _rules(state, paths, finalist)
    if refit is None:
        return None
    earlier = [one for one in state.repeats.values() if one.repeats == finalist and one.refit]
    for one in earlier:
        removed = one.status == FINISHED and one.checkpoint is None
        if one.refit == refit and not removed:
            return Repeat(one.id, finalist, one.seed, refit=refit)
    number = len(earlier) + 1
    return Repeat(f"{finalist}-f{number}", finalist, derive(seed, "refit", number), refit=refit)


def _rules(state: SweepState, paths: SweepPaths, finalist: str) -> Refit | None:
    """How long to train, what to expect, and whose predictions the threshold follows from."""
    repeats = _scored(state, finalist)
    kept = [one for one in repeats if predictions_of(one, paths) is not None]
    if not kept:
        return None
    best = [one.best for one in repeats if one.best is not None]
    names = [name for name in best[0]["metrics"] if name.startswith(_VALIDATION)]
    return Refit(
        epoch=median([report["epoch"] for report in best]),
        expected={name: _mean([report["metrics"].get(name) for report in best]) for name in names},
        sources=tuple(str(one.last_checkpoint) for one in kept),
    )


def _scored(state: SweepState, finalist: str) -> list[TrialState]:
    """The repeats of this confirmation that ended with a score."""
    if state.confirmation is None:
        return []
    names = [repeat.id for repeat in repeats_of(state.confirmation, finalist)]
    found = [state.repeats[name] for name in names if name in state.repeats]
    return [one for one in found if one.ended and one.best is not None]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return mean(known) if len(known) == len(values) else None


def told(repeat: Repeat, trial: TrialState | None) -> dict[str, Any]:
    """What became of a refit, for the outcome of a confirmation."""
    return {
        "trial": repeat.id,
        "rows": TRAIN_AND_VALIDATION,
        "epoch": None if repeat.refit is None else repeat.refit.epoch,
        "seed": repeat.seed,
        "error": None if trial is None else trial.error,
    }
