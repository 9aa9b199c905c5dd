"""Decides a confirmation: which finalist is repeated next with which seed, and who drops out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bertsweep.ledger import REFIT, REPEAT, Confirmation, Ledger, Refit, TrialState
from bertsweep.ledger.events import FaultKind, FinalistDropped, TrialProposed
from bertsweep.steering import Asked, Pause
from bertsweep.sweep.recorder import Recorder
from bertsweep.sweep.retention import Retention
from bertsweep.sweep.steered import Steered
from bertsweep.trial.job import Proposal, TrialJob

Race = Callable[[Mapping[str, Mapping[int, float]]], Mapping[str, str]]
"""Receives the scores of all finalists so far (trial id → seed → value); returns those of them that
can no longer win and were not dropped before, each with a reason.
"""


@dataclass(frozen=True)
class Repeat:
    """A finalist that is trained again, by a seed: its id, and what it is trained with."""

    id: str
    finalist: str
    seed: int
    split: int | None = None
    refit: Refit | None = None


def repeats_of(confirmation: Confirmation, finalist: str) -> Iterator[Repeat]:
    """The repeats of a finalist, by its seeds.

    The id is that of the finalist and a number, the same in every confirmation of a sweep, as its
    seeds are; a repeat on another split has an `s` in place of the `r`.
    """
    for number, (seed, split) in enumerate(
        zip(confirmation.seeds, confirmation.splits, strict=True), start=1
    ):
        yield Repeat(f"{finalist}-{'r' if split is None else 's'}{number}", finalist, seed, split)


@dataclass
class RepeatConductor:
    """Conducts the repeats of a confirmation that is on record in the ledger.

    They run side by side, all finalists with the first seed, then with the next, so that a finalist
    can be compared with the others seed by seed. `race` is asked after each full round, `refit`
    once, when all have ended: it returns what is trained after them, or None.
    """

    job: TrialJob
    ledger: Ledger
    retention: Retention
    race: Race
    stop_requested: Callable[[], bool]
    stop: Callable[[], None] = lambda: None
    refit: Callable[[], Repeat | None] = lambda: None

    def __post_init__(self) -> None:
        self.recorder = Recorder(self.job, self.ledger, self.retention)
        self._steered = Steered(self.ledger, self.retention.paths, self._obey)
        self._given: set[str] = set()
        self._rounds = 0
        self._asked = False
        self.refitted: Repeat | None = None
        """The refit, once all repeats have ended and there is to be one."""

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
        """How many repeats, as far as they are known, are still to be run."""
        return sum(1 for _ in self._open())

    def interrupted(self) -> bool:
        """Whether everything is to stop now."""
        return self.broken is not None or self.stop_requested()

    def alive(self) -> None:
        """Leaves a sign of life in the ledger, and takes what was asked from outside."""
        self.ledger.keep_alive()
        self._steered.look()

    def exhausted(self) -> bool:
        """Whether there will be no other repeat."""
        return self.interrupted() or next(self._open(), None) is None

    def propose(self) -> Mapping[str, Any] | None:
        if self.interrupted():
            return None
        repeat = next((one for one in self._open() if one.id not in self._given), None)
        if repeat is None:
            return None
        trial = self.ledger.state.trials[repeat.finalist]
        if repeat.id not in self.ledger.state.repeats:
            self.ledger.append(
                TrialProposed(
                    trial=repeat.id,
                    number=len(self.ledger.state.repeats),
                    point=trial.point,
                    params=trial.params,
                    seed=repeat.seed,
                    origin=REPEAT if repeat.refit is None else REFIT,
                    repeats=repeat.finalist,
                    split=repeat.split,
                    refit=repeat.refit,
                )
            )
        self._given.add(repeat.id)
        proposal = Proposal(repeat.id, trial.params, repeat.seed, repeat.split, repeat.refit)
        return {**proposal.to_plain(), "job": self.job.to_plain()}

    def catch_up(self) -> None:
        """Asks again who can no longer win: the command may have died before it wrote the answer.

        Otherwise a finalist would be repeated once more than without that, and score otherwise.
        """
        self._drop()

    def _obey(self, request: Asked) -> str | None:
        if not isinstance(request, Pause):
            return "the search is over, and its finalists are being repeated"
        self.stop()
        return None

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

    def _open(self) -> Iterator[Repeat]:
        """The repeats that have not ended, round by round; after them the refit."""
        confirmation = self.confirmation
        still_in = [name for name in confirmation.finalists if name not in confirmation.dropped]
        plans = [repeats_of(confirmation, name) for name in still_in]
        waiting = False
        for turn in zip(*plans, strict=True):
            for repeat in turn:
                if self._is_open(repeat):
                    waiting = True
                    yield repeat
        if waiting:
            return
        if not self._asked:
            self._asked, self.refitted = True, self.refit()
        if self.refitted is not None and self._is_open(self.refitted):
            yield self.refitted

    def _is_open(self, repeat: Repeat) -> bool:
        known = self.ledger.state.repeats.get(repeat.id)
        if known is None or not known.ended:
            return True
        return known.retryable and repeat.id not in self._given

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
        for one in repeats_of(confirmation, finalist):
            repeat = repeats.get(one.id)
            if repeat is not None and repeat.ended and repeat.value is not None:
                values[one.seed] = repeat.value
    return found
