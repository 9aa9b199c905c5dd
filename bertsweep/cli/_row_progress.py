"""How far the labelling of a file is: rows, rows a second, time left; on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bertsweep.cli._output import console, duration, warn

_LINE_SECONDS = 30.0


@contextmanager
def row_progress(total: int | None) -> Iterator[Callable[[int], None]]:
    """Gives what takes the number of rows done: a bar in a terminal, elsewhere a line every 30 s.

    `total` is None where the number of rows is not known.
    """
    if not sys.stderr.isatty():
        yield _Lines(total)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[said]}"),
        TimeElapsedColumn(),
    )
    begun = time.monotonic()
    with Progress(*columns, console=console(stderr=True), transient=True) as shown:
        task = shown.add_task("labelling", total=total, said="")

        def update(done: int) -> None:
            said = rows_said(done, total, time.monotonic() - begun)
            shown.update(task, completed=done, said=said)

        yield update


class _Lines:
    def __init__(self, total: int | None, *, every: float = _LINE_SECONDS) -> None:
        self._total = total
        self._every = every
        self._begun = self._told = time.monotonic()

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        if now - self._told >= self._every:
            self._told = now
            warn(rows_said(done, self._total, now - self._begun))


def rows_said(done: int, total: int | None, seconds: float) -> str:
    """Rows done, rows a second and, where the total is known, the time left."""
    rate = done / seconds if seconds > 0 else 0.0
    said = f"{done:,} rows" if total is None else f"{done:,} of {total:,} rows"
    said += f", {rate:,.0f} rows/s"
    if total is not None and rate > 0 and done < total:
        said += f", {duration((total - done) / rate)} left"
    return said
