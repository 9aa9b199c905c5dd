"""Where a sweep writes: the one place that knows a file name inside a sweep's folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from bertsweep.errors import EnvironmentFault, InputError, SweepNotFoundError


@dataclass(frozen=True)
class SweepPaths:
    """Every path of one sweep; nothing is created by asking."""

    folder: Path

    @property
    def ledger(self) -> Path:
        """The event journal, the only file that must survive."""
        return self.folder / "ledger.jsonl"

    @property
    def study(self) -> Path:
        """The Optuna database that dashboards open; a mirror of the ledger."""
        return self.folder / "study.db"

    @property
    def wandb(self) -> Path:
        """The folder that holds W&B's own `wandb` folder of runs."""
        return self.folder

    @property
    def owed(self) -> Path:
        """Which W&B runs are still to be written (see `bertsweep.tracking.owed`)."""
        return self.wandb / "wandb" / "owed"

    @property
    def scratch(self) -> Path:
        """What Ray Tune writes for itself; never read by bertsweep."""
        return self.folder / "scratch"

    @property
    def trials(self) -> Path:
        return self.folder / "trials"

    def trial(self, trial: str) -> Path:
        """The folder of a trial's checkpoints (see `bertsweep.checkpoints`) and its error.txt."""
        return self.trials / trial

    @property
    def compute(self) -> Path:
        """The folder of what the trials compute in, where a probe chose it."""
        return self.folder / "compute"

    @property
    def requests(self) -> Path:
        """The folder of requests to the running command (see `bertsweep.steering`)."""
        return self.folder / "requests"

    @property
    def latency(self) -> Path:
        """The folder of measured latencies, one for all trials that predict alike."""
        return self.folder / "latency"


def storage_root(option: str | Path | None = None) -> Path:
    """The folder that holds sweeps: the option, else BERTSWEEP_STORAGE, else ./runs.

    Raises `InputError` for an address, which is not a folder every node can append to.
    """
    chosen = str(option or os.environ.get("BERTSWEEP_STORAGE") or "runs")
    if "://" in chosen:
        raise InputError(
            f"storage must be a local or network-mounted folder, but got {chosen!r}. "
            "Mount it, or give --storage a folder that every node sees."
        )
    return Path(chosen).expanduser().absolute()


def cache_root() -> Path:
    """The private folder for downloads, encoders and tokens.

    BERTSWEEP_CACHE, else ~/.cache/bertsweep.
    Created with mode 700. Raises `EnvironmentFault` when that cannot be done.
    """
    chosen = os.environ.get("BERTSWEEP_CACHE")
    folder = Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "bertsweep"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFault(
            f"the cache folder {folder} cannot be made ({error.strerror}). "
            "Set BERTSWEEP_CACHE to a folder you can write to."
        ) from error
    return folder.absolute()


def find_sweep(sweep: str, storage: Path) -> SweepPaths:
    """The sweep that `sweep` means: a folder with a ledger, or the name of one under `storage`.

    Raises `SweepNotFoundError` naming the nearest sweeps there.
    """
    for folder in (Path(sweep).expanduser(), storage / sweep):
        paths = SweepPaths(folder.absolute())
        if paths.ledger.is_file():
            return paths
    raise SweepNotFoundError(_not_found(sweep, storage))


def list_sweeps(storage: Path) -> list[SweepPaths]:
    """Every sweep under `storage`, by name."""
    if not storage.is_dir():
        return []
    found = (SweepPaths(folder) for folder in sorted(storage.iterdir()) if folder.is_dir())
    return [paths for paths in found if paths.ledger.is_file()]


def _not_found(sweep: str, storage: Path) -> str:
    import difflib

    names = [paths.folder.name for paths in list_sweeps(storage)]
    near = difflib.get_close_matches(sweep, names, n=3, cutoff=0.5)
    if near:
        hint = f"Did you mean {' or '.join(near)}?"
    elif names:
        hint = f"`bertsweep ls --storage {storage}` lists the {len(names)} there are."
    else:
        hint = f"There is none in {storage}; `--storage` or BERTSWEEP_STORAGE names another folder."
    return f"no sweep of the name or path {sweep!r}. {hint}"
