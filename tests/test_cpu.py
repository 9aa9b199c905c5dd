"""Which CPU this is, as Linux tells it on different machines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bertsweep import cpu

X86 = """\
processor\t: 0
model name\t: AMD EPYC 9454P 48-Core Processor
flags\t\t: fpu sse2 fma avx2 avx512f avx512_bf16 smep

processor\t: 1
model name\t: another
"""

ARM = """\
processor\t: 0
Features\t: fp asimd sve bf16 i8mm
CPU implementer\t: 0x41
CPU part\t: 0xd40
"""


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    cpu._facts.cache_clear()
    yield
    cpu._facts.cache_clear()


def told(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, list[str]]:
    (folder / "cpuinfo").write_text(text)
    monkeypatch.setattr(cpu, "_CPUINFO", folder / "cpuinfo")
    return cpu.name(), cpu.vector_flags()


def test_model_and_vector_instructions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = ["avx2", "avx512_bf16", "avx512f", "fma"]
    model = "AMD EPYC 9454P 48-Core Processor"
    assert told(X86, tmp_path, monkeypatch) == (model, flags)


def test_arm_is_told_by_its_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, flags = told(ARM, tmp_path, monkeypatch)
    assert name.endswith("implementer 0x41 part 0xd40")
    assert flags == ["asimd", "bf16", "i8mm", "sve"]


def test_a_system_that_tells_nothing_has_a_name_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu, "_CPUINFO", tmp_path / "absent")
    assert cpu.name()
    assert cpu.vector_flags() == []


def test_this_machine_has_a_name() -> None:
    assert cpu.name()
