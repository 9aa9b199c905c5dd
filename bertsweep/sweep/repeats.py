"""Decides a confirmation: which finalist is repeated next with which seed, and who drops out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bertsweep.ledger import REPEAT, Confirmation, Ledger, TrialState
from bertsweep.ledger.events import FaultKind, FinalistDropped, TrialProposed
from bertsweep.sweep.recorder import Recorder
from bertsweep.sweep.retention import Retention
from bertsweep.trial.job import TrialJob

Race = Callable[[Mapping[str, Mapping[int, float]]], Mapping[str, str]]
"""Receives the scores of all finalists so far (trial id → seed → value); returns those of them that
can no longer win and were not dropped before, each with a reason.
"""


def repeats_of(confirmation: Confirmation, finalist: str) -> Iterator[tuple[str, int, int | None]]:
    """The repeats of a finalist: id, seed of the training, seed of the split.

    The id is that of the finalist and a number, the same in every confirmation of a sweep, as its
    seeds are; a repeat on another split has an `s` in place of the `r`.
    """
    for number, (seed, split) in enumerate(
        zip(confirmation.seeds, confirmation.splits, strict=True), start=1
    ):
        yield f"{finalist}-{'r' if split is None else 's'}{number}", seed, split


@dataclass
class RepeatConductor:
    """Conducts the repeats of a confirmation that is on record in the ledger.

    They run side by side, all finalists with the first seed, then with the next, so that a finalist
    can be compared with the others seed by seed. `race` is asked after each full round.
    """

    job: TrialJob
    ledger: Ledger
    retention: Retention
    race: Race
    stop_requested: Callable[[], bool]

    def __post_init__(self) -> None:
        self.recorder = Recorder(self.job, self.ledger, self.retention)
        self._given: set[str] = set()
        self._rounds = 0

    @property
    def confirmation(self) -> Confirmation:
        found = self.ledger.state.confirmation
        if found is None:
            raise LookupError("no confirmation is on record")
        return found

    @property
    def broken(self) -> str | None:
        """Why the sweep cannot go on here, once it cannot."""
        return self.recorder.broken

    @property
    def unfinished(self) -> list[str]:
        """Repeats that were begun and have not ended."""
        return [repeat.id for repeat in self.ledger.state.repeats.values() if not repeat.ended]

    @property
    def left(self) -> int:
        """How many repeats are still to be run."""
        return sum(1 for _ in self._open())

    def interrupted(self) -> bool:
        """Whether everything is to stop now."""
        return self.broken is not None or self.stop_requested()

    def exhausted(self) -> bool:
        """Whether there will be no other repeat."""
        return self.interrupted() or next(self._open(), None) is None

    def propose(self) -> Mapping[str, Any] | None:
        if self.interrupted():
            return None
        waiting = (one for one in self._open() if one[0] not in self._given)
        name, finalist, seed, split = next(waiting, (None, "", 0, None))
        if name is None:
            return None
        trial = self.ledger.state.trials[finalist]
        if name not in self.ledger.state.repeats:
            self.ledger.append(
                TrialProposed(
                    trial=name,
                    number=len(self.ledger.state.repeats),
                    point=trial.point,
                    params=trial.params,
                    seed=seed,
                    origin=REPEAT,
                    repeats=finalist,
                    split=split,
                )
            )
        self._given.add(name)
        return {
            "trial": name,
            "params": trial.params,
            "seed": seed,
            "split": split,
            "job": self.job.to_plain(),
        }

    def started(self, trial: str, node: str) -> None:
        self.recorder.started(trial, node)

    def reported(self, trial: str, result: Mapping[str, Any]) -> bool:
        return self.recorder.reported(trial, result, lambda *_: None)

    def ended(self, trial: str) -> None:
        self.recorder.ended(trial)
        self._drop()

    def failed(self, trial: str, reason: str, *, fault: FaultKind) -> None:
        self.recorder.failed(trial, reason, fault=fault)
        self._drop()

    def _open(self) -> Iterator[tuple[str, str, int, int | None]]:
        """The repeats that have not ended: id, finalist, seed, split; round by round."""
        confirmation, state = self.confirmation, self.ledger.state
        still_in = [name for name in confirmation.finalists if name not in confirmation.dropped]
        plans = [[(name, *one) for one in repeats_of(confirmation, name)] for name in still_in]
        for turn in zip(*plans, strict=True):
            for finalist, name, seed, split in turn:
                repeat = state.repeats.get(name)
                retried = repeat is not None and repeat.retryable and name not in self._given
                if repeat is None or not repeat.ended or retried:
                    yield name, finalist, seed, split

    def _drop(self) -> None:
        """Asks, when another round is complete, who can no longer win."""
        confirmation = self.confirmation
        scores = scores_of(self.ledger.state.repeats, confirmation)
        still_in = [name for name in confirmation.finalists if name not in confirmation.dropped]
        rounds = min((len(scores[name]) for name in still_in), default=0)
        if rounds <= self._rounds or rounds == len(confirmation.seeds):
            return
        self._rounds = rounds
        for name, reason in self.race(scores).items():
            self.ledger.append(FinalistDropped(trial=name, reason=reason))


def scores_of(
    repeats: Mapping[str, TrialState], confirmation: Confirmation
) -> dict[str, dict[int, float]]:
    """The best value of each ended repeat: finalist → seed → value."""
    found: dict[str, dict[int, float]] = {}
    for finalist in confirmation.finalists:
        values = found.setdefault(finalist, {})
        for name, seed, _ in repeats_of(confirmation, finalist):
            repeat = repeats.get(name)
            if repeat is not None and repeat.ended and repeat.value is not None:
                values[seed] = repeat.value
    return found
