"""W&B runs, opened and finished so that trouble with W&B becomes one warning and nothing more."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bertsweep.tracking.login import Mode
from bertsweep.tracking.plans import Files, RunSettings, WholeRun
from bertsweep.tracking.process import OpenRun, WandbProcess

_PROBE = bytes(64 * 1024)
_BREAKS = 3
"""When W&B's own process was lost this often, it is left alone."""


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
        self._folder = folder / "wandb"
        self._warn = warn
        self._warned: set[str] = set()
        self._breaks = 0
        options = {"project": project, "entity": entity, "group": group}
        self._process = WandbProcess(options, folder=folder, stop_asked=self._stop_asked)

    @property
    def wandb(self) -> Any:
        """The wandb package."""
        return self._process.wandb

    @property
    def upload(self) -> str:
        """What to do when W&B is back: the end of a warning."""
        return (
            f"Later, `wandb sync --include-online {self._folder}/*run-*` uploads what is missing."
        )

    def warn_once(self, kind: str, message: str) -> None:
        if kind not in self._warned:
            self._warned.add(kind)
            self._warn(message)

    def open(self, plan: RunSettings) -> OpenRun | None:
        """A run, or None when W&B cannot be had, which has been warned of."""
        if self._breaks >= _BREAKS or not self._has_room():
            return None
        if self._online:
            try:
                return self._process.open(plan, mode="online")
            except Exception as error:  # noqa: BLE001 - whatever W&B raises, the sweep goes on
                self._go_offline(f"cannot be used online ({first_line(error)})")
        try:
            return self._process.open(plan, mode="offline")
        except Exception as error:  # noqa: BLE001 - as above
            self.broken(error)
        return self._open_anew(plan)

    def alive(self, opened: OpenRun) -> bool:
        """Whether the run can be written to; if not it must be opened again."""
        return self._process.serves(opened)

    def log(self, opened: OpenRun, row: Mapping[str, Any], *, step: int) -> bool:
        """Adds a row to the run's history; False when the run is lost and must be opened again."""
        if not self.alive(opened):
            return False
        try:
            with self._process.staging():
                opened.run.log(dict(row), step=step, commit=True)
        except Exception as error:  # noqa: BLE001 - as above
            self.broken(error)
            self._process.end()
            return False
        return True

    def summarise(self, opened: OpenRun, values: Mapping[str, Any]) -> None:
        """Sets summary values; those that W&B cannot take are lost with a warning."""
        try:
            opened.run.summary.update(dict(values))
        except Exception as error:  # noqa: BLE001 - as above
            self.broken(error)

    def finish(self, opened: OpenRun, *, exit_code: int) -> bool:
        """Ends the run: 0 finished, 1 failed, `KILLED`. Waits for uploads, but not for ever.

        False when the run is lost and must be opened again.
        """
        if not self.alive(opened):
            return False
        try:
            self._process.finish(opened, exit_code=exit_code)
        except TimeoutError:
            self._go_offline("takes too long to receive a run")
        except Exception as error:  # noqa: BLE001 - as above
            self.broken(error)
            self._process.end()
            return False
        self._has_room()
        return True

    def write(self, whole: WholeRun) -> bool:
        """Writes a run from its beginning to its end; False where something of it is missing.

        What W&B does not take online is written again offline.
        """
        return self._written(whole) or self._written(whole)

    def _written(self, whole: WholeRun) -> bool:
        charts, files = whole.charts(self.wandb), whole.files()
        run = self.open(whole.settings)
        if run is None:
            return False
        if charts and not self.log(run, charts, step=whole.step):
            return False
        self.summarise(run, whole.summary())
        if files is not None and not self._save(run, files, whole.settings.upload_seconds):
            return False
        return self.finish(run, exit_code=0)

    def _save(self, opened: OpenRun, files: Files, seconds: float | None) -> bool:
        """Adds files to a run as a new version of an artifact."""
        artifact = self.wandb.Artifact(files.name, type=files.type, metadata=dict(files.metadata))
        try:
            with self._process.staging():
                # Of a file that changes before it is sent, W&B would refuse the upload: "mutable"
                # has it copied.
                artifact.add_dir(str(files.folder), policy="mutable", skip_cache=True)
                opened.run.log_artifact(artifact, aliases=list(files.aliases))
            if not opened.run.offline:
                artifact.wait(timeout=seconds)
        except Exception as error:  # noqa: BLE001 - as above
            if opened.run.offline:
                self.broken(error)
                self._process.end()
            else:
                self._go_offline(f"did not take {files.name} ({first_line(error)})")
            return False
        return True

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
        self._process.end()

    def abandon(self) -> None:
        """Opens no run and warns of nothing any more: nobody waits for what is still going on."""
        self._breaks, self._warn = _BREAKS, lambda message: None

    def _stop_asked(self) -> None:
        self.warn_once(
            "stop", "a stop was asked for on the W&B page; that stops no trial. Ctrl-C here does."
        )

    def _go_offline(self, trouble: str) -> None:
        """From here on nothing waits for the network; online runs go on in a second file."""
        self._online = False
        self.warn_once(
            "offline", f"W&B {trouble}: from here on runs are written offline. {self.upload}"
        )
        # The process keeps the id of a run that it could not open or finish: only a new one has it
        # free again. It gives up on all its runs at once rather than on one after the other.
        self._process.end()

    def _open_anew(self, plan: RunSettings) -> OpenRun | None:
        """A last try with a new process of W&B, in case the old one has died."""
        self._process.end()
        try:
            return self._process.open(plan, mode="offline")
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
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._folder) as file:
                file.write(_PROBE)
                file.flush()
        except OSError as error:
            self.warn_once(
                "folder",
                f"W&B's folder {self._folder} cannot be written ({error.strerror}): runs are "
                "incomplete or missing there. The sweep goes on.",
            )
            return False
        return True


def first_line(error: Exception) -> str:
    """The kind of error and the first line of what it says."""
    text = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
