"""Checks the folders that a sweep writes to: present, writable, private, with free space."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from bertsweep.doctor.finding import Finding
from bertsweep.errors import EnvironmentFault
from bertsweep.paths import cache_root

_GB = 1e9
_ENOUGH = 5 * _GB
_LEAST = 1 * _GB


def findings(storage: Path) -> Iterator[Finding]:
    """Yields findings on the storage folder and the cache, each with the free space of its disk."""
    yield _writable("storage", storage, "Give --storage or BERTSWEEP_STORAGE another folder.")
    yield _room("disk of storage", storage, "Free some, or give --storage another disk.")
    try:
        cache = cache_root()
    except EnvironmentFault as error:
        yield Finding("cache", "error", str(error), "Set BERTSWEEP_CACHE to a folder of your own.")
        return
    yield _cache(cache)
    yield _room("disk of cache", cache, "Free some, or set BERTSWEEP_CACHE to another disk.")


def _cache(cache: Path) -> Finding:
    finding = _writable("cache", cache, "Set BERTSWEEP_CACHE to a folder of your own.")
    if finding.status != "ok":
        return finding
    status = cache.stat()
    value = f"{cache}, {_size(cache) / _GB:.2f} GB"
    if status.st_uid != os.getuid():
        remedy = "Set BERTSWEEP_CACHE to a folder of your own: its owner could swap what you load."
        return Finding("cache", "warning", f"{value}, owned by another user", remedy)
    if stat.S_IMODE(status.st_mode) & 0o077:
        remedy = f"Close it: chmod 700 {cache}."
        return Finding("cache", "warning", f"{value}, open to other users", remedy)
    return Finding("cache", "ok", f"{value}, private")


def _writable(topic: str, folder: Path, remedy: str) -> Finding:
    there = _existing(folder)
    if not there.is_dir():
        return Finding(topic, "error", f"{folder}: {there} is not a folder", remedy)
    if not os.access(there, os.W_OK | os.X_OK):
        return Finding(topic, "error", f"{folder}: {there} is not writable", remedy)
    return Finding(topic, "ok", f"{folder}" + ("" if there == folder else " (made when needed)"))


def _room(topic: str, folder: Path, remedy: str) -> Finding:
    free = shutil.disk_usage(_existing(folder)).free
    value = f"{free / _GB:.1f} GB free"
    if free >= _ENOUGH:
        return Finding(topic, "ok", value)
    return Finding(topic, "warning" if free >= _LEAST else "error", value, remedy)


def _existing(folder: Path) -> Path:
    """Returns `folder`, or its nearest parent that exists."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def _size(folder: Path) -> int:
    """Returns the bytes of all files below; files that are deleted meanwhile do not count."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(root, name)).st_size
            except OSError:
                continue
    return total
