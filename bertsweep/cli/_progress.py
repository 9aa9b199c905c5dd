"""How far a command is that does one thing after the other, and when each will be done."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bertsweep.cli._output import duration
from bertsweep.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

_EVERY_SECONDS = 10.0


@contextlib.contextmanager
def shown(console: Console) -> Iterator[Progress]:
    """A progress callback: bars in a terminal, which vanish; a line every 10 s elsewhere."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Bars(*columns, TimeRemainingColumn(), console=console, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield progress


class _Lines:
    """Tells how far things are, unless they are over before anyone had to wait."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began: dict[str, float] = {}
        self._told: dict[str, float] = {}

    def __call__(self, what: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        began = self._began.setdefault(what, now)
        over = total is not None and done >= total
        if now - self._told.get(what, began) < _EVERY_SECONDS and not (over and what in self._told):
            return
        self._told[what] = now
        line = f"{what}: {done:,}"
        if total:
            line += f" of {total:,}"
            if done and now > began:
                line += f", about {duration((now - began) / done * (total - done))} left"
        self._console.print(line, soft_wrap=True)
