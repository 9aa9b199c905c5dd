"""The view of a running sweep: a live table in a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import time
from types import TracebackType
from typing import TYPE_CHECKING

from bertsweep.cli._output import duration, parameters, score, table
from bertsweep.cli._plain import PlainView
from bertsweep.cli._sparkline import sparkline
from bertsweep.cli._view import View, amount, epochs
from bertsweep.cli._watch import epoch_of, rate_of, value_of
from bertsweep.ledger import TrialSnapshot, Update
from bertsweep.ledger.events import SweepResumed, SweepStarted

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_TICK_SECONDS = 0.25
_WIDE = 100
_MOST_ROWS = 12
"""Running trials shown at once; a screen holds no more."""


class TerminalView(View):
    """A table redrawn in place at most four times a second."""

    def __init__(self, console: Console) -> None:
        from rich.live import Live

        super().__init__(console, tick_seconds=_TICK_SECONDS)
        self._preparing: dict[str, tuple[int, int | None]] = {}
        # Its own refreshing thread would die of a terminal that went away.
        self._live = Live(
            console=console,
            get_renderable=self.render,
            auto_refresh=False,
        )

    def __enter__(self) -> View:
        with contextlib.suppress(Exception):  # see View
            self._live.start()
        return super().__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        with contextlib.suppress(Exception):  # see View
            self._live.stop()

    def _tick(self) -> None:
        self._live.refresh()

    def render(self) -> RenderableType:
        """The picture of this moment."""
        from rich.console import Group
        from rich.text import Text

        try:
            with self.watch.lock:
                return Group(*self._parts())
        except Exception as error:  # noqa: BLE001 - see View
            return Text(f"the live view failed ({error}); the sweep goes on")

    def _parts(self) -> list[RenderableType]:
        from rich.text import Text

        parts: list[RenderableType] = [
            Text(f"{what} {amount(done, total)}", style="cyan")
            for what, (done, total) in self._preparing.items()
        ]
        sweep = self.watch.sweep
        if sweep is None:
            waited = duration(time.time() - self.began)
            return parts or [Text(f"getting ready, {waited}", style="cyan")]
        parts.append(Text(f"{sweep.name}: {self.headline()}", style="bold"))
        running = self.watch.running()
        if running:
            names = self.watch.searched()
            rows = [self._row(trial, sweep.metric, names) for trial in running[:_MOST_ROWS]]
            columns = ["trial", "epoch", "now", "curve", "time", "parameters"]
            if self._wide:
                columns[5:5] = ["rung", "examples/s", "memory"]
            parts.append(table(columns, rows, right=["epoch", "now", *columns[4:-1]]))
        if len(running) > _MOST_ROWS:
            parts.append(Text(f"and {len(running) - _MOST_ROWS} more running"))
        rate = self.watch.rate()
        if rate is not None and len(running) > 1:
            parts.append(Text(f"{rate:.0f} examples/s together"))
        if self.standing():
            parts.append(Text(self.standing(), style="green"))
        return parts

    def _row(self, trial: TrialSnapshot, metric: str, names: list[str]) -> list[str]:
        cells = [
            trial.id,
            epochs(trial),
            score(value_of(trial, metric)),
            sparkline([value for _, _, value in trial.reports.curve(metric)]),
            duration(trial.elapsed(time.time())),
            parameters(trial.params, only=names),
        ]
        if self._wide:
            rate, memory = rate_of(trial), self.watch.memory.get(trial.id)
            rungs = self.watch.rungs()
            passed = sum(rung <= epoch_of(trial) for rung in rungs)
            cells[5:5] = [
                f"{passed} of {len(rungs)}" if rungs else "-",
                "-" if rate is None else f"{rate:.0f}",
                "-" if memory is None else f"{memory / 1000:.1f} GB",
            ]
        return cells

    @property
    def _wide(self) -> bool:
        """Whether parameters still have room beside what is good to know."""
        return self.console.width >= _WIDE

    def _progressed(self, what: str, done: int, total: int | None) -> None:
        if total is not None and done >= total:
            self._preparing.pop(what, None)
        else:
            self._preparing[what] = (done, total)

    def _changed(self, update: Update, *, improved: bool) -> None:
        if isinstance(update.event, (SweepStarted, SweepResumed)):
            self._preparing.clear()


def live_view(console: Console) -> View:
    """The view that suits the console: a table for a terminal, plain lines for a file or pipe."""
    return TerminalView(console) if console.is_terminal else PlainView(console)
