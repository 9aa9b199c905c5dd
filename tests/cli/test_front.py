"""Several objectives on the command line: what `best`, `show` and `validate` say of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bertsweep.ledger.events import TrialFinished
from bertsweep.results import Sweep
from tests.support import clisweeps
from tests.support.clisweeps import METRIC, cli

FRONT = {
    "objectives": [
        {"metric": METRIC, "mode": "max"},
        {"metric": "latency_ms", "mode": "min"},
    ],
    "prefer": "within 0.02",
    "picked": "t0002",
    "reason": "t0002 has the lowest latency_ms of 2 trials within 0.02 of the best "
    f"{METRIC}, 0.8000 (prefer: within 0.02)",
    "trials": [
        {"trial": "t0001", "values": {METRIC: 0.8, "latency_ms": 8.0}},
        {"trial": "t0002", "values": {METRIC: 0.79, "latency_ms": 4.0}},
    ],
}


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    several: Mapping[str, Any] = {
        "further": [{"metric": "latency_ms", "mode": "min"}],
        "prefer": {"within": 0.02},
    }
    with clisweeps.sweep(tmp_path, several=several) as book:
        for trial, score, cost in (("t0000", 0.7, 9.0), ("t0001", 0.8, 8.0), ("t0002", 0.79, 4.0)):
            origin = "sampler" if score != 0.7 else "baseline"
            clisweeps.propose(book, trial, {"max_seq_length": 8}, origin=origin)
            clisweeps.report(book, trial, 1, score, latency_ms=cost)
            clisweeps.checkpoint(book, tmp_path / "demo", trial)
            book.append(TrialFinished(trial=trial))
    return tmp_path


def test_best_is_the_picked_trial_with_the_front(storage: Path) -> None:
    document = cli("best", "demo", "--json", "--storage", storage).json
    assert document["trial"] == "t0002"
    assert document["checkpoint"] == str(storage / "demo" / "trials" / "t0002" / "best-0001")
    assert document["metrics"]["latency_ms"] == 4.0
    assert document["front"] == FRONT
    assert cli("show", "demo", "--json", "--storage", storage).json["front"] == FRONT


def test_the_api_has_the_front_too(storage: Path) -> None:
    sweep = Sweep.open("demo", storage=storage)
    assert [trial.id for trial in sweep.front()] == ["t0001", "t0002"]
    assert [goal.metric for goal in sweep.goals] == [METRIC, "latency_ms"]
    assert sweep.picked() is not None
    assert sweep.best().id == "t0002"
    assert sweep.checkpoint().parent.name == "t0002"


@pytest.mark.parametrize("command", ["best", "show"])
def test_the_front_is_shown_and_why_the_trial_was_picked(storage: Path, command: str) -> None:
    out = cli(command, "demo", "--storage", storage).out
    lines = [line.split() for line in out.splitlines()]
    assert ["t0001", "0.8", "8"] in lines
    assert ["t0002", "0.79", "4", "picked"] in lines
    assert FRONT["reason"] in out


def test_with_one_objective_there_is_no_front(tmp_path: Path) -> None:
    clisweeps.finished_sweep(tmp_path)
    for command in ("best", "show"):
        assert cli(command, "demo", "--json", "--storage", tmp_path).json["front"] is None
        assert "Pareto" not in cli(command, "demo", "--storage", tmp_path).out


def test_validate_tells_every_objective() -> None:
    file = Path(__file__).parents[2] / "search_spaces" / "latency.yaml"
    document = cli("validate", file, "--json").json
    assert document["further"] == [{"metric": "latency_ms_batch_32", "mode": "min"}]
    assert document["prefer"] == "within 0.01"
    assert "further objectives: latency_ms_batch_32" in cli("validate", file).out
