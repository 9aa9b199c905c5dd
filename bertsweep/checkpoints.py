"""Checkpoint folders: safetensors and JSON, whole or not there at all, never a pickle."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bertsweep.errors import InputError

Arrays = Mapping[str, np.ndarray[Any, Any]]

BEST, STATE = "best", "state"
_RECORD, _WEIGHTS = "checkpoint.json", "weights.safetensors"
FORMAT = 1


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint folder: its record, and its arrays once they are asked for."""

    folder: Path
    record: Mapping[str, Any]

    @classmethod
    def open(cls, folder: Path) -> Checkpoint:
        """Raises `InputError` when the folder is no checkpoint of a format this version reads."""
        try:
            record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{folder} is not a checkpoint: {_RECORD} cannot be read.") from error
        if record.get("format") != FORMAT:
            raise InputError(
                f"{folder} has checkpoint format {record.get('format')!r}, but this version reads "
                f"{FORMAT}. Use the bertsweep version that wrote it."
            )
        return cls(folder, record)

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        from safetensors.numpy import load_file

        loaded: dict[str, np.ndarray[Any, Any]] = load_file(self.folder / _WEIGHTS)
        return loaded


def write(
    trial_folder: Path,
    kind: str,
    report: int,
    *,
    record: Mapping[str, Any],
    arrays: Arrays,
    vocabulary: Path | None = None,
) -> Path:
    """Writes `kind`-`report` under the trial's folder, then removes older ones of its kind.

    The folder appears under its name only when all of it is on disk.
    """
    from safetensors.numpy import save_file

    target = trial_folder / f"{kind}-{report:04d}"
    draft = trial_folder / f".{target.name}.{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    save_file(dict(arrays), draft / _WEIGHTS)
    if vocabulary is not None:
        shutil.copyfile(vocabulary, draft / "vocab.txt")
    text = json.dumps({"format": FORMAT, **record}, ensure_ascii=False, indent=1)
    (draft / _RECORD).write_text(text, encoding="utf-8")
    for path in (draft / _WEIGHTS, draft / _RECORD):
        _to_disk(path)
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)
    _to_disk(trial_folder)
    for older in _all(trial_folder, kind):
        if older != target:
            shutil.rmtree(older, ignore_errors=True)
    return target


def latest(trial_folder: Path, kind: str) -> Checkpoint | None:
    """The newest whole checkpoint of a kind, or None."""
    folders = _all(trial_folder, kind)
    return Checkpoint.open(folders[-1]) if folders else None


def remove(trial_folder: Path, kind: str) -> None:
    """Removes every checkpoint of a kind."""
    for folder in _all(trial_folder, kind):
        shutil.rmtree(folder, ignore_errors=True)


def _all(trial_folder: Path, kind: str) -> list[Path]:
    return sorted(
        trial_folder.glob(f"{kind}-[0-9]*"), key=lambda path: int(path.name.split("-")[1])
    )


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
