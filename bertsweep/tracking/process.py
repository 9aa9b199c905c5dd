"""The wandb package, and the process of W&B that serves its runs, started anew where it must be."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bertsweep.tracking.plans import RunSettings

INIT_TIMEOUT = 20.0
"""Seconds until an online run that W&B does not answer is written offline instead."""

FINISH_TIMEOUT = 15.0
"""Seconds that the last upload of a run without files may take; the run stays on disk."""

_STAGING = "WANDB_DATA_DIR"

KILLED = 255
"""The exit code that W&B shows as killed."""


@dataclass(frozen=True)
class OpenRun:
    """A `wandb.Run`, and which of W&B's processes serves it, counted from 0."""

    run: Any
    process: int


class WandbProcess:
    """Starts runs with the same `options` of `wandb.init`; whatever wandb raises comes through.

    `folder` is where wandb's own folder `wandb` is made; `stop_asked` is called when the stop
    button of a run's web page was pressed.
    """

    def __init__(
        self, options: Mapping[str, Any], *, folder: Path, stop_asked: Callable[[], None]
    ) -> None:
        self._options, self._folder, self._stop_asked = dict(options), folder, stop_asked
        self._wandb: Any = None
        self._count = 0
        self._open: list[Any] = []

    @property
    def wandb(self) -> Any:
        """The wandb package, imported and silenced when first needed: that takes a second."""
        if self._wandb is None:
            # Otherwise wandb reports its own figures and crashes to its maker, prints to the
            # console when it cannot, and holds up the end of the process.
            os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
            import wandb

            hooks = sys.exit, sys.excepthook
            wandb.setup(settings=wandb.Settings(silent=True))
            # wandb watches how the process ends; that is the command line's affair.
            sys.exit, sys.excepthook = hooks
            self._wandb = wandb
        return self._wandb

    def open(self, plan: RunSettings, *, mode: Literal["online", "offline"]) -> OpenRun:
        run = self.wandb.init(
            **self._options,
            dir=str(self._folder),
            mode=mode,
            id=plan.id,
            name=plan.name,
            job_type=plan.job_type,
            config=dict(plan.config),
            resume="allow",
            reinit="create_new",
            settings=self._settings(plan.upload_seconds or FINISH_TIMEOUT),
        )
        for metric, axis in plan.axes.items():
            # The summary holds the best values, which the last ones must not overwrite.
            hidden = {"step_metric": axis, "summary": "none"} if axis else {}
            run.define_metric(metric, **hidden)
        self._open.append(run)
        return OpenRun(run, self._count)

    def serves(self, opened: OpenRun) -> bool:
        """Whether the run is still open: its process is this one."""
        return opened.process == self._count

    def finish(self, opened: OpenRun, *, exit_code: int) -> None:
        """Ends the run. Raises `TimeoutError` when the upload takes longer than planned."""
        self._open.remove(opened.run)
        opened.run.finish(exit_code=exit_code)

    def end(self) -> None:
        """Ends every open run and the process, after which the files are complete.

        The next run starts another process. Raises nothing.
        """
        self._count += 1
        if self._wandb is None:
            return
        # Runs that are left open would go on asking the dead process, with tracebacks on stderr.
        leaving = [threading.Thread(target=_leave, args=(run,)) for run in self._open]
        for thread in leaving:
            thread.start()
        for thread in leaving:
            thread.join()
        self._open.clear()
        with contextlib.suppress(Exception):  # a process that is dead cannot be ended
            self._wandb.teardown()
        self._wandb = None

    @contextlib.contextmanager
    def staging(self) -> Iterator[None]:
        """Within it wandb copies the files of artifacts, tables too, to its folder of the sweep.

        Otherwise they go to the user's home, where a sweep that is copied leaves them behind.
        """
        before = os.environ.get(_STAGING)
        os.environ[_STAGING] = before or str(self._folder / "wandb")
        try:
            yield
        finally:
            if before is None:
                del os.environ[_STAGING]

    def _settings(self, upload_seconds: float) -> Any:
        stop_asked = self._stop_asked
        return self.wandb.Settings(
            console="off",
            silent=True,
            disable_code=True,
            disable_git=True,
            save_code=False,
            init_timeout=INIT_TIMEOUT,
            finish_timeout=upload_seconds,
            finish_timeout_raises=True,
            # The stop button of the web page would otherwise interrupt this process: all trials.
            # A plain function, because wandb copies its settings and with them what they refer to.
            stop_fn=lambda: stop_asked(),
            # The command line and environment of the sweep may hold a database's password.
            x_disable_meta=True,
            x_disable_stats=True,
            x_save_requirements=False,
            x_transaction_log_flush_interval=0.5,
        )


def _leave(run: Any) -> None:
    with contextlib.suppress(Exception):  # a run that cannot be finished is left as it is
        run.finish(exit_code=KILLED)
