"""The study as a database that dashboards read: written from ledger events, never read back."""

from __future__ import annotations

import queue
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import optuna
from optuna.trial import FrozenTrial

from bertsweep import ledger
from bertsweep.ledger import Event, SweepState, TrialState
from bertsweep.search.frozen import frozen_trial
from bertsweep.space import Point, Space

_ENDED = {
    "trial_finished": ledger.FINISHED,
    "trial_stopped": ledger.STOPPED,
    "trial_failed": ledger.FAILED,
}


@dataclass
class _Trial:
    """A trial as told so far; `unwritten` values by report number, `row` once it is written."""

    name: str
    point: Point
    origin: str
    status: str = ledger.RUNNING
    values: dict[int, float] = field(default_factory=dict)
    unwritten: dict[int, float] = field(default_factory=dict)
    row: int | None = None


class StudyMirror:
    """A ledger subscriber that writes every event to an Optuna storage in a thread of its own.

    Database writes wait for disks and networks, a sweep does not: what has problems meanwhile is
    written together. When a write fails, `warn` gets one sentence and the mirror goes quiet. An
    Optuna study named `study` is replaced, by the trials of the `past` to begin with.
    """

    def __init__(
        self,
        url: str,
        *,
        study: str,
        space: Space,
        metric: str,
        mode: str,
        warn: Callable[[str], None],
        past: SweepState | None = None,
    ) -> None:
        self._url, self._name, self._space, self._warn = url, study, space, warn
        self._metric, self._mode = metric, mode
        # Taken here, because the state goes on changing while the thread writes.
        before = past.trials.values() if past is not None else ()
        self._trials = {trial.id: _recalled(trial, metric) for trial in before}
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="study-mirror", daemon=True)
        self._thread.start()

    def handle(self, event: Event) -> None:
        """Takes one ledger event; returns at once."""
        if event["event"].startswith("trial_"):
            self._events.put(event)

    def close(self, *, timeout: float = 30.0) -> None:
        """Waits until everything taken is written, `timeout` seconds at most."""
        self._events.put(None)
        self._thread.join(timeout)

    def _work(self) -> None:
        try:
            storage = self._open()
            for trial in self._trials.values():
                self._write(storage, trial)
            closing = False
            while not closing:
                changed, closing = self._next_changes()
                for trial in changed:
                    self._write(storage, trial)
        except Exception as error:  # noqa: BLE001 - any database trouble: the sweep goes on without
            first = (str(error).splitlines() or [""])[0]
            self._warn(
                f"the Optuna database is not written any more ({type(error).__name__}: {first}); "
                "the sweep goes on, its ledger holds everything"
            )

    def _open(self) -> optuna.storages.BaseStorage:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        storage = optuna.storages.RDBStorage(self._url)
        if self._name in optuna.study.get_all_study_names(storage):
            optuna.delete_study(study_name=self._name, storage=storage)
        study = optuna.create_study(
            storage=storage,
            study_name=self._name,
            direction="maximize" if self._mode == "max" else "minimize",
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names([self._metric])
        self._study_id = storage.get_study_id_from_name(self._name)
        return storage

    def _next_changes(self) -> tuple[list[_Trial], bool]:
        """Waits for an event, takes all there are; the trials they change, and whether to close."""
        changed: dict[str, _Trial] = {}
        event = self._events.get()
        while event is not None:
            changed[event["trial"]] = self._take(event)
            if self._events.empty():
                return list(changed.values()), False
            event = self._events.get()
        return list(changed.values()), True

    def _take(self, event: Event) -> _Trial:
        kind, name = event["event"], event["trial"]
        if kind == "trial_proposed":
            self._trials[name] = _Trial(name, event["point"], event["origin"])
        trial = self._trials[name]
        if kind == "trial_reported" and event["metrics"].get(self._metric) is not None:
            value = float(event["metrics"][self._metric])
            trial.values[event["report"]] = trial.unwritten[event["report"]] = value
        trial.status = _ENDED.get(kind, trial.status)
        return trial

    def _write(self, storage: optuna.storages.BaseStorage, trial: _Trial) -> None:
        if trial.row is None:
            template = self._frozen(trial)
            trial.row = storage.create_new_trial(self._study_id, template_trial=template)
        else:
            for report, value in trial.unwritten.items():
                storage.set_trial_intermediate_value(trial.row, report, value)
            if trial.status != ledger.RUNNING:
                ended = self._frozen(trial)
                done = None if ended.value is None else [ended.value]
                storage.set_trial_state_values(trial.row, ended.state, done)
        trial.unwritten.clear()

    def _frozen(self, trial: _Trial) -> FrozenTrial:
        frozen = frozen_trial(
            self._space, trial.point, status=trial.status, values=trial.values, mode=self._mode
        )
        frozen.user_attrs |= {"trial": trial.name, "origin": trial.origin}
        return frozen


def _recalled(trial: TrialState, metric: str) -> _Trial:
    status = trial.status if trial.ended else ledger.RUNNING
    values = {report: value for report, _, value in trial.reports.curve(metric)}
    return _Trial(trial.id, trial.point, trial.origin, status, values)
