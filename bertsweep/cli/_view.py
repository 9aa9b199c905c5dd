"""What every view of a running sweep has in common: the words for counts, standing and time."""

from __future__ import annotations

import contextlib
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING

from bertsweep.cli._output import duration, parameters, score, short
from bertsweep.cli._watch import PROPOSED, Seen, Watch
from bertsweep.ledger import FAILED, FINISHED, STOPPED, Event, SweepState

if TYPE_CHECKING:
    from rich.console import Console


class View:
    """A subscriber of ledger events and a sink of progress, used as a context manager.

    `refill`, `handle`, `progress` and `notify` may be called from any thread and never raise: a
    screen that cannot be drawn is no reason to lose a sweep.
    """

    def __init__(self, console: Console, *, tick_seconds: float) -> None:
        self.watch = Watch()
        self.console = console
        self.began = time.time()
        self._tick_seconds = tick_seconds
        self._over = threading.Event()
        self._clock = threading.Thread(target=self._run, name="bertsweep-view", daemon=True)

    def __enter__(self) -> View:
        self._clock.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leaves the last state on the screen."""
        self._over.set()
        self._clock.join(timeout=5)

    def _run(self) -> None:
        while not self._over.wait(self._tick_seconds):
            with contextlib.suppress(Exception):  # see the class
                self._tick()

    def _tick(self) -> None:
        """Something may be shown again, as time went on."""

    def refill(self, past: SweepState) -> None:
        """Takes what earlier sessions of a sweep came to, before any event of this one."""
        with contextlib.suppress(Exception):  # see the class
            self.watch.refill(past)

    def handle(self, event: Event) -> None:
        """Takes one ledger event."""
        with contextlib.suppress(Exception), self.watch.lock:  # see the class
            before = self._best_value()
            if self.watch.handle(event):
                self._changed(event, improved=self._best_value() != before)

    def progress(self, what: str, done: int, total: int | None) -> None:
        """Takes how far a preparation such as a download is; `total` None when not known."""
        with contextlib.suppress(Exception), self.watch.lock:  # see the class
            self._progressed(what, done, total)

    def notify(self, sentence: str) -> None:
        """Prints a sentence that stays on the screen."""
        with contextlib.suppress(Exception):  # see the class
            self.console.print(sentence)

    def headline(self) -> str:
        """One line: counts of the budget, elapsed, time left."""
        watch = self.watch
        of = f" of {watch.budget}" if watch.budget is not None else ""
        kinds = [(FINISHED, FINISHED), (STOPPED, STOPPED), (FAILED, FAILED), (PROPOSED, "starting")]
        parts = [f"{watch.count(kind)} {word}" for kind, word in kinds if watch.count(kind)]
        parts.append(f"{len(watch.running())} running")
        now = time.time()
        left = watch.seconds_left(now)
        times = f"{duration(now - self.began)} elapsed"
        times += f", about {duration(left)} left" if left else ""
        return f"{watch.ended()}{of} trials done ({', '.join(parts)}); {times}"

    def standing(self) -> str:
        """One line: the best value so far and the baseline's; empty before the first report."""
        best, baseline = self.watch.best(), self.watch.baseline()
        if best is None:
            return ""
        line = f"best {self.watch.metric} {score(best.best)} by {best.id}"
        if baseline is not None and baseline.best is not None:
            same = baseline.id == best.id
            line += ", the baseline" if same else f", baseline {score(baseline.best)}"
        return f"{line} ({parameters(best.params, only=self.watch.searched())})"

    def _best_value(self) -> float | None:
        best = self.watch.best()
        return None if best is None else best.best

    def _changed(self, event: Event, *, improved: bool) -> None:
        """An event was taken; `improved` says whether it brought a new best value."""

    def _progressed(self, what: str, done: int, total: int | None) -> None:
        """A preparation went on."""


def epochs(trial: Seen) -> str:
    """How far a trial is: `0.5 / 3`."""
    return f"{short(float(trial.epoch))} / {short(trial.params.get('epochs'))}"


def amount(done: int, total: int | None) -> str:
    """How far a preparation is: a share where the whole is known, else a count."""
    return f"{100 * done / total:.0f} %" if total else f"{done:,}"
