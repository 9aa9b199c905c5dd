"""Which trial is used where there are several objectives, and whose checkpoints stay for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bertsweep import ledger, selection
from bertsweep.errors import NoUsableTrialError
from bertsweep.ledger import Ledger, SweepState
from bertsweep.ledger.events import CheckpointRemoved, TrialFinished, TrialStopped
from bertsweep.paths import SweepPaths
from bertsweep.ranking import pareto_front, picked, preference, winner
from bertsweep.results import Sweep
from bertsweep.sweep.further import eligible, further_values, takes_baseline
from bertsweep.sweep.retention import Retention
from tests.support import clisweeps

TRIALS = {
    "t0000": (0.70, 8.0),  # the baseline, which t0002 beats
    "t0001": (0.80, 8.0),
    "t0002": (0.79, 4.0),
    "t0003": (0.60, 2.0),
    "t0004": (0.59, 3.0),  # beaten by t0003
}
Make = Callable[..., SweepState]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Builds a sweep of these trials, each with a checkpoint; the last one is stopped halfway."""
    ledgers: list[Ledger] = []

    def made(prefer: object = "best_first", *, keep: int = 5) -> SweepState:
        several = {"further": [{"metric": "latency_ms", "mode": "min"}], "prefer": prefer}
        with clisweeps.sweep(tmp_path, several=several) as book:
            for trial, (score, cost) in TRIALS.items():
                run(book, tmp_path / "demo", trial, score, {"latency_ms": cost}, keep=keep)
            ledgers.append(book)
        return book.state

    yield made
    for book in ledgers:
        book.close()


def run(
    book: Ledger, folder: Path, trial: str, score: float, costs: Mapping[str, float], *, keep: int
) -> None:
    origin = "baseline" if trial == "t0000" else "sampler"
    clisweeps.propose(book, trial, {"max_seq_length": 8, "epochs": 2}, origin=origin)
    clisweeps.report(book, trial, 1, score, **costs)
    clisweeps.checkpoint(book, folder, trial)
    end = TrialStopped(trial=trial) if trial == "t0004" else TrialFinished(trial=trial)
    book.append(end)
    Retention(SweepPaths(folder), book, keep=keep).ended(trial)


@pytest.mark.parametrize(
    ("prefer", "first"), [("best_first", "t0001"), ({"within": 0.02}, "t0002"), ("knee", "t0002")]
)
def test_the_picked_trial_comes_first_then_the_front_then_the_others(
    make: Make, prefer: object, first: str
) -> None:
    state = make(prefer)
    assert [trial.id for trial in pareto_front(state)] == ["t0001", "t0002", "t0003"]
    found = [trial.id for trial in preference(state)]
    rest = [name for name in ("t0001", "t0002", "t0003") if name != first]
    assert found == [first, *rest, "t0000", "t0004"]
    assert winner(state).id == first
    chosen = picked(state)
    assert chosen is not None
    assert chosen.name == first


def test_the_next_of_the_front_stands_in_where_a_checkpoint_is_gone(make: Make) -> None:
    state = make({"within": 0.02})
    state.trials["t0002"].checkpoint = None
    assert winner(state).id == "t0001"
    for trial in state.trials.values():
        trial.checkpoint = None
    with pytest.raises(NoUsableTrialError):
        winner(state)


def test_the_checkpoints_of_the_front_and_of_the_baseline_are_kept(
    make: Make, tmp_path: Path
) -> None:
    state = make(keep=1)
    kept = {trial.id for trial in state.trials.values() if trial.checkpoint}
    assert kept == {"t0000", "t0001", "t0002", "t0003"}
    gone = {e.trial for e in ledger.read(tmp_path / "demo" / "ledger.jsonl")
            if isinstance(e, CheckpointRemoved)}  # fmt: skip
    assert gone == {"t0004"}


def test_a_trial_that_lacks_an_objective_is_on_no_front(make: Make, tmp_path: Path) -> None:
    make()
    book = Ledger(tmp_path / "demo" / "ledger.jsonl")
    run(book, tmp_path / "demo", "t0005", 0.9, {}, keep=5)
    book.close()
    sweep = Sweep.open(tmp_path / "demo")
    assert [trial.id for trial in sweep.front()] == ["t0001", "t0002", "t0003"]
    assert sweep.best().id == "t0001"


def test_the_finalists_are_of_the_front_and_only_the_picked_one_where_quality_was_given_up(
    make: Make,
) -> None:
    names = ["t0001", "t0002", "t0000", "t0004"]
    assert list(eligible(make("best_first"), names)) == ["t0001", "t0002"]


@pytest.mark.parametrize("prefer", ["knee", {"within": 0.02}])
def test_repeats_do_not_undo_a_choice_for_its_cost(make: Make, prefer: object) -> None:
    assert list(eligible(make(prefer), ["t0001", "t0002"])) == ["t0002"]


@pytest.mark.parametrize(
    ("prefer", "ahead", "baseline"),
    [
        ("best_first", 0.01, True),
        ({"within": 0.02}, 0.01, False),
        ({"within": 0.02}, 0.03, True),
        ("knee", 0.03, False),  # the chosen one is faster
    ],
)
def test_the_baseline_is_delivered_where_the_rule_takes_it(
    make: Make, prefer: object, ahead: float, baseline: bool
) -> None:
    """t0002 is chosen, and the baseline's mean is better by so much."""
    runs = {seed: 0.7 + seed / 1000 for seed in range(3)}
    outcome = selection.confirm(
        {"t0002": runs},
        mode="max",
        trials=5,
        baseline={seed: value + ahead for seed, value in runs.items()},
    )
    assert takes_baseline(make(prefer), outcome) == baseline


def test_seconds_of_a_stopped_trial_are_carried_on_for_the_sampler(tmp_path: Path) -> None:
    several: dict[str, Any] = {"further": [{"metric": "train_seconds", "mode": "min"}]}
    with clisweeps.sweep(tmp_path, several=several) as book:
        for trial in ("t0003", "t0004"):
            run(book, tmp_path / "demo", trial, 0.5, {"train_seconds": 3.0}, keep=5)
        state = book.state
    # Half an epoch of two was trained up to the checkpoint.
    assert further_values(state, state.trials["t0003"]) == (3.0,)
    assert further_values(state, state.trials["t0004"]) == (12.0,)
