"""What this machine has for sweeps, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

from bertsweep.doctor.finding import Finding, Status
from bertsweep.paths import storage_root

__all__ = ["Finding", "Status", "diagnose"]


def diagnose(
    *, storage: Path | None = None, ray_address: str | None = None, timeout: float = 120.0
) -> list[Finding]:
    """Returns findings on versions, CPUs, memory, GPUs, Ray, folders and W&B login, in that order.

    Ray and TensorFlow are tried in processes of their own, for at most `timeout` seconds each, so
    that this process imports neither. `ray_address` defaults to RAY_ADDRESS, then to a cluster
    started for the purpose. Raises `InputError` for a storage address that is not a folder.
    """
    from bertsweep.doctor import folders, machine, processes, versions

    root = storage_root(storage)
    with processes.start(ray_address=ray_address) as probes:
        local = [*versions.findings(), *machine.findings()]
        places = [*folders.findings(root), *machine.login()]
        return [*local, *probes.findings(timeout=timeout), *places]
