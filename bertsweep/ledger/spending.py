"""What the trials of a sweep have used of its budget."""

from __future__ import annotations

from collections.abc import Iterable

from bertsweep.budget import Spent
from bertsweep.ledger.state import TrialState


def spent_by(
    trials: Iterable[TrialState],
    *,
    longest: float,
    seconds: float,
    now: float,
    in_full: bool = False,
) -> Spent:
    """What these trials of a search used, when it has run for `seconds` by `now` (unix seconds).

    `longest` are the epochs of a full training. A trial that failed through no fault of its own
    counts as no trial, but what it trained is counted. `in_full` counts a trial that has not ended
    with all its epochs: what it may yet use.
    """
    count, epochs, gpu_seconds = 0, 0.0, 0.0
    for trial in trials:
        count += not trial.retryable
        last = trial.reports[-1]["epoch"] if trial.reports else 0.0
        whole = in_full and not trial.ended
        epochs += max(last, trial.params.get("epochs", last)) if whole else last
        gpu_seconds += trial.gpus * trial.elapsed(now)
    return Spent(count, epochs / longest, gpu_seconds / 3600, seconds / 3600)
