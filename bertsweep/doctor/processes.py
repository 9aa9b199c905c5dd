"""Checks Ray, TensorFlow and the GPU driver, each in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from bertsweep.doctor.finding import Finding
from bertsweep.system import LIGHT_TENSORFLOW

_QUIET = {
    **LIGHT_TENSORFLOW,
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",
    "PYTHONWARNINGS": "ignore",
}


@dataclass(frozen=True)
class Probes:
    """Two child processes that try Ray and TensorFlow at the same time; `with` ends them."""

    ray: subprocess.Popen[str]
    tensorflow: subprocess.Popen[str]
    address: str | None

    def __enter__(self) -> Probes:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in (self.ray, self.tensorflow):
            if process.poll() is None:
                _end(process)

    def findings(self, *, timeout: float) -> Iterator[Finding]:
        """Yields findings on GPU driver, Ray and TensorFlow; probes are ended after `timeout` s.

        Ray and TensorFlow are compared with the driver: a GPU that only the driver sees is a
        warning.
        """
        deadline = time.monotonic() + timeout
        driver = driver_gpus()
        yield Finding("GPU driver", "ok", _listed(driver) if driver else "no NVIDIA GPU")
        yield _address(self.address)
        yield _ray(_answer(self.ray, deadline), self.address, driver)
        yield _tensorflow(_answer(self.tensorflow, deadline), driver)


def start(*, ray_address: str | None) -> Probes:
    """Starts both probes and returns at once."""
    address = ray_address or os.environ.get("RAY_ADDRESS") or None
    ray = _python("ray", *([address] if address else []))
    return Probes(ray=ray, tensorflow=_python("tensorflow"), address=address)


def driver_gpus() -> list[str]:
    """Returns the names of the GPUs that nvidia-smi lists; none without the tool or the driver."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    command = [tool, "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command, found on the PATH
            command, capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.split("\n")[:-1] if done.returncode == 0 else []


def _python(*arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, **_QUIET}
    if arguments[0] == "ray":
        # The address is an argument; Ray would prefer the variable to "local".
        environment.pop("RAY_ADDRESS", None)
    return subprocess.Popen(  # noqa: S603 - this very interpreter
        [sys.executable, "-m", "bertsweep.doctor.child", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )


def _answer(process: subprocess.Popen[str], deadline: float) -> Mapping[str, Any] | str:
    """Returns what the probe found, or in words why it found nothing."""
    try:
        out, errors = process.communicate(timeout=max(1.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        _end(process)
        return "no answer in time"
    lines = [line for line in out.splitlines() if line.startswith("{")]
    if process.returncode == 0 and lines:
        answer: Mapping[str, Any] = json.loads(lines[-1])
        return answer
    said = [line.strip() for line in errors.splitlines() if line.strip()]
    return said[-1] if said else f"ended with status {process.returncode} and no message"


def _end(process: subprocess.Popen[str]) -> None:
    """Kills a probe with all that it started: Ray's processes are in the same session."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _address(address: str | None) -> Finding:
    if address is None:
        return Finding("RAY_ADDRESS", "ok", "not set: sweeps start a cluster on this machine")
    if address.startswith("ray://"):
        remedy = "Give HOST:6379 on a node of the cluster, or submit with `ray job submit`."
        return Finding("RAY_ADDRESS", "error", f"{address} is a Ray client address", remedy)
    return Finding("RAY_ADDRESS", "ok", address)


def _ray(seen: Mapping[str, Any] | str, address: str | None, driver: list[str]) -> Finding:
    if isinstance(seen, str):
        remedy = "Unset RAY_ADDRESS, or start the cluster: ray start --head."
        if address is None:
            remedy = "Try `ray start --head` and read its logs in /tmp/ray; free memory and disk."
        return Finding("Ray", "error", seen, remedy)
    gpus = seen["gpus"]
    kinds = f" ({_listed(seen['accelerators'])})" if seen["accelerators"] and gpus else ""
    nodes = f"{seen['nodes']} node{'s' if seen['nodes'] != 1 else ''}"
    value = f"{nodes}, {seen['cpus']:g} CPUs, {gpus:g} GPUs{kinds}"
    if address is None and len(driver) > gpus:
        remedy = "CUDA_VISIBLE_DEVICES hides GPUs from Ray: unset it to use them all."
        return Finding("Ray", "warning", value, remedy)
    return Finding("Ray", "ok", value)


def _tensorflow(seen: Mapping[str, Any] | str, driver: list[str]) -> Finding:
    if isinstance(seen, str):
        remedy = "Install it again: pip install -c constraints.txt bertsweep."
        return Finding("TensorFlow", "error", seen, remedy)
    if not seen["gpus"] and driver:
        remedy = "Install its CUDA libraries: pip install -c constraints.txt 'bertsweep[gpu]'."
        return Finding(
            "TensorFlow", "warning", f"no GPU, though there is {_listed(driver)}", remedy
        )
    return Finding("TensorFlow", "ok", _listed(seen["gpus"]) or f"no GPU, runs on {seen['device']}")


def _listed(names: list[str]) -> str:
    """Returns names with their counts, as in `2 x NVIDIA L4, NVIDIA A10`."""
    counts = {name: names.count(name) for name in dict.fromkeys(names)}
    return ", ".join(f"{count} x {name}" if count > 1 else name for name, count in counts.items())
