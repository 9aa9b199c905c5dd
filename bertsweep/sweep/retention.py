"""Keeps the best checkpoints of a sweep and removes the rest, so that no sweep fills the disk."""

from __future__ import annotations

from dataclasses import dataclass

from bertsweep import checkpoints, results
from bertsweep.ledger import Ledger
from bertsweep.ledger.events import CheckpointRemoved
from bertsweep.paths import SweepPaths


@dataclass(frozen=True)
class Retention:
    """Keeps the `keep` best checkpoints of ended trials, and the baseline's besides."""

    paths: SweepPaths
    ledger: Ledger
    keep: int

    def ended(self, trial: str) -> None:
        """Drops what nothing needs once `trial` has ended; its ledger event is already written."""
        checkpoints.remove(self.paths.trial(trial), checkpoints.STATE)
        state = self.ledger.state
        ranked = [t for t in results.ranking(state) if t.ended]
        kept = {t.id for t in ranked[: self.keep]}
        if (baseline := state.baseline) is not None:
            kept.add(baseline.id)
        for other in state.trials.values():
            if other.ended and other.checkpoint is not None and other.id not in kept:
                path = other.checkpoint
                checkpoints.remove(self.paths.trial(other.id), checkpoints.BEST)
                self.ledger.append(CheckpointRemoved(trial=other.id, path=path))
