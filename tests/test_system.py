"""System figures are those of this process, and cheap; GPUs appear where there are any."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any

import psutil
import pynvml
import pytest

from bertsweep import system
from bertsweep.system import LIGHT_TENSORFLOW, SystemSampler


def busy(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_memory_is_the_resident_memory_of_this_process() -> None:
    sampler = SystemSampler()
    before = sampler.sample()["memory_mb"]
    ballast = bytearray(b"x") * (64 * 2**20)
    after = sampler.sample()["memory_mb"]
    assert len(ballast) == 64 * 2**20
    assert 55 < after - before < 80
    assert after == pytest.approx(psutil.Process().memory_info().rss / 2**20, rel=0.1)


def test_cpu_is_counted_since_the_sample_before() -> None:
    sampler = SystemSampler()
    begun, spent = time.monotonic(), time.process_time()
    busy(0.3)
    cpu = sampler.sample()["cpu_percent"]
    expected = 100 * (time.process_time() - spent) / (time.monotonic() - begun)
    assert cpu == pytest.approx(expected, rel=0.25)
    time.sleep(0.3)
    assert sampler.sample()["cpu_percent"] < cpu / 2


def test_a_sample_is_numbers() -> None:
    sampler = SystemSampler()
    for _ in range(2):
        assert all(isinstance(value, float) for value in sampler.sample().values())


@pytest.mark.parametrize("visible", ["", "-1", " ", "-1,0"])
def test_hidden_gpus_are_not_sampled(visible: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert set(SystemSampler().sample()) == {"memory_mb", "cpu_percent"}
    assert system.gpu_memory_mb() == []


def test_unknown_gpus_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4711,GPU-nowhere")
    assert system.gpu_memory_mb() == []


def test_without_nvidias_driver_there_are_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(pynvml, "nvmlInit", failing(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND))
    assert system.gpu_memory_mb() == []
    assert set(SystemSampler().sample()) == {"memory_mb", "cpu_percent"}


def failing(code: int) -> Any:
    def fail(*_: object) -> None:
        raise pynvml.NVMLError(code)

    return fail


@pytest.fixture
def three_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver with GPUs of 1, 2 and 3 MB, the last of which tells no utilisation."""
    uuids = ["GPU-a", "GPU-b", "MIG-c"]

    def by_index(index: int) -> int:
        return index if index < 3 else failing(pynvml.NVML_ERROR_INVALID_ARGUMENT)()

    def by_uuid(uuid: str) -> int:
        return uuids.index(uuid) if uuid in uuids else failing(pynvml.NVML_ERROR_NOT_FOUND)()

    def use(handle: int) -> SimpleNamespace:
        return failing(pynvml.NVML_ERROR_NOT_SUPPORTED)() if handle == 2 else SimpleNamespace(gpu=7)

    def memory(handle: int) -> SimpleNamespace:
        return SimpleNamespace(total=(handle + 1) * 2**20, used=2**19)

    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", lambda: 3)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByIndex", by_index)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByUUID", by_uuid)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetUtilizationRates", use)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetMemoryInfo", memory)


@pytest.mark.usefixtures("three_gpus")
@pytest.mark.parametrize(
    ("visible", "megabytes"),
    [
        (None, [1, 2, 3]),
        ("2,0", [3, 1]),
        (" 1 , MIG-c", [2, 3]),
        ("GPU-b", [2]),
        ("0,-1,2", [1]),
        ("1,7,0", [2]),
        ("1,GPU-nowhere,0", [2]),
        ("NoDevFiles", []),
        ("", []),
    ],
)
def test_visible_devices_are_those_of_cuda_in_its_order(
    visible: str | None, megabytes: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    if visible is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert system.gpu_memory_mb() == megabytes


@pytest.mark.usefixtures("three_gpus")
def test_a_figure_that_the_driver_does_not_tell_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,MIG-c")
    figures = SystemSampler().sample()
    assert {name: value for name, value in figures.items() if name.startswith("gpu")} == {
        "gpu0_percent": 7,
        "gpu0_memory_mb": 0.5,
        "gpu1_memory_mb": 0.5,
    }


@pytest.mark.gpu
def test_every_visible_gpu_is_sampled() -> None:
    totals = system.gpu_memory_mb()
    figures = SystemSampler().sample()
    assert totals
    for index, total in enumerate(totals):
        assert 0 <= figures[f"gpu{index}_percent"] <= 100
        assert 0 <= figures[f"gpu{index}_memory_mb"] <= total
    assert f"gpu{len(totals)}_percent" not in figures


@pytest.mark.gpu
def test_gpus_are_numbered_as_cuda_numbers_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", os.environ.get("CUDA_VISIBLE_DEVICES", "0"))
    assert len(system.gpu_memory_mb()) == len(os.environ["CUDA_VISIBLE_DEVICES"].split(","))


def test_a_worker_imports_no_second_keras() -> None:
    code = "import sys, bertsweep.trial.workbench; sys.exit('keras' in sys.modules)"
    environment = {**os.environ, **LIGHT_TENSORFLOW}
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 0
