"""The ledger's subscriber that turns a sweep into W&B runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bertsweep.ledger import Update
from bertsweep.ledger.events import TrialReported
from bertsweep.paths import SweepPaths
from bertsweep.tracking.login import Mode, settled_mode
from bertsweep.tracking.owed import Owed
from bertsweep.tracking.plans import WholeRun
from bertsweep.tracking.runs import WandbRuns
from bertsweep.tracking.trials import TrialRuns
from bertsweep.tracking.worker import Worker

if TYPE_CHECKING:
    from bertsweep.ledger.events import SweepStarted

_WAITING = 10_000
"""Events that may wait for W&B; beyond that reports are left out, of which the ledger has all."""


class WandbTracker:
    """Writes one W&B run a trial from the updates of a sweep's ledger, and whole runs besides.

    All work is done in a thread of its own, `handle` and `write` only hand over, and trouble is
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
        patience: float = 60.0,
    ) -> None:
        self.mode: Mode = settled_mode(mode)
        self._runs = WandbRuns(
            mode=self.mode,
            project=project,
            entity=entity,
            group=group,
            folder=folder.absolute(),
            warn=warn,
        )
        self._trials = TrialRuns(self._runs)
        self._owed, self._kept = Owed(SweepPaths(folder.absolute()).owed), list[str]()
        self._patience = patience
        self._worker = Worker(failed=self._runs.broken, limit=_WAITING)

    @classmethod
    def of(
        cls,
        started: SweepStarted,
        folder: Path,
        *,
        warn: Callable[[str], None],
        files: bool = False,
    ) -> WandbTracker:
        """The tracker that the specification of a sweep asks for; with `files` it has the time to
        send some.
        """
        from bertsweep.spec.models import Tracking
        from bertsweep.tracking.saving import UPLOAD_SECONDS

        asked = Tracking(**started.spec.get("tracking", {}))
        return cls(
            mode=asked.wandb,
            project=asked.project,
            entity=asked.entity,
            group=started.name,
            folder=folder,
            warn=warn,
            patience=UPLOAD_SECONDS + 60 if files else 60.0,
        )

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

    def promise(self, name: str, **what: Any) -> None:
        """Puts on disk that a run is to be written, before what it tells of comes to pass.

        `what` is all that a later command needs to write it, where this one is killed.
        """
        if self.mode != "disabled":
            self._owed.note(name, what)

    def write(self, run: WholeRun, *, promised: str | None = None) -> None:
        """Writes a run in one go, by which a promise is kept; returns at once and never raises."""
        if self.mode != "disabled":
            self._worker.put(partial(self._write, run, promised))

    def close(self, *, timeout: float | None = None) -> None:
        """Ends all runs and waits for what is still to be written: at most `timeout` seconds, by
        default the tracker's `patience`.
        """
        if self.mode == "disabled":
            return
        self._worker.put(self._trials.close)
        self._worker.put(self._runs.close)
        self._worker.put(self._settle)
        patience = self._patience if timeout is None else timeout
        if not self._worker.close(timeout=patience):
            self._runs.warn_once(
                "slow",
                f"W&B is still busy after {patience:.0f} s and is left behind. {self._runs.upload}",
            )
            self._runs.abandon()

    def _write(self, run: WholeRun, promised: str | None) -> None:
        if self._runs.write(run) and promised is not None:
            self._kept.append(promised)

    def _settle(self) -> None:
        """Only now the files are complete."""
        for name in self._kept:
            self._owed.settle(name)
