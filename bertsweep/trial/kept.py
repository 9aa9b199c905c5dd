"""Records that the workers of a sweep share: the first to write one decides for all."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from bertsweep import atomic, checksums
from bertsweep.checksums import DamageError

_RECORD = "choice.json"


def kept(
    folder: Path, make: Callable[[], dict[str, Any]], *, keys: Collection[str]
) -> dict[str, Any]:
    """The record in a folder; where there is no good one, what `make` returns is written there.

    A good one has `keys`. Of several workers that write at once the first one decides for all. A
    folder, because that is what every file system lets the first writer win (see `atomic.publish`).
    """
    record = read(folder, keys=keys)
    if record is not None:
        return record
    made = make()
    with atomic.draft_folder(folder.parent, folder.name) as draft:
        (draft / _RECORD).write_text(checksums.seal(made), encoding="utf-8")
        if not atomic.publish(draft, folder) and read(folder, keys=keys) is None:
            atomic.remove(folder)  # what is there is damaged
            atomic.publish(draft, folder)
    return read(folder, keys=keys) or made


def read(folder: Path, *, keys: Collection[str]) -> dict[str, Any] | None:
    """The record in a folder, None where there is none or it is damaged."""
    try:
        record = checksums.read_sealed(folder / _RECORD)
    except DamageError:
        return None
    return record if set(keys) <= record.keys() else None
