"""The view of a running sweep where nobody can watch a table: one line for what matters."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from bertsweep.cli._output import duration, parameters, score
from bertsweep.cli._view import View, amount, epochs
from bertsweep.ledger import TrialSnapshot, Update
from bertsweep.ledger.events import TrialEnded, TrialReported

if TYPE_CHECKING:
    from rich.console import Console

STATUS_SECONDS = 30.0
_PROGRESS_SECONDS = 10.0
_NAMED = 4


class PlainView(View):
    """A line for every trial that ended and every new best, and how things stand every 30 s."""

    def __init__(self, console: Console, *, status_seconds: float = STATUS_SECONDS) -> None:
        super().__init__(console, tick_seconds=status_seconds)
        self._told: dict[str, float] = {}

    def notify(self, sentence: str) -> None:
        """Prints a sentence on one line, however long: what reads a log reads lines."""
        with contextlib.suppress(Exception):  # see View
            self.console.print(sentence, soft_wrap=True)

    def _tick(self) -> None:
        with self.watch.lock:
            running = self.watch.running()
            line = self.headline()
            line += "".join(f"; {trial.id} epoch {epochs(trial)}" for trial in running[:_NAMED])
        if running:
            self.notify(line)

    def _changed(self, update: Update, *, improved: bool) -> None:
        if isinstance(update.event, TrialEnded) and update.trial is not None:
            self.notify(self._ended(update.trial, update.event.status))
        elif isinstance(update.event, TrialReported) and improved:
            self.notify(f"new {self.standing()}")

    def _ended(self, trial: TrialSnapshot, how: str) -> str:
        why = trial.error or trial.reason
        metric = self.watch.sweep.metric if self.watch.sweep is not None else ""
        line = f"{trial.id} {how} after {duration(trial.spent)}"
        line += f": {metric} {score(trial.value)}" if trial.value is not None else ""
        line += f" ({why})" if why else ""
        line += f" [{parameters(trial.params, only=self.watch.searched())}]"
        return f"{line}; {self.headline()}"

    def _progressed(self, what: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        complete = total is not None and done >= total
        if complete and what not in self._told:
            return  # over before anyone had to wait
        if complete:
            del self._told[what]
        elif now - self._told.get(what, -_PROGRESS_SECONDS) < _PROGRESS_SECONDS:
            return
        else:
            self._told[what] = now
        self.notify(f"{what} {amount(done, total)}")
