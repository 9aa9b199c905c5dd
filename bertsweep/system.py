"""What a process and the GPUs it sees use of the machine, cheap enough to ask at every report.

Megabytes are 2**20 bytes. GPUs are asked through NVML, the library that NVIDIA's driver installs;
where it is missing there are none.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psutil

LIGHT_TENSORFLOW = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_USE_LEGACY_KERAS": "1"}
"""Environment of a process that imports TensorFlow: quiet, and without Keras 3 beside tf_keras.

Nothing here uses Keras 3, whose import takes a third of TensorFlow's.
"""

_MB = 2**20


def import_tensorflow_lightly() -> None:
    """Sets `LIGHT_TENSORFLOW` in this process, before TensorFlow is imported in it.

    What the user has set stays.
    """
    for name, value in LIGHT_TENSORFLOW.items():
        os.environ.setdefault(name, value)


class SystemSampler:
    """Samples the process that makes it; `cpu_percent` counts since the sample before."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._process.cpu_percent()  # the first answer is always 0: it only starts the clock
        self._gpus = _visible_gpus()

    def sample(self) -> dict[str, float]:
        """Returns the figures of this moment, as flat names and numbers.

        memory_mb: resident memory of the process. cpu_percent: its CPU time since the last sample,
        100 for one busy core. For the n-th visible GPU, gpu{n}_percent: share of the last sampling
        period in which a kernel ran, and gpu{n}_memory_mb: memory in use, by all processes.
        """
        figures = {
            "memory_mb": self._process.memory_info().rss / _MB,
            "cpu_percent": self._process.cpu_percent(),
        }
        for index, gpu in enumerate(self._gpus):
            for name, value in (("percent", gpu.percent()), ("memory_mb", gpu.used_mb())):
                if value is not None:
                    figures[f"gpu{index}_{name}"] = value
        return figures


def gpu_memory_mb() -> list[float]:
    """Total memory of each visible GPU, in the order of `SystemSampler`; 0 if unknown."""
    return [gpu.total_mb() or 0.0 for gpu in _visible_gpus()]


def gpu_peak_flops() -> list[float]:
    """Float32 operations a second of each visible GPU at its highest clock; 0 if unknown."""
    return [gpu.peak_flops() or 0.0 for gpu in _visible_gpus()]


def usable_cpus() -> int:
    """CPU cores that this process may use."""
    # Not everywhere: macOS has no affinity.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class _Gpu:
    """A device handle of NVML; None stands for a figure that the driver does not tell."""

    handle: Any

    def percent(self) -> float | None:
        import pynvml

        with contextlib.suppress(pynvml.NVMLError):  # a MIG slice has no utilisation of its own
            return float(pynvml.nvmlDeviceGetUtilizationRates(self.handle).gpu)
        return None

    def used_mb(self) -> float | None:
        memory = self._memory()
        return None if memory is None else memory.used / _MB

    def total_mb(self) -> float | None:
        memory = self._memory()
        return None if memory is None else memory.total / _MB

    def peak_flops(self) -> float | None:
        """Each core multiplies and adds once a cycle."""
        import pynvml

        with contextlib.suppress(pynvml.NVMLError):
            cores = pynvml.nvmlDeviceGetNumGpuCores(self.handle)
            megahertz = pynvml.nvmlDeviceGetMaxClockInfo(self.handle, pynvml.NVML_CLOCK_SM)
            return 2e6 * float(cores) * float(megahertz)
        return None

    def _memory(self) -> Any | None:
        import pynvml

        with contextlib.suppress(pynvml.NVMLError):
            return pynvml.nvmlDeviceGetMemoryInfo(self.handle)
        return None


def _visible_gpus() -> list[_Gpu]:
    """The GPUs that CUDA shows this process, by PCI bus: CUDA's own order where they are alike."""
    wanted = _wanted(os.environ.get("CUDA_VISIBLE_DEVICES"))
    if wanted == []:
        return []
    import pynvml  # here, since every command imports this module and most need no GPU

    gpus: list[_Gpu] = []
    with contextlib.suppress(pynvml.NVMLError):
        pynvml.nvmlInit()
        if wanted is None:
            wanted = [str(index) for index in range(pynvml.nvmlDeviceGetCount())]
        for name in wanted:
            # CUDA, too, ignores everything from the first invalid name on.
            gpus.append(_Gpu(_handle(name)))
    return gpus


def _wanted(visible: str | None) -> Sequence[str] | None:
    """Indices and UUIDs named by CUDA_VISIBLE_DEVICES; None when it is not set: all."""
    if visible is None:
        return None
    names = [name.strip() for name in visible.split(",")]
    stop = next((i for i, name in enumerate(names) if name in ("", "-1", "NoDevFiles")), len(names))
    return names[:stop]


def _handle(name: str) -> Any:
    """The device of an index or a UUID. Raises `pynvml.NVMLError` where there is none."""
    import pynvml

    if name.isdigit():
        return pynvml.nvmlDeviceGetHandleByIndex(int(name))
    return pynvml.nvmlDeviceGetHandleByUUID(name)
