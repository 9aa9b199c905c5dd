"""W&B runs, opened and finished so that trouble with W&B becomes one warning and nothing more."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsweep.tracking.login import Mode

INIT_TIMEOUT = 20.0
"""Seconds until an online run that W&B does not answer is written offline instead."""

FINISH_TIMEOUT = 15.0
"""Seconds that the last upload of a run may take; the run stays on disk."""

_PROBE = bytes(64 * 1024)
_BREAKS = 3
"""When W&B's own process was lost this often, it is left alone."""


@dataclass(frozen=True)
class RunPlan:
    """What a run is; opened twice with the same id it goes on."""

    id: str
    name: str
    job_type: str
    config: Mapping[str, Any]
    axes: Mapping[str, str]
    """Metric, or pattern with `*`, → its x axis; the axes themselves have none ("")."""


@dataclass(frozen=True)
class OpenRun:
    """A `wandb.Run`, and which of W&B's processes serves it, counted from 0."""

    run: Any
    process: int


class WandbRuns:
    """Opens and finishes runs of one project and group below `folder`; used by one thread only.

    Nothing here raises for troubles with network, disk or W&B's process; each kind of trouble is
    told to `warn` once.
    """

    def __init__(
        self,
        *,
        mode: Mode,
        project: str,
        entity: str | None,
        group: str,
        folder: Path,
        warn: Callable[[str], None],
    ) -> None:
        self._online = mode == "online"
        self._project, self._entity, self._group = project, entity, group
        self._folder = folder
        self._warn = warn
        self._warned: set[str] = set()
        self._wandb: Any = None
        self._process = 0
        self._breaks = 0

    def warn_once(self, kind: str, message: str) -> None:
        if kind not in self._warned:
            self._warned.add(kind)
            self._warn(message)

    def open(self, plan: RunPlan) -> OpenRun | None:
        """A run, or None when W&B cannot be had, which has been warned of."""
        if self._breaks >= _BREAKS or not self._has_room():
            return None
        if self._online:
            try:
                return self._init(plan, "online")
            except Exception as error:  # noqa: BLE001 - whatever W&B raises, the sweep goes on
                self._go_offline(f"cannot be used online ({first_line(error)})")
        try:
            return self._init(plan, "offline")
        except Exception as error:  # noqa: BLE001 - as above
            self.broken(error)
        return self._open_anew(plan)

    def log(self, opened: OpenRun, row: Mapping[str, Any], *, step: int) -> bool:
        """Adds a row to the run's history; False when the run is lost and must be opened again."""
        if not self.alive(opened):
            return False
        try:
            opened.run.log(dict(row), step=step, commit=True)
        except Exception as error:  # noqa: BLE001 - as above
            self.broken(error)
            self._restart()
            return False
        return True

    def alive(self, opened: OpenRun) -> bool:
        """Whether W&B's process that serves the run is still in use."""
        return opened.process == self._process

    def summarise(self, opened: OpenRun, values: Mapping[str, Any]) -> None:
        """Sets summary values; those that W&B cannot take are lost with a warning."""
        try:
            opened.run.summary.update(dict(values))
        except Exception as error:  # noqa: BLE001 - as above
            self.broken(error)

    def finish(self, opened: OpenRun, *, exit_code: int) -> None:
        """Ends the run: 0 finished, 1 failed, 255 killed. Waits for uploads, but not for ever."""
        try:
            opened.run.finish(exit_code=exit_code)
        except TimeoutError:
            self._go_offline("takes too long to receive a run")
        except Exception as error:  # noqa: BLE001 - as above
            self.broken(error)
            self._restart()
        self._has_room()

    def broken(self, error: Exception) -> None:
        """Notes that W&B failed outside of its network and disk, which is warned of once."""
        self._breaks += 1
        self.warn_once(
            "broken",
            f"W&B failed ({first_line(error)}); the sweep goes on, but its W&B runs may lack rows. "
            "The ledger has them all.",
        )

    def close(self) -> None:
        """Ends W&B's process, after which the files are complete; `finish` alone does not wait."""
        if self._wandb is not None:
            self._restart()

    def abandon(self) -> None:
        """Opens no run and warns of nothing any more: nobody waits for what is still going on."""
        self._breaks, self._warn = _BREAKS, lambda message: None

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

    def _init(self, plan: RunPlan, mode: str) -> OpenRun:
        run = self.wandb.init(
            mode=mode,
            project=self._project,
            entity=self._entity,
            group=self._group,
            dir=str(self._folder),
            id=plan.id,
            name=plan.name,
            job_type=plan.job_type,
            config=dict(plan.config),
            resume="allow",
            reinit="create_new",
            settings=self._settings(),
        )
        for metric, axis in plan.axes.items():
            # The summary holds the best values, which the last ones must not overwrite.
            hidden = {"step_metric": axis, "summary": "none"} if axis else {}
            run.define_metric(metric, **hidden)
        return OpenRun(run, self._process)

    def _settings(self) -> Any:
        def stop_asked() -> None:  # no method: wandb copies its settings, and `self` with them
            self.warn_once(
                "stop",
                "a stop was asked for on the W&B page; that stops no trial. Ctrl-C here does.",
            )

        return self.wandb.Settings(
            console="off",
            silent=True,
            disable_code=True,
            disable_git=True,
            save_code=False,
            init_timeout=INIT_TIMEOUT,
            finish_timeout=FINISH_TIMEOUT,
            finish_timeout_raises=True,
            # The stop button of the web page would otherwise interrupt this process: all trials.
            stop_fn=stop_asked,
            # The command line and environment of the sweep may hold a database's password.
            x_disable_meta=True,
            x_disable_stats=True,
            x_save_requirements=False,
            x_transaction_log_flush_interval=0.5,
        )

    def _go_offline(self, trouble: str) -> None:
        """From here on nothing waits for the network; online runs go on in a second file."""
        self._online = False
        self.warn_once(
            "offline",
            f"W&B {trouble}: from here on runs are written offline. Later, "
            f"`wandb sync --include-online {self._folder}/wandb/*run-*` uploads what is missing.",
        )
        # The process keeps the id of a run that it could not open or finish: only a new one has it
        # free again. It gives up on all its runs at once rather than on one after the other.
        self._restart()

    def _restart(self) -> None:
        """Ends W&B's process, and with it every open run; the next run starts another one."""
        self._process += 1
        try:
            self.wandb.teardown()
        except Exception as error:  # noqa: BLE001 - a process that is dead cannot be ended
            self.broken(error)
        self._wandb = None

    def _open_anew(self, plan: RunPlan) -> OpenRun | None:
        """A last try with a new process of W&B, in case the old one has died."""
        try:
            self._restart()
            return self._init(plan, "offline")
        except Exception as error:  # noqa: BLE001 - as above
            self._breaks = _BREAKS
            self.warn_once(
                "gone",
                f"W&B cannot be started ({first_line(error)}): the sweep goes on without it.",
            )
            return None

    def _has_room(self) -> bool:
        """Whether W&B's folder takes a file. Asked here because wandb itself says nothing when the
        disk is full, and writes to the temporary folder, open to others, when it may not write.
        """
        folder = self._folder / "wandb"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(_PROBE)
                file.flush()
        except OSError as error:
            self.warn_once(
                "folder",
                f"W&B's folder {folder} cannot be written ({error.strerror}): runs are incomplete "
                "or missing there. The sweep goes on.",
            )
            return False
        return True


def first_line(error: Exception) -> str:
    """The kind of error and the first line of what it says."""
    text = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
