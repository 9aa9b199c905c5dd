"""`sweep.lock.json`: what a sweep was made with, so that its winner can be trained again."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from bertsweep import atomic, cpu
from bertsweep.ledger.events import SweepStarted
from bertsweep.version import VERSION

FILE = "sweep.lock.json"
FORMAT = 1

_PACKAGES = (
    *("tensorflow", "tf-keras", "tf-models-official", "numpy", "tokenizers", "safetensors"),
    *("scikit-learn", "pandas", "ray", "optuna"),
)
"""Those on which data, training or proposals depend."""


def lock_of(started: SweepStarted, *, cpus: float, gpus: float) -> dict[str, Any]:
    """The lock of a sweep whose trials have so many CPUs (threads) and GPUs each."""
    return {
        "format": FORMAT,
        "sweep": started.sweep,
        "data": {key: started.data.get(key) for key in ("hash", "labels", "rows")},
        "encoder": _encoder(started.encoder),
        "spec": started.spec,
        "versions": versions(),
        "machine": machine(cpus=cpus, gpus=gpus),
    }


def _encoder(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Hash and source; of encoders with names, those of each besides a common hash."""
    locked = {key: facts.get(key) for key in ("hash", "source")}
    if "named" in facts:
        locked["named"] = {name: _encoder(one) for name, one in facts["named"].items()}
    return locked


def versions() -> dict[str, str]:
    """Version of Python, bertsweep and the packages that a trial's numbers depend on."""
    found = {"python": platform.python_version(), "bertsweep": VERSION}
    return found | {name: metadata.version(name) for name in _PACKAGES}


def machine(*, cpus: float, gpus: float) -> dict[str, Any]:
    """What numbers depend on of a machine, besides the packages."""
    return {
        "cpu": cpu.name(),
        "cores": os.cpu_count(),
        "threads": max(1, int(cpus)),
        "gpus_per_trial": gpus,
        "system": f"{platform.system()} {platform.machine()}",
    }


def write(folder: Path, lock: Mapping[str, Any]) -> None:
    """Writes the lock of a sweep into its folder, whole or not at all. Raises `OSError`."""
    atomic.write_file(folder / FILE, json.dumps(lock, indent=1) + "\n")


def read(folder: Path) -> dict[str, Any] | None:
    """The lock in a sweep's folder; None in that of a version that wrote none, or where damaged."""
    try:
        lock = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return lock if isinstance(lock, dict) and lock.get("format") == FORMAT else None


def differences(lock: Mapping[str, Any], *, cpus: float, gpus: float) -> Iterator[str]:
    """What is not as the lock says, a line each: `numpy: 2.4.6 in the lock, 2.4.7 here`."""
    here = {"versions": versions(), "machine": machine(cpus=cpus, gpus=gpus)}
    for part, found in here.items():
        locked = lock.get(part) or {}
        for name in dict.fromkeys([*locked, *found]):
            if locked.get(name) != found.get(name):
                yield f"{name}: {locked.get(name)} in the lock, {found.get(name)} here"
