"""Which precision a sweep computes in: what its file says, else what a probe finds, once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from bertsweep import checksums, cpu
from bertsweep.spec.hyperparameters import Hyperparameters
from bertsweep.training.compute import Compute
from bertsweep.training.timing import AGREEMENT, MARGIN, Timing, compare, fastest
from bertsweep.trial import precision
from bertsweep.trial.job import AUTO, TrialJob
from bertsweep.trial.precision import choose, known
from bertsweep.trial.workbench import Workbench
from tests.support.trials import proposal, small_job, small_prepared

FLOAT, HALF, SMALL = Compute(), Compute("mixed_bfloat16"), Compute("mixed_float16")


@pytest.fixture
def job(tmp_path: Path) -> TrialJob:
    plain = small_job(tmp_path, small_prepared()).to_plain()
    return TrialJob.from_plain({**plain, "precision": AUTO, "jit": AUTO})


@pytest.mark.parametrize(
    ("half", "small", "expected"),
    [
        (Timing(HALF, 100 * MARGIN, 0.5), Timing(SMALL, 50, 0.5), HALF),
        (Timing(HALF, 100 * MARGIN - 1, 0.5), Timing(SMALL, 50, 0.5), FLOAT),
        (Timing(HALF, 200, 0.5), Timing(SMALL, 300, 0.5), SMALL),
        (Timing(HALF, 200, 0.5), Timing(SMALL, 300, 0.5 + 2 * AGREEMENT), HALF),
        (Timing(HALF, 200, None), Timing(SMALL, 0, None), FLOAT),
    ],
)
def test_the_fastest_that_agrees_is_taken(half: Timing, small: Timing, expected: Compute) -> None:
    assert fastest([Timing(FLOAT, 100, 0.5), half, small]).compute == expected


def test_ways_are_timed_in_turns_and_their_losses_told(bench: Workbench) -> None:
    timings = compare(bench.trainer, [FLOAT, HALF], seconds=0.2)
    assert [timing.compute for timing in timings] == [FLOAT, HALF]
    assert min(timing.examples_per_second for timing in timings) > 0
    assert timings[0].loss == pytest.approx(timings[1].loss, abs=AGREEMENT)
    assert timings[0].loss != timings[1].loss


def test_a_probe_leaves_no_trace_in_a_trial(bench: Workbench) -> None:
    def losses() -> list[float]:
        bench.trainer.use(FLOAT)
        bench.trainer.begin(Hyperparameters.from_point(proposal().params), seed=3)
        return [bench.trainer.train(step).loss for step in (1, 2, 3)]

    before = losses()
    compare(bench.trainer, [FLOAT, HALF], seconds=0.1)
    assert losses() == before


def test_what_the_file_says_needs_no_probe(
    bench: Workbench, job: TrialJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "compare", None)
    said = TrialJob.from_plain({**job.to_plain(), "precision": "mixed_bfloat16", "jit": True})
    assert choose(said, bench.trainer, "x") == {"precision": "mixed_bfloat16", "jit": True}
    assert not (Path(job.folder) / "compute").exists()


def test_the_first_probe_of_a_sweep_decides_for_all_and_the_next_sweep_finds_it(
    bench: Workbench, job: TrialJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "SECONDS", 0.1)
    found = choose(job, bench.trainer, "an encoder")
    assert found["precision"] in ("float32", "mixed_bfloat16")
    assert found["jit"] is False
    assert set(found["examples_per_second"]) == {"float32", "mixed_bfloat16"}
    assert checksums.read_sealed(Path(job.folder) / "compute" / "choice.json") == found
    monkeypatch.setattr(precision, "compare", None)
    assert choose(job, bench.trainer, "an encoder") == found
    other = TrialJob.from_plain({**job.to_plain(), "folder": str(tmp_path / "other")})
    assert choose(other, bench.trainer, "an encoder") == found


def test_a_damaged_choice_is_made_again(
    bench: Workbench, job: TrialJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BERTSWEEP_CACHE", str(tmp_path / "cache"))
    probes: list[dict[str, Any]] = []

    def probe(*_: object) -> dict[str, Any]:
        probes.append({"precision": "float32", "jit": False, "probe": len(probes)})
        return probes[-1]

    monkeypatch.setattr(precision, "_probe", probe)
    found = choose(job, bench.trainer, "an encoder")
    mine = Path(job.folder) / "compute" / "choice.json"
    (cached,) = tmp_path.glob("cache/compute/*/choice.json")
    for damaged in ("", mine.read_text().replace("float32", "float31"), "{}"):
        mine.write_text(damaged)
        assert choose(job, bench.trainer, "an encoder") == found, "the cache has it"
        assert checksums.read_sealed(mine) == found
    assert len(probes) == 1
    for path in (mine, cached):
        path.write_text("")
    assert known(job, bench.trainer, "an encoder") is None
    assert choose(job, bench.trainer, "an encoder") == probes[1] != found
    assert known(job, bench.trainer, "an encoder") == probes[1]


def test_of_workers_that_probe_at_once_the_first_decides_without_hard_links(
    bench: Workbench, job: TrialJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BERTSWEEP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(os, "link", None)
    probes: list[dict[str, Any]] = []

    def probe(*_: object) -> dict[str, Any]:
        probes.append({"precision": "float32", "jit": False, "probe": len(probes)})
        mine = probes[-1]
        if len(probes) == 1:  # another worker is quicker
            assert choose(job, bench.trainer, "an encoder") == probes[1]
        return mine

    monkeypatch.setattr(precision, "_probe", probe)
    assert choose(job, bench.trainer, "an encoder") == probes[1]


def test_another_model_of_cpu_is_another_probe(
    bench: Workbench, job: TrialJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BERTSWEEP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(precision, "_probe", lambda *_: {"precision": cpu.name(), "jit": False})
    cpus = {"AMD EPYC 9454P": "sse2 avx2", "Xeon 8480+": "sse2 avx2 amx_bf16"}
    for number, (name, flags) in enumerate(cpus.items()):
        monkeypatch.setattr(cpu, "_facts", lambda: {"model name": name, "flags": flags})  # noqa: B023
        other = TrialJob.from_plain({**job.to_plain(), "folder": str(tmp_path / str(number))})
        assert choose(other, bench.trainer, "an encoder")["precision"] == name
    monkeypatch.setattr(cpu, "_facts", lambda: {"model name": name, "flags": "sse2 avx2"})
    assert known(job, bench.trainer, "an encoder") is None, "a hypervisor hides an instruction set"
