"""The study as a database that dashboards read: written from ledger events, never read back."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

import optuna
from optuna.trial import TrialState

from bertsweep import ledger
from bertsweep.ledger import Event
from bertsweep.search.study import frozen_trial
from bertsweep.space import Space

_ENDED = {
    "trial_finished": ledger.FINISHED,
    "trial_stopped": ledger.STOPPED,
    "trial_failed": ledger.FAILED,
}


class StudyMirror:
    """A ledger subscriber that writes every event to an Optuna storage in a thread of its own.

    Database writes wait for disks and networks, a sweep does not. When one fails, `warn` gets one
    sentence and the mirror goes quiet. An Optuna study named `study` is replaced.
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
    ) -> None:
        self._url, self._name, self._space, self._warn = url, study, space, warn
        self._metric, self._mode = metric, mode
        self._trials: dict[str, tuple[int, Event]] = {}
        self._values: dict[str, dict[int, float]] = {}
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
            while (event := self._events.get()) is not None:
                self._write(storage, event)
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
        study.set_metric_names([self._metric])
        self._study_id = storage.get_study_id_from_name(self._name)
        return storage

    def _write(self, storage: optuna.storages.BaseStorage, event: Event) -> None:
        kind, trial = event["event"], event["trial"]
        if kind == "trial_proposed":
            template = frozen_trial(
                self._space, event["point"], status=ledger.RUNNING, values={}, mode=self._mode
            )
            number = storage.create_new_trial(self._study_id, template_trial=template)
            self._trials[trial] = (number, event)
            storage.set_trial_user_attr(number, "trial", trial)
            storage.set_trial_user_attr(number, "origin", event["origin"])
        elif kind == "trial_reported":
            value = event["metrics"].get(self._metric)
            if value is not None:
                self._values.setdefault(trial, {})[event["report"]] = value
                storage.set_trial_intermediate_value(self._trials[trial][0], event["report"], value)
        elif kind in _ENDED:
            self._end(storage, trial, _ENDED[kind])

    def _end(self, storage: optuna.storages.BaseStorage, trial: str, status: str) -> None:
        number, proposed = self._trials[trial]
        values = self._values.pop(trial, {})
        ended = frozen_trial(
            self._space, proposed["point"], status=status, values=values, mode=self._mode
        )
        done = [ended.value] if ended.state == TrialState.COMPLETE else None
        storage.set_trial_state_values(number, ended.state, done)
