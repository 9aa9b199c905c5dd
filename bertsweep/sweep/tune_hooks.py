"""Ray Tune's searcher, scheduler and callback, each a thin hook into one `Conductor`."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from ray.tune import Callback, Stopper
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from bertsweep.ledger.events import FaultKind
from bertsweep.trial.faults import ENVIRONMENT, UNEXPECTED, Fault, read_fault

_NEVER_STARTED = "it was cancelled before it started running"
_NO_OWNER = "all references to the actor were removed"
_UNREACHED = (
    "the cluster cannot reach this program and gave its worker up before it started. A cluster "
    "without a token refuses the answers of a program with one: unset RAY_AUTH_MODE here, or start "
    "the cluster with RAY_AUTH_MODE=token; otherwise look at the firewall between them"
)


class Conductor(Protocol):
    """What decides a sweep; every method is called in the driver's main thread."""

    def propose(self) -> Mapping[str, Any] | None:
        """The config of the next trial, or None when there is none for now."""

    def exhausted(self) -> bool:
        """Whether there will be no other trial: none is running that could fail and be replaced."""

    def started(self, trial: str, node: str) -> None:
        """An actor took the trial, for the first time or again."""

    def reported(self, trial: str, result: Mapping[str, Any]) -> bool:
        """Takes a result, once or again; returns whether the trial must stop."""

    def ended(self, trial: str) -> None:
        """The trial ran to its end or was stopped."""

    def failed(self, trial: str, reason: str, *, fault: FaultKind) -> None:
        """The trial was lost for good."""

    def interrupted(self) -> bool:
        """Whether everything must stop now."""

    def alive(self) -> None:
        """Called again and again, however long nothing happens."""


class ConductedSearcher(Searcher):
    """Asks the conductor for every trial. Ray never saves or restores it: the ledger does."""

    def __init__(self, conductor: Conductor) -> None:
        super().__init__(metric="objective", mode="max")
        self._conductor = conductor

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        config = self._conductor.propose()
        if config is not None:
            return dict(config)
        return Searcher.FINISHED if self._conductor.exhausted() else None

    def on_trial_complete(
        self,
        trial_id: str,
        result: dict[str, Any] | None = None,
        error: bool = False,  # noqa: FBT001, FBT002
    ) -> None:
        """Nothing: `ConductedCallback` hears of it with the trial's config at hand."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing: a sweep is resumed from its ledger."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing, for the same reason."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Searcher, ())


class ConductedScheduler(FIFOScheduler):
    """Starts trials in order and stops those that the conductor says to."""

    def __init__(self, conductor: Conductor) -> None:
        super().__init__()
        self._conductor = conductor

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        stop = self._conductor.reported(trial.config["trial"], result)
        return str(TrialScheduler.STOP if stop else TrialScheduler.CONTINUE)

    def __reduce__(self) -> tuple[Any, ...]:
        return (FIFOScheduler, ())


class ConductedCallback(Callback):
    """Tells the conductor of starts, of reports that no scheduler sees, and of ends."""

    def __init__(self, conductor: Conductor) -> None:
        self._conductor = conductor

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        node = trial.temporary_state.location.hostname
        self._conductor.started(trial.config["trial"], node or "")

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        # The last report of a trial reaches no scheduler; the others are told a second time.
        self._conductor.reported(trial.config["trial"], result)

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self._conductor.ended(trial.config["trial"])

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        fault = _fault(trial)
        self._conductor.failed(trial.config["trial"], fault.reason, fault=fault.kind)

    def on_trial_recover(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Tune starts the trial again. After a fault of its worker it may do so this once."""
        if read_fault(_error_of(trial)) is not None:
            trial.max_failures = trial.run_metadata.num_failures

    def get_state(self) -> None:
        """Nothing to save: a sweep is resumed from its ledger."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Callback, ())


class ConductedStopper(Stopper):
    """Ends the experiment, its trials left where they are, when the conductor says so."""

    def __init__(self, conductor: Conductor) -> None:
        self._conductor = conductor

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        self._conductor.alive()
        return self._conductor.interrupted()

    def __reduce__(self) -> tuple[Any, ...]:
        return (_Never, ())


class _Never(Stopper):
    """What Ray's own snapshot holds in place of a conductor's stopper."""

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return False


def _fault(trial: Any) -> Fault:
    """Why Tune gave a trial up: a fault of its worker, or whatever else the error's text says."""
    text = _error_of(trial)
    if _NEVER_STARTED in text and _NO_OWNER in text:
        return Fault(ENVIRONMENT, _UNREACHED)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    silent = "Ray lost its worker (memory, load, a node) and says no more"
    return read_fault(text) or Fault(UNEXPECTED, lines[-1] if lines else silent)


def _error_of(trial: Any) -> str:
    """Every error of the trial so far, as Tune wrote them down here.

    `trial.get_error` reads the copy in the storage, which comes later, or never.
    """
    with contextlib.suppress(OSError, TypeError):  # no file, no name
        return Path(trial.error_file).read_text()
    return ""
