"""The ledger's subscriber that turns a sweep into W&B runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bertsweep.ledger import Update
from bertsweep.ledger.events import TrialReported
from bertsweep.tracking.login import Mode, settled_mode
from bertsweep.tracking.process import RunSettings
from bertsweep.tracking.runs import WandbRuns
from bertsweep.tracking.tables import data_charts
from bertsweep.tracking.trials import TrialRuns
from bertsweep.tracking.worker import Worker

if TYPE_CHECKING:
    from bertsweep.data import Note
    from bertsweep.tracking.evaluation import EvaluationRun

_WAITING = 10_000
"""Events that may wait for W&B; beyond that reports are left out, of which the ledger has all."""


class WandbTracker:
    """Writes one W&B run a trial, and one for the data, from the updates of a sweep's ledger.

    All work is done in a thread of its own, `handle` and `log_data` only hand over, and trouble is
    told to `warn` (from that thread), once a kind. W&B's own folder `wandb` is made in `folder`.
    `group` is the name of the sweep. Resumed trials go on in their run. With mode `disabled`
    nothing is imported or written.
    """

    def __init__(
        self,
        *,
        mode: Literal["auto"] | Mode,
        project: str,
        entity: str | None,
        group: str,
        folder: Path,
        warn: Callable[[str], None],
    ) -> None:
        self.mode: Mode = settled_mode(mode)
        self._group = group
        self._runs = WandbRuns(
            mode=self.mode,
            project=project,
            entity=entity,
            group=group,
            folder=folder.absolute(),
            warn=warn,
        )
        self._trials = TrialRuns(self._runs, group)
        self._worker = Worker(failed=self._runs.broken, limit=_WAITING)

    def handle(self, update: Update) -> None:
        """Takes one ledger update; returns at once and never raises."""
        if self.mode == "disabled":
            return
        job = partial(self._trials.handle, update)
        if not self._worker.put(job, droppable=isinstance(update.event, TrialReported)):
            self._runs.warn_once(
                "behind",
                "W&B is far behind the sweep: its runs will lack reports. The ledger has them all.",
            )

    def log_data(
        self,
        statistics: Mapping[str, Any],
        sample: Sequence[Mapping[str, Any]],
        labels: Sequence[Any],
        notes: Sequence[Note],
    ) -> None:
        """Writes the run of job_type `data`; to be called after the event `sweep_started`.

        `statistics` is what `data.statistics` returns, `sample` rows {split, text, label, …} with
        class indices as labels, of which a table is made (none when empty), `labels` the label of
        each class, `notes` what was dropped or looks odd. Returns at once and never raises.
        """
        if self.mode != "disabled":
            self._worker.put(partial(self._log_data, statistics, sample, labels, notes))

    def log_evaluation(self, evaluation: EvaluationRun) -> None:
        """Writes the run of job_type `evaluate` of a reading of the test split.

        To be called once the tracker was told of the sweep. Returns at once and never raises.
        """
        if self.mode != "disabled":
            self._worker.put(partial(self._log_evaluation, evaluation))

    def close(self, *, timeout: float = 60.0) -> None:
        """Ends all runs and waits for what is still to be written, at most `timeout` seconds."""
        if self.mode == "disabled":
            return
        self._worker.put(self._trials.close)
        self._worker.put(self._runs.close)
        if not self._worker.close(timeout=timeout):
            self._runs.warn_once(
                "slow",
                f"W&B is still busy after {timeout:.0f} s and is left behind. {self._runs.upload}",
            )
            self._runs.abandon()

    def _log_data(
        self,
        statistics: Mapping[str, Any],
        sample: Sequence[Mapping[str, Any]],
        labels: Sequence[Any],
        notes: Sequence[Note],
    ) -> None:
        rows = {name: split["rows"] for name, split in statistics["splits"].items()}
        plan = RunSettings(
            id=f"{self._trials.uid or self._group}-data",
            name=f"{self._group}-data",
            job_type="data",
            config={
                "sweep": self._group,
                "data_hash": statistics["hash"],
                "labels": [str(label) for label in labels],
                "positive": statistics["positive"],
                "rows": rows,
            },
            axes={},
        )
        run = self._runs.open(plan)
        if run is None:
            return
        charts = data_charts(
            self._runs.wandb, statistics=statistics, sample=sample, labels=labels, notes=notes
        )
        self._runs.log(run, charts, step=1)
        self._runs.summarise(run, {f"rows_{name}": count for name, count in rows.items()})
        self._runs.finish(run, exit_code=0)

    def _log_evaluation(self, evaluation: EvaluationRun) -> None:
        run = self._runs.open(
            evaluation.settings(uid=self._trials.uid or self._group, group=self._group)
        )
        if run is None:
            return
        self._runs.log(run, evaluation.charts(self._runs.wandb), step=1)
        self._runs.summarise(run, evaluation.summary())
        self._runs.finish(run, exit_code=0)
