"""What a process and the GPUs it sees use of the machine, cheap enough to ask at every report.

Megabytes are 2**20 bytes. GPUs are asked through NVML, the library that NVIDIA's driver installs;
where it is missing there are none.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

LIGHT_TENSORFLOW = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_USE_LEGACY_KERAS": "1"}
"""Environment of a process that imports TensorFlow: quiet, and without Keras 3 beside tf_keras.

Nothing here uses Keras 3, whose import takes a third of TensorFlow's.
"""

_MB = 2**20
_LIBRARY = "libnvidia-ml.so.1"


class SystemSampler:
    """Samples the process that makes it; `cpu_percent` counts since the sample before."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._process.cpu_percent()  # the first answer is always 0: it only starts the clock
        self._gpus = _visible_gpus()

    def sample(self) -> dict[str, float]:
        """Figures of this moment, as flat names and numbers.

        memory_mb: resident memory of the process. cpu_percent: its CPU time since the last sample,
        100 for one busy core. For the n-th visible GPU, gpu{n}_percent: share of the last moments
        in which it computed, and gpu{n}_memory_mb: memory in use, by all its processes.
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


class _Memory(ctypes.Structure):
    """`nvmlMemory_t`: bytes."""

    _fields_ = [(name, ctypes.c_ulonglong) for name in ("total", "free", "used")]


class _Utilization(ctypes.Structure):
    """`nvmlUtilization_t`: percent of the last sampling period."""

    _fields_ = [(name, ctypes.c_uint) for name in ("gpu", "memory")]


@dataclass(frozen=True)
class _Gpu:
    """One device of NVML; a question it cannot answer gives None."""

    library: ctypes.CDLL
    handle: ctypes.c_void_p

    def percent(self) -> float | None:
        # MIG slices have no utilisation of their own.
        use = _Utilization()
        if self.library.nvmlDeviceGetUtilizationRates(self.handle, ctypes.byref(use)) != 0:
            return None
        return float(use.gpu)

    def used_mb(self) -> float | None:
        memory = self._memory()
        return None if memory is None else memory.used / _MB

    def total_mb(self) -> float | None:
        memory = self._memory()
        return None if memory is None else memory.total / _MB

    def _memory(self) -> _Memory | None:
        memory = _Memory()
        failed = self.library.nvmlDeviceGetMemoryInfo(self.handle, ctypes.byref(memory)) != 0
        return None if failed else memory


def _visible_gpus() -> list[_Gpu]:
    """The GPUs that CUDA shows this process, by PCI bus: CUDA's own order where they are alike."""
    wanted = _wanted(os.environ.get("CUDA_VISIBLE_DEVICES"))
    if wanted == []:
        return []
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        return []
    if library.nvmlInit_v2() != 0:
        return []
    if wanted is None:
        count = ctypes.c_uint()
        if library.nvmlDeviceGetCount_v2(ctypes.byref(count)) != 0:
            return []
        wanted = [str(index) for index in range(count.value)]
    gpus = []
    for name in wanted:
        handle = _handle(library, name)
        if handle is None:
            break  # CUDA, too, ignores everything from the first invalid name on
        gpus.append(_Gpu(library, handle))
    return gpus


def _wanted(visible: str | None) -> Sequence[str] | None:
    """Indices and UUIDs named by CUDA_VISIBLE_DEVICES; None when it is not set: all."""
    if visible is None:
        return None
    names = [name.strip() for name in visible.split(",")]
    stop = next((i for i, name in enumerate(names) if name in ("", "-1", "NoDevFiles")), len(names))
    return names[:stop]


def _handle(library: ctypes.CDLL, name: str) -> ctypes.c_void_p | None:
    handle = ctypes.c_void_p()
    if name.isdigit():
        code = library.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(int(name)), ctypes.byref(handle))
    else:
        code = library.nvmlDeviceGetHandleByUUID(name.encode(), ctypes.byref(handle))
    return handle if code == 0 else None
