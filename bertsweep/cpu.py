"""Which CPU this is, as far as it decides how fast a precision is."""

from __future__ import annotations

import functools
import platform
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")

_NAMES = ("model name", "Processor", "cpu model", "Hardware")
"""Keys of the model in Linux' cpuinfo, by architecture; 64-bit ARM has none of them."""

_ARM_NUMBERS = ("CPU implementer", "CPU part")

_FLAGS = ("fma", "f16c", "bf16", "fphp", "i8mm", "sme")
_FAMILIES = ("avx", "amx", "asimd", "sve")
"""Flags of vector and matrix units, and how families of them begin."""


def name() -> str:
    """The model, such as "AMD EPYC 9454P"; the architecture where the system tells no more."""
    facts = _facts()
    for key in _NAMES:
        if facts.get(key):
            return facts[key]
    numbers = [f"{key.split()[-1]} {facts[key]}" for key in _ARM_NUMBERS if key in facts]
    told = platform.processor() or platform.machine() or "CPU"
    return " ".join([told, *numbers])


def vector_flags() -> list[str]:
    """The instruction sets that decide the speed of a precision; a hypervisor may hide some."""
    facts = _facts()
    flags = f"{facts.get('flags', '')} {facts.get('Features', '')}".split()
    return sorted(flag for flag in flags if flag in _FLAGS or flag.startswith(_FAMILIES))


@functools.cache
def _facts() -> dict[str, str]:
    """What Linux tells of the first core; empty elsewhere."""
    try:
        text = _CPUINFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    facts: dict[str, str] = {}
    for line in text.splitlines():
        key, mark, value = line.partition(":")
        if mark:
            facts.setdefault(key.strip(), value.strip())
    return facts
