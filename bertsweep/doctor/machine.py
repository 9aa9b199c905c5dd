"""Checks CPUs, memory and the W&B login of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from bertsweep.doctor.finding import Finding
from bertsweep.tracking import login_source

_GB = 1e9
_LEAST_MEMORY = 4 * _GB
_LEAST_SHARED_MEMORY = 0.5 * _GB
_CGROUP = Path("/sys/fs/cgroup")


def findings() -> Iterator[Finding]:
    """Yields findings on CPUs, memory, and the shared memory in which Ray keeps its objects."""
    yield Finding("CPUs", "ok", _cpus())
    yield _memory()
    shared = Path("/dev/shm")  # noqa: S108 - asked for its size, never written
    if shared.is_dir():
        yield _shared_memory(shared)


def login() -> Iterator[Finding]:
    """Yields whether W&B runs would be online; the key itself is neither returned nor printed."""
    mode = os.environ.get("WANDB_MODE")
    suffix = f"; WANDB_MODE={mode}" if mode else ""
    place = login_source()
    if place is None:
        remedy = "For online runs: set WANDB_API_KEY or type `wandb login`. Offline needs nothing."
        status = f"no key: runs are kept offline{suffix}"
        yield Finding("W&B login", "ok" if mode else "warning", status, remedy)
    else:
        yield Finding("W&B login", "ok", f"key in {place}{suffix}")


def _cpus() -> str:
    count = os.cpu_count() or 1
    # Not everywhere: macOS has no affinity.
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else count
    load = f", load {os.getloadavg()[0]:.1f}"
    return (f"{count}" if usable == count else f"{usable} of {count} usable") + load


def _memory() -> Finding:
    import psutil

    memory = psutil.virtual_memory()
    limit = _cgroup_limit()
    total = memory.total if limit is None else min(limit, memory.total)
    value = f"{total / _GB:.1f} GB, {min(memory.available, total) / _GB:.1f} GB free"
    value += " (limited by the container)" if total < memory.total else ""
    if memory.available >= _LEAST_MEMORY and total >= _LEAST_MEMORY:
        return Finding("memory", "ok", value)
    remedy = "A trial takes 2 to 4 GB: set resources.concurrent: 1, or end other programs."
    return Finding("memory", "warning", value, remedy)


def _cgroup_limit() -> int | None:
    """Returns the bytes of memory that a container may use; None without a limit."""
    try:
        text = (_CGROUP / "memory.max").read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _shared_memory(folder: Path) -> Finding:
    import shutil

    usage = shutil.disk_usage(folder)
    value = f"{usage.total / _GB:.1f} GB, {usage.free / _GB:.1f} GB free"
    if usage.free >= _LEAST_SHARED_MEMORY:
        return Finding("shared memory", "ok", value)
    remedy = "Ray falls back to slow files: start the container with --shm-size=2g."
    return Finding("shared memory", "warning", value, remedy)
