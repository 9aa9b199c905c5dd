"""A worker whose trials have several encoders: which stay ready, and that it changes no number."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bertsweep.checkpoints import Checkpoint
from bertsweep.trial import workbench
from bertsweep.trial.benches import how_many, kept_of
from bertsweep.trial.job import EncoderFolders, TrialJob
from bertsweep.trial.worker import REPORT, TrialWorker
from tests.support.encoders import two
from tests.support.trials import PARAMS, small_job, small_prepared


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> TrialJob:
    prepared = small_prepared(*two(tmp_path_factory.mktemp("models")))
    folders = {
        name: EncoderFolders(str(encoder.folder), str(prepared.token_folders[name]))
        for name, encoder in prepared.encoders.items()
    }
    return replace(small_job(tmp_path_factory.mktemp("sweep"), prepared), encoders=folders)


@pytest.mark.parametrize(
    ("sizes", "memory", "count"),
    [
        ((100, 100, 100), 1800, 1),
        ((100, 100, 100), 2400, 2),
        ((100, 400), 5999, 1),
        ((100, 400), 6000, 2),
        ((9,), 1, 1),
    ],
)
def test_as_many_stay_ready_as_half_of_the_memory_holds_six_times(
    sizes: tuple[int, ...], memory: float, count: int
) -> None:
    assert how_many(sizes, memory=memory) == count


def test_small_encoders_all_stay_and_the_file_may_say_less(job: TrialJob) -> None:
    assert kept_of(job) == 2
    assert kept_of(replace(job, encoders_kept=1)) == 1


def first_report(worker: TrialWorker, job: TrialJob, trial: str, encoder: str) -> dict[str, Any]:
    params = {**PARAMS, "encoder": encoder, "epochs": 1}
    told = {"trial": trial, "params": params, "seed": 1, "split": None, "refit": None}
    worker.begin(job.to_plain(), told)
    report: dict[str, Any] = json.loads(worker.report()[REPORT])
    return report


def test_trials_change_encoders_and_one_that_was_let_go_comes_back_the_same(
    job: TrialJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Devices can be set up once a process, which other tests in it have done.
    monkeypatch.setattr(workbench, "set_up_devices", lambda **_: None)
    job, worker = replace(job, encoders_kept=1), TrialWorker()
    losses = {}
    for trial, encoder in {"t0": "tiny", "t1": "xlmr", "t2": "tiny"}.items():
        report = first_report(worker, job, trial, encoder)
        losses[trial] = report["metrics"]["loss"]
        record = Checkpoint.open(Path(job.folder) / report["checkpoint"]).record
        assert record.encoder.config.hidden_size == {"tiny": 64, "xlmr": 24}[encoder]
        assert worker._benches.ready == (job.encoders[encoder].encoder,)
    assert losses["t0"] == losses["t2"] != losses["t1"]
