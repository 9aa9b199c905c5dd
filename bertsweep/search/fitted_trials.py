"""Which trials a sampler's model is fitted to, so that no proposal waits for thousands of them."""

from __future__ import annotations

import heapq
from collections.abc import Container, Mapping, Sequence

import optuna
from optuna.trial import FrozenTrial, TrialState

FITTED = 250
"""Ended trials that a sampler's model is fitted to, so that the cost of a proposal stays bounded.

TPE holds the best tenth of the trials, but at most 25, against the others, which it weighs by age.
The best 25 and the latest 225 give it the good side that all trials would, and of the other
side the part with the most weight. A Gaussian process takes time with the cube of its trials.
"""

_LEARNT_FROM = (TrialState.COMPLETE, TrialState.PRUNED)


class Memory(optuna.storages.InMemoryStorage):
    """Trials of which a sampler is shown all that have not ended, and at most `most` that have."""

    def __init__(self, most: int | None, sign: float) -> None:
        super().__init__()
        self._most, self._sign = most, sign
        self._forgotten: set[int] = set()

    def forget(self) -> None:
        """Chooses anew which ended trials are shown: what there is decides, not how it came."""
        if self._most is None:
            return
        # One that was forgotten could never come back: others stay better, and newer.
        ended = self.get_all_trials(0, deepcopy=False, states=_LEARNT_FROM)
        ranks = [rank(t.value, t.intermediate_values, self._sign) for t in ended]
        kept = set(shown(ranks, self._most))
        self._forgotten.update(t.number for at, t in enumerate(ended) if at not in kept)

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,  # noqa: FBT001, FBT002 - Optuna's signature
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        trials = super().get_all_trials(study_id, deepcopy, states)
        return [t for t in trials if t.number not in self._forgotten] if self._forgotten else trials


Rank = tuple[float, float, float]


def rank(value: float | None, values: Mapping[int, float], sign: float) -> Rank:
    """Smaller is better, by TPE's order: finished trials by value, stopped ones by how far."""
    if value is not None:
        return (0, 0, sign * value)
    if not values:
        return (2, 0, 0)
    step, last = max(values.items())
    return (1, -step, sign * last)


def shown(ranks: Sequence[Rank], most: int) -> list[int]:
    """Which of the trials with these ranks, in order of age, a sampler takes, in that order."""
    everyone = range(len(ranks))
    if len(ranks) <= most:
        return list(everyone)
    best = set(heapq.nsmallest(most // 10, everyone, key=ranks.__getitem__))
    others = [at for at in everyone if at not in best]
    return sorted(best.union(others[len(ranks) - most :]))
