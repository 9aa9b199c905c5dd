"""What every view of a running sweep has in common: the words for counts, standing and time."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING

from bertsweep.cli._output import duration, parameters, score, short
from bertsweep.cli._watch import Watch, epoch_of
from bertsweep.ledger import FAILED, FINISHED, STOPPED, TrialSnapshot, Update, silence

if TYPE_CHECKING:
    from rich.console import Console


class View:
    """A subscriber of ledger updates and a sink of progress, used as a context manager.

    `handle`, `progress` and `notify` may be called from any thread and never raise: a
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

    def handle(self, update: Update) -> None:
        """Takes one ledger update."""
        with contextlib.suppress(Exception), self.watch.lock:  # see the class
            before = self._best_value()
            if self.watch.handle(update):
                self._changed(update, improved=self._best_value() != before)

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
        kinds = [(watch.count(kind), kind) for kind in (FINISHED, STOPPED, FAILED)]
        kinds.append((watch.waiting(), "starting"))
        parts = [f"{count} {word}" for count, word in kinds if count]
        parts.append(f"{len(watch.running())} running")
        now = time.time()
        left = watch.seconds_left(now)
        times = f"{duration(now - self.began)} elapsed"
        times += f", about {duration(left)} left" if left else ""
        silent = silence(watch.last_event, now)
        times += f", no sign of life for {duration(silent)}" if silent else ""
        if watch.confirming:
            done = sum(trial.ended for trial in watch.repeats())
            return (
                f"confirming: {done} of {watch.repeats_planned()} repeats done "
                f"({len(watch.running())} running); {times}"
            )
        of = "" if watch.bounds.trials is None else f" of {watch.bounds.trials}"
        used = replace(watch.bounds, trials=None).told_beside(watch.spent(now))
        used = f"{used}; " if used else ""
        return f"{watch.ended()}{of} trials done ({', '.join(parts)}); {used}{times}"

    def standing(self) -> str:
        """One line: the best value so far and the baseline's; empty before the first report."""
        sweep = self.watch.sweep
        if sweep is None or sweep.best is None:
            return ""
        best, baseline = sweep.best, sweep.baseline
        line = f"best {sweep.metric} {score(best.value)} by {best.id}"
        if baseline is not None and baseline.value is not None:
            same = baseline.id == best.id
            line += ", the baseline" if same else f", baseline {score(baseline.value)}"
        return f"{line} ({parameters(best.params, only=self.watch.searched())})"

    def _best_value(self) -> float | None:
        sweep = self.watch.sweep
        return None if sweep is None or sweep.best is None else sweep.best.value

    def _changed(self, update: Update, *, improved: bool) -> None:
        """An update was taken; `improved` says whether it brought a new best value."""

    def _progressed(self, what: str, done: int, total: int | None) -> None:
        """A preparation went on."""


def epochs(trial: TrialSnapshot) -> str:
    """How far a trial is: `0.5 / 3`."""
    last = trial.params.get("epochs") if trial.refit is None else trial.refit.epoch
    return f"{short(float(epoch_of(trial)))} / {short(last)}"


def amount(done: int, total: int | None) -> str:
    """How far a preparation is: a share where the whole is known, else a count."""
    return f"{100 * done / total:.0f} %" if total else f"{done:,}"
