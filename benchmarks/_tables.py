"""What a program writes: a table in Markdown, and the machine and versions it was measured with."""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
_load_before = os.getloadavg()[0]


def rates(answers: Sequence[Mapping[str, Any]]) -> list[float]:
    """Examples a second of each turn."""
    return [answer["examples"] / answer["seconds"] for answer in answers]


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Median and, in brackets, the least and the greatest; a single value as it is."""
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, the first column to the left and the others to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def machine() -> str:
    """CPU, cores, memory, load and date, in one line."""
    cpu, flags = platform.processor() or platform.machine(), set[str]()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            cpu = value.strip() if key.strip() == "model name" else cpu
            flags = set(value.split()) if key.strip() == "flags" else flags
    has = [flag for flag in _FLAGS if flag in flags]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{time.strftime('%Y-%m-%d')}, {cpu} ({', '.join(has) or 'no vector flags known'}), "
        f"{cores()} cores, {memory:.0f} GiB, load before {_load_before:.1f}"
    )


def cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def versions(*packages: str) -> str:
    """Name and version of each package of this environment."""
    from importlib.metadata import version

    return ", ".join(f"{package} {version(package)}" for package in packages)


def say(line: str) -> None:
    """Progress, on stderr: stdout is for the table."""
    print(line, file=sys.stderr, flush=True)
