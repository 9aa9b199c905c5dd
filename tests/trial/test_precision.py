"""Which precision a sweep computes in: what its file says, else what a probe finds, once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bertsweep import ledger
from bertsweep.spec.hyperparameters import Hyperparameters
from bertsweep.training.compute import Compute
from bertsweep.training.timing import AGREEMENT, MARGIN, Timing, compare, fastest
from bertsweep.trial import precision
from bertsweep.trial.job import AUTO, TrialJob
from bertsweep.trial.precision import choose
from bertsweep.trial.workbench import Workbench
from tests.support.sweeps import bertsweep, events, write_small
from tests.support.trials import proposal, small_job, small_prepared

FLOAT, HALF, SMALL = Compute(), Compute("mixed_bfloat16"), Compute("mixed_float16")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    return Workbench(small_job(tmp_path_factory.mktemp("sweep"), small_prepared()))


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
    assert not (Path(job.folder) / "compute.json").exists()


def test_the_first_probe_of_a_sweep_decides_for_all_and_the_next_sweep_finds_it(
    bench: Workbench, job: TrialJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "SECONDS", 0.1)
    found = choose(job, bench.trainer, "an encoder")
    assert found["precision"] in ("float32", "mixed_bfloat16")
    assert found["jit"] is False
    assert set(found["examples_per_second"]) == {"float32", "mixed_bfloat16"}
    assert json.loads((Path(job.folder) / "compute.json").read_text()) == found
    monkeypatch.setattr(precision, "compare", None)
    assert choose(job, bench.trainer, "an encoder") == found
    other = TrialJob.from_plain({**job.to_plain(), "folder": str(tmp_path / "other")})
    assert choose(other, bench.trainer, "an encoder") == found


def test_a_sweep_records_what_it_computes_in(tmp_path: Path) -> None:
    def recorded(name: str, *settings: str) -> Any:
        done = bertsweep(
            *("run", str(write_small(tmp_path)), "--storage", str(tmp_path), "--name", name),
            *("--set", "budget.trials=1", "--set", "space.epochs=1", *settings),
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr, ledger.fold(events(tmp_path / name)).compute

    said, compute = recorded("told", "--set", "precision=mixed_bfloat16")
    assert compute["precision"] == "mixed_bfloat16"
    said, compute = recorded("found")
    assert set(compute["examples_per_second"]) == {"float32", "mixed_bfloat16"}
    assert f"trials compute in {compute['precision']}; examples/s in a probe on CPU: " in said
