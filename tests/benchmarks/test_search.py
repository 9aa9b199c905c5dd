"""`benchmarks.search`: what of it can be checked on a table made here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import _recorded
from benchmarks._peers import Setting, build
from benchmarks._played import play

REPORTS = 12


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> _recorded.Task:
    """Losses that fall with each report, best at a rate of 1e-3 and a share of 0.5."""
    file: Path = tmp_path_factory.mktemp("curves") / "made.npz"
    random = np.random.default_rng(0)
    configurations = np.stack([10 ** random.uniform(-5, -1, 200), random.random(200)], axis=1)
    distance = np.hypot((np.log10(configurations[:, 0]) + 3) / 4, configurations[:, 1] - 0.5)
    curves = distance[:, None, None] + np.linspace(1, 0, 24)
    np.savez(
        file,
        parameters=["rate", "share"],
        log=[True, False],
        configurations=configurations,
        tasks=["made"],
        mode="min",
        **{"made/valid": curves},
    )
    (found,) = _recorded.tasks(_recorded.own(file), REPORTS)
    return found


def setting(task: _recorded.Task, *, workers: int = 1, budget: float = 8) -> Setting:
    return Setting(
        seed=1, start=task.starts["misplaced"], trusted=True, workers=workers, budget=budget
    )


def test_regret_is_none_at_the_best_and_one_at_the_median(task: _recorded.Task) -> None:
    good = task.curve(task.starts["good"])
    assert task.regret(good.max()) == pytest.approx(0, abs=1e-6)
    assert task.regret(task.curve(task.starts["misplaced"]).max()) > 1
    assert np.all(np.diff(good) > 0)  # a loss is turned round: larger is better


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("name", ["bertsweep", "random+asha", "briefly-top-3", "optuna-tpe"])
def test_a_search_improves_and_spends_its_budget(
    name: str, workers: int, task: _recorded.Task
) -> None:
    search = build(name, task, setting(task, workers=workers))
    outcome = play(search, task, workers=workers, budgets=(1, 8))
    assert 0 <= task.regret(outcome.best[8]) < 0.6
    assert task.regret(outcome.best[8]) <= task.regret(outcome.best[1])
    assert outcome.finished >= 1
    assert 8 < outcome.trials <= 8 * REPORTS


def test_our_plays_repeat_themselves(
    task: _recorded.Task,
) -> None:
    outcomes = [
        play(build("bertsweep", task, setting(task)), task, workers=1, budgets=(4, 8))
        for _ in range(2)
    ]
    assert outcomes[0] == outcomes[1]
