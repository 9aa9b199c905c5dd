"""What this machine has for sweeps, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

from bertsweep.doctor.finding import Finding, Status
from bertsweep.paths import storage_root

__all__ = ["Finding", "Status", "diagnose"]


def diagnose(
    *, storage: Path | None = None, ray_address: str | None = None, timeout: float = 120.0
) -> list[Finding]:
    """Findings on versions, processors, memory, GPUs, Ray, folders, W&B login, in that order.

    Ray and TensorFlow run in processes of their own, at most `timeout` seconds each, so that this
    one stays clean. `ray_address` defaults to RAY_ADDRESS, then to a cluster started for the test.
    Raises `InputError` for a storage address that is not a folder.
    """
    from bertsweep.doctor import folders, machine, processes, versions

    root = storage_root(storage)
    with processes.start(ray_address=ray_address) as probes:
        local = [*versions.findings(), *machine.findings()]
        places = [*folders.findings(root), *machine.login()]
        return [*local, *probes.findings(timeout=timeout), *places]
