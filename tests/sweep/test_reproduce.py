"""When training a winner again passes: numbers and lock, compared without training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bertsweep import ledger, lock
from bertsweep.checkpoints import Checkpoint
from bertsweep.ledger import Ledger
from bertsweep.ledger.events import ConfirmationEnded, ConfirmationStarted
from bertsweep.paths import SweepPaths
from bertsweep.sweep.reproduce import Reproduction, compared
from tests.support import clisweeps
from tests.support.checkpoints import write_checkpoint
from tests.support.clisweeps import METRIC

OUTCOME = {"deviation": 0.01, "finalists": [{"seeds": 3}], "baseline": {"seeds": 3}}


@pytest.fixture
def paths(tmp_path: Path) -> SweepPaths:
    paths = SweepPaths(clisweeps.finished_sweep(tmp_path))
    book = Ledger(paths.ledger)
    book.append(ConfirmationStarted(finalists=("t0001",), seeds=(1,), splits=(None,)))
    book.append(ConfirmationEnded(outcome=OUTCOME))
    book.close()
    return paths


def again(paths: SweepPaths, *, off: float, fill: float | None = None) -> Reproduction:
    """t0001 trained again, its metric off by so much, with weights of another value if given."""
    state = ledger.load(paths.ledger)
    trial = state.trials["t0001"]
    recorded = Checkpoint.open(paths.folder / str(trial.checkpoint))
    report = dict(trial.reports[0])
    metrics: dict[str, Any] = {**report["metrics"], METRIC: 0.75 + off, "examples_per_second": 1.0}
    folder = paths.folder / "again"
    found = Checkpoint.open(write_checkpoint(folder, fill=fill) if fill else recorded.folder)
    return compared(state, paths, trial, recorded, [{**report, "metrics": metrics}], found)


def locked(paths: SweepPaths, **versions: str) -> None:
    """The lock of this machine, with other versions of packages if given."""
    state = ledger.load(paths.ledger)
    trial = state.trials["t0001"]
    plain = lock.lock_of(state.started, cpus=trial.cpus, gpus=trial.gpus)
    lock.write(paths.folder, {**plain, "versions": {**plain["versions"], **versions}})


def test_equal_numbers_and_weights_are_identical_whatever_the_speed(paths: SweepPaths) -> None:
    locked(paths)
    found = again(paths, off=0.0)
    assert (found.outcome, found.passed, found.differs) == ("identical", True, ())


def test_other_weights_alone_are_noticed(paths: SweepPaths) -> None:
    locked(paths)
    found = again(paths, off=0.0, fill=0.125)
    assert (found.outcome, found.passed) == ("different", False)
    assert "the weights" in found.reason


def test_on_the_locked_machine_the_noise_is_no_excuse(paths: SweepPaths) -> None:
    locked(paths)
    found = again(paths, off=0.001)
    assert (found.outcome, found.passed) == ("different", False)
    assert "as locked" in found.reason


def test_elsewhere_it_passes_within_the_noise_and_says_what_differs(paths: SweepPaths) -> None:
    locked(paths, numpy="1.0")
    near, far = again(paths, off=0.001), again(paths, off=0.1)
    assert near.allowed == pytest.approx(2.776 * 0.01 * 2**0.5, rel=1e-3), "t of 4 degrees"
    assert (near.outcome, far.outcome) == ("within the noise", "different")
    assert any(line.startswith("numpy: 1.0 in the lock") for line in near.differs)
