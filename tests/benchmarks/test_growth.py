"""Long sweeps and large data stay affordable; counted in bytes and calls, not in seconds."""

from __future__ import annotations

import cProfile
import pstats
import statistics
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from benchmarks import growth, tokens
from bertsweep import ledger
from bertsweep.ranking import ranking, winner
from bertsweep.search.study import Study
from bertsweep.spec import load

TRIALS = 60


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("long") / "sweep" / "ledger.jsonl"
    growth.write_ledger(path, TRIALS)
    return path


def test_the_generated_ledger_is_one_of_a_sweep(long: Path) -> None:
    state = ledger.load(long)
    assert state.status == ledger.FINISHED
    assert [len(trial.reports) for trial in state.trials.values()] == [growth.REPORTS] * TRIALS
    assert winner(state) is ranking(state)[0]
    growth.resume(long)


def test_ten_thousand_trials_of_twenty_reports_would_fold_in_a_tenth_of_a_gigabyte(
    long: Path,
) -> None:
    ledger.load(long)  # what is made once for all
    tracemalloc.start()
    state = ledger.load(long)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(state.trials) == TRIALS
    assert peak / TRIALS * 10_000 < 100e6


def test_a_proposal_does_not_cost_more_and_more() -> None:
    spec = load(growth.SPEC)
    point = growth.POINT | growth.FIXED
    costs = []
    for trials in (300, 900):
        sampler = spec.search.sampler
        study = Study(
            spec.space,
            sampler=sampler,
            seed=0,
            mode="max",
            baseline=point,
            key=spec.hyperparameters,
        )
        for number in range(trials):
            rate = 1e-4 * 100 ** ((number * 0.618) % 1)
            values = {1: 1 - abs(rate - 1e-3)}
            moved = {**point, "learning_rate": rate}
            study.refill(number, moved, status=ledger.FINISHED, values=values)
        study.ask()
        profile = cProfile.Profile()
        profile.runcall(study.ask)
        costs.append(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]
    assert costs[1] < 1.1 * costs[0]


def test_generated_questions_are_as_long_as_quoras(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tokens.make(tmp_path, 3000)
    with zipfile.ZipFile(tmp_path / "questions.zip") as packed:
        lines = packed.read("questions.csv").decode().splitlines()[1:]
    words = sorted(len(line.split()) for line in lines)
    assert len(words) == 3000
    assert 10 <= statistics.median(words) <= 12
    assert 33 <= words[int(0.99 * len(words))] <= 45
    tokens.measure(tmp_path)
    said = capsys.readouterr().out
    assert [what for what in ("tokenised", "peak memory", "examples/s") if what not in said] == []
