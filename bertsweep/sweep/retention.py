"""Keeps the best checkpoints of a sweep and removes the rest, so that no sweep fills the disk."""

from __future__ import annotations

from pathlib import Path

from bertsweep import atomic, checkpoints
from bertsweep.ledger import Ledger, TrialState
from bertsweep.ledger.events import CheckpointRemoved
from bertsweep.paths import SweepPaths
from bertsweep.ranking import best_repeat, latest_refit, pareto_front, ranking


class Retention:
    """Keeps the `keep` best checkpoints of ended trials, the baseline's, with several objectives
    those of the front, and of each finalist the best repeat's and the latest refit's.

    A trial that failed by its own fault counts by what it reached before. One that failed through
    no fault of its own is left alone, with its full state, because a resume goes on with it. The
    protocol by which driver, workers and readers share the folders is described in
    `bertsweep.checkpoints`.
    """

    def __init__(self, paths: SweepPaths, ledger: Ledger, keep: int) -> None:
        self.paths = paths
        self._ledger, self._keep = ledger, keep

    def saved(self, trial: str, before: str | None) -> None:
        """Removes what a new checkpoint supersedes; its ledger event is already on disk.

        `before` is the path of the one that was recorded before it.
        """
        recorded = self._ledger.state.trial(trial).checkpoint
        if recorded is not None:
            checkpoints.remove_superseded(
                self.paths.trial(trial), recorded=Path(recorded).name, before=before
            )

    def ended(self, trial: str) -> None:
        """Removes what nothing needs once `trial` has ended, as its ledger event says."""
        kept = self._kept()
        for other in self._over():
            drop = other.checkpoint is not None and other.id not in kept
            if drop or other.id == trial:
                self._settle(other, keep=other.id in kept)

    def tidy(self) -> None:
        """Removes what an earlier session of the sweep, which may have died, did not remove."""
        kept = self._kept()
        for trial in self._over():
            self._settle(trial, keep=trial.id in kept)

    def _over(self) -> list[TrialState]:
        """The trials and repeats that nothing goes on with."""
        state = self._ledger.state
        trials = (*state.trials.values(), *state.repeats.values())
        return [trial for trial in trials if trial.ended and not trial.retryable]

    def _kept(self) -> set[str]:
        """Those whose checkpoint is kept."""
        state = self._ledger.state
        over = {trial.id for trial in self._over()}
        ranked = [trial.id for trial in ranking(state) if trial.id in over]
        kept = set(ranked[: self._keep])
        if len(state.goals) > 1:
            # Of ended trials alone: what they beat can never come back to the front.
            kept.update(trial.id for trial in pareto_front(state, among=over))
        if (baseline := state.baseline) is not None:
            kept.add(baseline.id)
        finalists = {repeat.repeats for repeat in state.repeats.values()}
        for name in filter(None, finalists):
            best, refit = best_repeat(state, name, among=over), latest_refit(state, name)
            kept |= {one.id for one in (best, refit) if one is not None}
        return kept

    def _settle(self, trial: TrialState, *, keep: bool) -> None:
        """Leaves the recorded checkpoint of an ended trial, or nothing."""
        folder, recorded = self.paths.trial(trial.id), trial.checkpoint
        last = trial.last_checkpoint
        checkpoints.remove_states(folder)
        atomic.remove_drafts(folder, of_the_living=True)
        if recorded is not None and keep:
            checkpoints.keep_only(folder, Path(recorded).name)
            return
        if recorded is not None:
            # First the ledger, so that it never names a folder that is gone.
            self._ledger.append(CheckpointRemoved(trial=trial.id, path=recorded))
        checkpoints.remove_best(folder, recorded=None if last is None else Path(last).name)
