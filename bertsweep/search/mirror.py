"""The study as a database that dashboards read: written from ledger updates, never read back."""

from __future__ import annotations

import queue
import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import optuna
from optuna.trial import FrozenTrial

from bertsweep import ledger
from bertsweep.ledger import TrialSnapshot, Update
from bertsweep.pareto import Goal
from bertsweep.search.frozen import frozen_trial
from bertsweep.search.optuna_ask import named
from bertsweep.space import Space


@dataclass
class _Row:
    """A trial's row in the database, how many of its values stand there, and if it is closed.

    `attempts` are those that the trial had when the row was last written.
    """

    id: int
    values: int
    closed: bool
    attempts: int


class StudyMirror:
    """A ledger subscriber that writes every trial to an Optuna storage in a thread of its own.

    Database writes wait for disks and networks, a sweep does not: updates that have gathered
    meanwhile are written together, the latest of each trial. When a write fails, `warn` receives
    one sentence and the mirror goes quiet. An Optuna study named `study` is replaced.
    """

    def __init__(
        self,
        url: str,
        *,
        study: str,
        space: Space,
        goals: Sequence[Goal],
        warn: Callable[[str], None],
    ) -> None:
        self._url, self._name, self._space, self._warn = url, study, space, warn
        self._goals, self._metric = goals, goals[0].metric
        self._rows: dict[str, _Row] = {}
        self._updates: queue.SimpleQueue[TrialSnapshot | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="study-mirror", daemon=True)
        self._thread.start()

    def handle(self, update: Update) -> None:
        """Takes one ledger update; returns at once."""
        if update.trial is not None and update.trial.repeats is None:
            self._updates.put(update.trial)

    def close(self, *, timeout: float = 30.0) -> None:
        """Waits until everything taken is written, `timeout` seconds at most."""
        self._updates.put(None)
        self._thread.join(timeout)

    def _work(self) -> None:
        try:
            storage = self._open()
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
            directions=named([goal.direction for goal in self._goals]),
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names([goal.metric for goal in self._goals])
        self._study_id = storage.get_study_id_from_name(self._name)
        return storage

    def _next_changes(self) -> tuple[list[TrialSnapshot], bool]:
        """Waits for an update, takes all there are: the latest of each trial; whether to close."""
        changed: dict[str, TrialSnapshot] = {}
        trial = self._updates.get()
        while trial is not None:
            changed[trial.id] = trial
            if self._updates.empty():
                return list(changed.values()), False
            trial = self._updates.get()
        return list(changed.values()), True

    def _write(self, storage: optuna.storages.BaseStorage, trial: TrialSnapshot) -> None:
        values = {report: value for report, _, value in trial.reports.curve(self._metric)}
        frozen = self._frozen(trial, values)
        row = self._rows.get(trial.id)
        if row is not None and row.closed and trial.attempts == row.attempts:
            return  # what is told of an ended trial concerns its checkpoint
        if row is None or row.closed:  # a failed trial that is tried again becomes another row
            number = storage.create_new_trial(self._study_id, template_trial=frozen)
            self._rows[trial.id] = _Row(number, len(values), trial.ended, trial.attempts)
            return
        for report, value in list(values.items())[row.values :]:
            storage.set_trial_intermediate_value(row.id, report, value)
        row.values, row.closed, row.attempts = len(values), trial.ended, trial.attempts
        if trial.ended:
            storage.set_trial_state_values(row.id, frozen.state, frozen.values)

    def _frozen(self, trial: TrialSnapshot, values: dict[int, float]) -> FrozenTrial:
        frozen = frozen_trial(
            self._space,
            trial.point,
            status=trial.status if trial.ended else ledger.RUNNING,
            values=values,
            mode=self._goals[0].direction.value,
            others=self._others(trial),
        )
        frozen.user_attrs |= {"trial": trial.id, "origin": trial.origin}
        return frozen

    def _others(self, trial: TrialSnapshot) -> list[float] | None:
        """The further objectives of the trial's best report, None where one has no value."""
        metrics = trial.best["metrics"] if trial.best else {}
        found = [metrics.get(goal.metric) for goal in self._goals[1:]]
        values = [value for value in found if value is not None]
        return values if len(values) == len(found) else None
