"""Workers that are started before their trials: the trials get them, and lose nothing by it."""

from __future__ import annotations

import json
import os
import pickle
import signal
from pathlib import Path

import psutil
import pytest
import ray
from ray import cloudpickle

from bertsweep import ledger
from bertsweep.sweep import cluster
from bertsweep.sweep.placement import Placement
from bertsweep.sweep.share import Share
from bertsweep.trial.job import TrialJob
from bertsweep.trial.worker import FAILED, REPORT, worker_in
from tests.support.sweeps import bertsweep, events, scores, start, wait_for_reports, write_small
from tests.support.trials import PARAMS, proposal, small_job, small_prepared, small_spec


@pytest.mark.slow
def test_a_trial_gets_a_worker_that_got_warm_before_there_were_tokens(tmp_path: Path) -> None:
    prepared = small_prepared()
    job = {**small_job(tmp_path, prepared).to_plain(), "cpus": 1.0}
    params = small_spec().hyperparameters(PARAMS).to_point()
    with cluster.started(None):
        placement = Placement(Share(cpus=1, gpus=0, concurrent=1))
        placement.start(TrialJob.from_plain({**job, "tokens": ""}), params, trials=5)
        # Tune pickles what it is given and makes the groups with the copy.
        copy = pickle.loads(cloudpickle.dumps(placement))
        group = copy.to_placement_group()
        before = ray.get_actor(f"worker-{group.id.hex()}")
        worker = worker_in(group, cpus=1, gpus=0)
        assert worker == before
        told = proposal()
        fields = {"trial": told.trial, "params": told.params, "seed": told.seed}
        worker.begin.remote(job, fields)
        report = json.loads(ray.get(worker.report.remote())[REPORT])
        assert FAILED not in report
        assert report["report"] == 1
        assert copy.to_placement_group() != group


@pytest.mark.slow
def test_a_place_that_no_trial_took_is_used_before_another_is_made(tmp_path: Path) -> None:
    job = TrialJob.from_plain({**small_job(tmp_path, small_prepared()).to_plain(), "cpus": 1.0})
    params = proposal().params
    with cluster.started(None):
        placement = Placement(Share(cpus=1, gpus=0, concurrent=2))
        placement.start(job, params, trials=1)
        placement.start(job, params, trials=1)
        assert len(placement.workers) == 1
        placement.start(job, params, trials=5)
        assert len(placement.workers) == 2
        taken = placement.to_placement_group()
        placement.start(job, params)
        assert len(placement.workers) == 3
        assert worker_in(taken, cpus=1, gpus=0) == placement.workers[0]


@pytest.mark.slow
def test_a_worker_that_cannot_get_warm_leaves_it_to_its_trial_to_say_why(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    job = {**small_job(tmp_path, small_prepared()).to_plain(), "cpus": 1.0}
    job["encoder"] = str(tmp_path / "gone")
    with cluster.started(None):
        placement = Placement(Share(cpus=1, gpus=0, concurrent=1))
        placement.start(TrialJob.from_plain(job), proposal().params, trials=1)
        worker = worker_in(placement.to_placement_group(), cpus=1, gpus=0)
        told = proposal()
        fields = {"trial": told.trial, "params": told.params, "seed": told.seed}
        worker.begin.remote(job, fields)
        report = json.loads(ray.get(worker.report.remote())[REPORT])
        assert "gone must hold a prepared encoder" in report[FAILED]
        del placement
    assert "Unhandled" not in capfd.readouterr().err


def test_what_spoils_the_preparation_is_said_and_no_sweep_begun(tmp_path: Path) -> None:
    cache, storage = tmp_path / "cache", tmp_path / "storage"
    cache.mkdir()
    (cache / "tokens").touch()  # where a folder must be
    done = bertsweep(
        *("run", str(write_small(tmp_path)), "--storage", str(storage)), BERTSWEEP_CACHE=str(cache)
    )
    assert done.returncode == 3
    assert "token cache" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert not storage.exists()


@pytest.mark.slow
def test_a_killed_worker_costs_no_more_than_its_last_report(tmp_path: Path) -> None:
    done = bertsweep("run", str(write_small(tmp_path)), "--storage", str(tmp_path / "calm"))
    assert done.returncode == 0, done.stderr
    process = start(
        *("run", str(write_small(tmp_path)), "--storage", str(tmp_path)), log=tmp_path / "log"
    )
    wait_for_reports(tmp_path / "small", "t0000", 4)
    family = psutil.Process(process.pid).children(recursive=True)
    (worker,) = [p.pid for p in family if "TrialWorker" in " ".join(p.cmdline())]
    os.kill(worker, signal.SIGKILL)
    assert process.wait(200) == 0
    state = ledger.fold(events(tmp_path / "small"))
    assert {trial.status for trial in state.trials.values()} == {ledger.FINISHED}
    assert max(trial.attempts for trial in state.trials.values()) == 2
    assert scores(tmp_path / "small") == scores(tmp_path / "calm" / "small")
