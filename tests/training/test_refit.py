"""A refit, trained for real: on all rows, for the epochs it was given, by the same schedule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertsweep import checkpoints, metrics
from bertsweep.checkpoints import Checkpoint
from bertsweep.errors import EnvironmentFault
from bertsweep.ledger import Refit
from bertsweep.spec.hyperparameters import Hyperparameters
from bertsweep.trial import session
from bertsweep.trial.job import Proposal, TrialJob
from bertsweep.trial.session import Session
from bertsweep.trial.workbench import Workbench
from tests.support.trials import PARAMS, small_job, small_prepared

TRAIN, VALIDATION = 350, 100
EPOCH = 1.25
POINT = Hyperparameters.from_point({**PARAMS, "epochs": 2, "schedule": "linear"}).to_point()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workbench, TrialJob, Refit]:
    """Two repeats of a configuration, trained, and the refit that follows from them."""
    job = small_job(tmp_path_factory.mktemp("sweep"), small_prepared())
    bench = Workbench(job)
    best = [reports(bench, job, Proposal(f"t0001-r{n}", POINT, n))[-1] for n in (1, 2)]
    sources = tuple(report["checkpoint"] for report in best)
    return bench, job, Refit(epoch=EPOCH, expected={"val_f1": 0.625}, sources=sources)


def reports(bench: Workbench, job: TrialJob, proposal: Proposal) -> list[dict[str, Any]]:
    begun = Session(bench, job, proposal)
    found = [begun.next_report()]
    while not found[-1]["finished"]:
        found.append(begun.next_report())
    return found


def proposed(refit: Refit, trial: str) -> Proposal:
    """As it comes to a worker."""
    return Proposal.from_plain(Proposal(trial, POINT, 7, refit=refit).to_plain())


def weights(job: TrialJob, report: dict[str, Any]) -> dict[str, Any]:
    return Checkpoint.open(Path(job.folder) / report["checkpoint"]).arrays()


def test_it_trains_on_all_rows_for_its_epochs_by_the_same_schedule(
    trained: tuple[Workbench, TrialJob, Refit],
) -> None:
    bench, job, refit = trained
    ordinary = reports(bench, job, Proposal("t0002", POINT, 7))
    told = reports(bench, job, proposed(refit, "t0001-f1"))
    assert [report["epoch"] for report in told] == [0.5, 1.0, EPOCH]
    assert told[1]["examples"] == TRAIN + VALIDATION
    assert ordinary[1]["examples"] == TRAIN
    rates = [[report["metrics"]["learning_rate"] for report in one] for one in (ordinary, told)]
    assert rates[1][:2] == pytest.approx(rates[0][:2], rel=0.1), "the schedule keeps its length"
    assert rates[0][1] > rates[1][2] > rates[0][2]
    after = reports(bench, job, Proposal("t0003", POINT, 7))
    assert [r["metrics"]["loss"] for r in after] == [r["metrics"]["loss"] for r in ordinary]


def test_no_row_it_was_trained_on_scores_it_or_sets_its_threshold(
    trained: tuple[Workbench, TrialJob, Refit],
) -> None:
    bench, job, refit = trained
    told = reports(bench, job, proposed(refit, "t0001-f1"))
    assert not any(name.startswith("val_") for report in told for name in report["metrics"])
    assert [report["checkpoint"] is None for report in told] == [True, True, False]
    folder = Path(job.folder)
    record = Checkpoint.open(folder / told[-1]["checkpoint"]).record
    assert record.trained_on == checkpoints.TRAIN_AND_VALIDATION
    assert record.metrics["val_f1"] == 0.625
    parts = [
        checkpoints.read_predictions(folder / "trials" / f"t0001-r{n}", Path(source).name)
        for n, source in enumerate(refit.sources, start=1)
    ]
    labels = np.concatenate([part.labels for part in parts if part is not None])
    found = np.concatenate([part.probabilities for part in parts if part is not None])
    assert len(labels) == 2 * VALIDATION
    assert record.threshold == metrics.threshold_for("f1", labels, found)
    kept = checkpoints.read_predictions(folder / "trials" / "t0001-f1", "best-0003")
    assert kept is not None
    assert np.array_equal(kept.probabilities, found)


def test_one_that_was_cut_off_comes_out_the_same(
    trained: tuple[Workbench, TrialJob, Refit], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, job, refit = trained
    monkeypatch.setattr(session, "STATE_BUDGET", 1e9)
    whole = reports(bench, job, proposed(refit, "whole"))[-1]
    cut = Session(bench, job, proposed(refit, "cut"))
    cut.next_report()
    again = reports(bench, job, proposed(refit, "cut"))[-1]
    one, other = weights(job, whole), weights(job, again)
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_a_repeat_whose_predictions_are_gone_is_named(
    trained: tuple[Workbench, TrialJob, Refit],
) -> None:
    bench, job, _ = trained
    gone = Refit(epoch=0.5, expected={}, sources=("trials/t0009-r1/best-0001",))
    with pytest.raises(EnvironmentFault, match="t0009-r1/best-0001 must hold what its repeat"):
        reports(bench, job, proposed(gone, "t0009-f1"))
