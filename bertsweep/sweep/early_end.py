"""Whether the search ends before its budget is used up, by `stop_when` of the file."""

from __future__ import annotations

from bertsweep.direction import Direction
from bertsweep.kept_predictions import noise_between
from bertsweep.ledger import Ledger, TrialState
from bertsweep.paths import SweepPaths
from bertsweep.spec import SweepSpec


class EarlyEnd:
    """Told of reports and ends; `reason` says why the search ends, once it does."""

    def __init__(self, spec: SweepSpec, ledger: Ledger, paths: SweepPaths) -> None:
        self._wanted = spec.stop_when
        self._ledger, self._paths = ledger, paths
        self._direction = Direction.of(spec.objective.mode)
        self.reason: str | None = None

    def refilled(self) -> None:
        """The trials of an earlier command are in the ledger."""
        for trial in self._ledger.state.trials.values():
            self.reported(trial)
        self.ended()

    def reported(self, trial: TrialState) -> None:
        """A trial has a new best value, maybe."""
        target, value = self._wanted.reached, trial.value
        if self.reason or target is None or value is None:
            return
        if not self._direction.better(target, than=value):
            self.reason = f"{trial.id} reached {value:.4g}, and {target:g} was asked for"

    def ended(self) -> None:
        """A trial ended: looks for a plateau.

        The best of the last `plateau` trials is compared with the best of those before them. It
        beats it where it is better by more than one standard error of the difference on the
        validation rows, which both were scored on.
        """
        count = self._wanted.plateau
        if self.reason or count is None:
            return
        ended = [
            trial
            for trial in self._ledger.state.trials.values()
            if trial.ended and not trial.retryable
        ]
        before, late = self._best(ended[:-count]), self._best(ended[-count:])
        if len(ended) <= count or before is None:
            return
        if late is None or not self._beats(late, before):
            self.reason = (
                f"none of the last {count} trials beat {before.id} by more than the validation "
                "rows' noise"
            )

    def _best(self, trials: list[TrialState]) -> TrialState | None:
        valued = [trial for trial in trials if trial.value is not None]
        return max(valued, key=lambda one: self._direction.sign * (one.value or 0.0), default=None)

    def _beats(self, late: TrialState, before: TrialState) -> bool:
        gain = self._direction.sign * ((late.value or 0.0) - (before.value or 0.0))
        if gain <= 0:
            return False
        noise = noise_between(late, before, self._paths, self._ledger.state.metric)
        return noise is None or gain > noise
