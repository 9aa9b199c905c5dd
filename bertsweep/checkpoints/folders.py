"""Checkpoint folders as such: their names, writing one whole, reading it with its checksums."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsweep import atomic, checksums
from bertsweep.checkpoints.predictions import FILE as PREDICTIONS
from bertsweep.checkpoints.predictions import Predictions, save
from bertsweep.checksums import DamageError
from bertsweep.errors import EnvironmentFault
from bertsweep.vocabulary import VOCABULARY

if TYPE_CHECKING:
    import numpy as np

    Arrays = Mapping[str, np.ndarray[Any, Any]]

RECORD, WEIGHTS = "checkpoint.json", "weights.safetensors"

FORMAT = 2
"""Version of the folder. Format 1 had no checksums."""


def numbered(trial_folder: Path, kind: str) -> list[Path]:
    """The folders `kind`-NNNN of a trial by their number, drafts left out."""
    found = trial_folder.glob(f"{kind}-[0-9]*")
    return sorted((path for path in found if path.name[len(kind) + 1 :].isdigit()), key=number)


def number(folder: Path) -> int:
    """The number of the report that a folder was written after."""
    return int(folder.name.rpartition("-")[2])


def write(
    target: Path,
    *,
    record: Mapping[str, Any],
    arrays: Arrays,
    vocabulary: bytes | None = None,
    vocabulary_name: str = VOCABULARY,
    predictions: Predictions | None = None,
) -> None:
    """Writes a checkpoint folder, in place of the one that may be there.

    All of it is on disk when it appears under its name. Raises `OSError` or `EnvironmentFault`.
    """
    with atomic.draft_folder(target.parent, target.name) as draft:
        _save(arrays, draft / WEIGHTS)
        names = [WEIGHTS]
        if vocabulary is not None:
            (draft / vocabulary_name).write_bytes(vocabulary)
            names.append(vocabulary_name)
        if predictions is not None:
            save(predictions, draft / PREDICTIONS)
            names.append(PREDICTIONS)
        with ThreadPoolExecutor(1) as disk:
            # The checksum takes less time than the disk, so it costs none.
            written = disk.submit(atomic.to_disk, draft / WEIGHTS)
            files = checksums.of_files(draft, names)
            written.result()
        text = checksums.seal({"format": FORMAT, **record, "files": files})
        (draft / RECORD).write_text(text, encoding="utf-8")
        for name in (RECORD, *names[1:]):
            atomic.to_disk(draft / name)
        if not atomic.publish(draft, target):
            atomic.remove(target)
            atomic.publish(draft, target)


def read_record(folder: Path) -> dict[str, Any]:
    """The record of a folder as plain values, of any format this version reads.

    `files`, which `check_files` takes, is empty in format 1. Raises `DamageError`.
    """
    record = checksums.read_record(folder / RECORD)
    form = record.get("format")
    if form == FORMAT:
        record = checksums.read_sealed(folder / RECORD)
        files = record.get("files")
        if not isinstance(files, dict) or WEIGHTS not in files:
            raise DamageError(f"{RECORD} is damaged: it must list {WEIGHTS} among its files")
        return record
    if form != 1 or isinstance(form, bool):
        raise DamageError(
            f"it has checkpoint format {form!r}, but this version reads 1 and {FORMAT}; use the "
            "bertsweep version that wrote it"
        )
    return {**record, "files": {}}


def shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Name → shape of every array, from the head of the file. Raises `DamageError`."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / WEIGHTS, framework="numpy") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 - no mapping
    except FileNotFoundError:
        raise DamageError(f"{WEIGHTS} is missing") from None
    except (OSError, SafetensorError) as error:
        raise DamageError(f"{WEIGHTS} is damaged ({error})") from error


def load(folder: Path, files: Mapping[str, str]) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays of a folder, verified where `files` has their checksum. Raises `DamageError`."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    checksums.check_files(folder, {name: files[name] for name in files if name == WEIGHTS})
    try:
        loaded: dict[str, np.ndarray[Any, Any]] = load_file(folder / WEIGHTS)
    except FileNotFoundError:
        raise DamageError(f"{WEIGHTS} is missing") from None
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise DamageError(f"{WEIGHTS} is damaged ({error})") from error
    return loaded


def _save(arrays: Arrays, path: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    try:
        save_file(dict(arrays), path)
    except SafetensorError as error:  # a full disk, too, comes as one
        raise EnvironmentFault(f"{path.parent.parent} cannot be written: {error}") from error
