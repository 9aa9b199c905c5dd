"""The folder of an export: made whole or not at all, in place of an earlier export only."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from bertsweep import atomic, lock
from bertsweep.errors import InputError
from bertsweep.export.formats import FORMATS

METRICS, CARD = "metrics.json", "README.md"
KIND = "bertsweep export"
"""What metrics.json says of itself, by which an export is recognised."""

_OURS = {METRICS, CARD, lock.FILE, *FORMATS}


@contextlib.contextmanager
def draft_of(to: Path) -> Iterator[Path]:
    """A folder to be filled, which takes the place of `to` at the end of the block.

    On an error nothing of it stays and `to` is as it was. Raises what `check` raises.
    """
    to = to.expanduser().absolute()
    with atomic.draft_folder(to.parent, to.name) as draft:
        yield draft
        check(to)
        if not atomic.publish(draft, to):
            atomic.remove(to)
            atomic.publish(draft, to)


def check(to: Path) -> None:
    """Raises `InputError` unless `to` is absent, empty, or an export that nothing was added to."""
    to = to.expanduser().absolute()
    remedy = "Give --to another folder, or remove it yourself."
    if not to.exists() and not to.is_symlink():
        return
    if not to.is_dir() or to.is_symlink():
        raise InputError(f"--to must name a folder, but {to} is something else. {remedy}")
    names = {path.name for path in to.iterdir()}
    if not names:
        return
    if not _is_export(to):
        raise InputError(
            f"--to must be a new folder or an earlier export, but {to} holds other things "
            f"({sorted(names)[0]}). {remedy}"
        )
    added = sorted(names - _OURS)
    if added:
        raise InputError(
            f"--to must hold nothing but an earlier export, but {to} also has {added[0]}, which "
            f"would be lost. {remedy}"
        )


def _is_export(folder: Path) -> bool:
    try:
        found = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("kind") == KIND
