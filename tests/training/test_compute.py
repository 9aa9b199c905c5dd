"""Precisions, XLA and several devices train as one device in float32 does, but for rounding."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bertsweep.spec.hyperparameters import Hyperparameters
from bertsweep.training.batches import epoch_batches
from bertsweep.training.compute import Compute, Devices
from bertsweep.training.scaling import LossScale
from bertsweep.training.trainer import Trainer
from bertsweep.trial.job import TrialJob
from bertsweep.trial.workbench import Workbench
from tests.support.sweeps import REPOSITORY
from tests.support.trials import proposal, small_job, small_prepared

WAYS = [
    Compute("mixed_bfloat16"),
    Compute("mixed_float16"),
    Compute("float32", jit=True),
    pytest.param(Compute("mixed_bfloat16", jit=True), marks=pytest.mark.slow),
]


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> TrialJob:
    return small_job(tmp_path_factory.mktemp("sweep"), small_prepared())


@pytest.fixture(scope="module")
def bench(job: TrialJob) -> Workbench:
    return Workbench(job)


def train(trainer: Trainer, compute: Compute, steps: int, **params: Any) -> list[float]:
    """The loss of every step of a trial that begins anew."""
    trainer.use(compute)
    trainer.begin(Hyperparameters.from_point(proposal(**params).params), seed=3)
    return [trainer.train(step + 1).loss for step in range(steps)]


@pytest.fixture(scope="module")
def plain(bench: Workbench) -> list[float]:
    return train(bench.trainer, Compute(), 12)


@pytest.mark.parametrize("compute", WAYS, ids=str)
def test_every_way_to_compute_gives_nearly_the_same_losses(
    bench: Workbench, plain: list[float], compute: Compute
) -> None:
    losses = train(bench.trainer, compute, 12)
    assert losses != plain
    # With XLA batches are wider, so that the same random numbers drop other elements.
    assert losses == pytest.approx(plain, abs=0.15 if compute.jit else 0.02)
    half = bench.trainer.evaluate(bench.validation)
    train(bench.trainer, Compute(), 12)
    whole = bench.trainer.evaluate(bench.validation)
    assert half.loss == pytest.approx(whole.loss, abs=0.05 if compute.jit else 0.02)


@pytest.mark.parametrize("compute", WAYS, ids=str)
def test_every_way_to_compute_goes_on_from_its_state(bench: Workbench, compute: Compute) -> None:
    trainer = bench.trainer
    whole = train(trainer, compute, 6)
    train(trainer, compute, 3)
    state = {name: np.array(array) for name, array in trainer.state().items()}
    train(trainer, Compute(), 2, learning_rate=1e-2)
    trainer.use(compute)
    trainer.begin(Hyperparameters.from_point(proposal().params), seed=3)
    trainer.restore(state)
    assert [trainer.train(step).loss for step in (4, 5, 6)] == whole[3:]


def test_xla_compiles_a_shape_once(bench: Workbench) -> None:
    trainer = bench.trainer
    trainer.use(Compute(jit=True))
    point = {**proposal().params, "batch_size": 24}  # no other test has such a shape

    def seconds() -> float:
        trainer.begin(Hyperparameters.from_point(point), seed=4)
        begun = time.process_time()
        trainer.train(2)
        return time.process_time() - begun

    compiling = seconds()
    assert 4 * seconds() < compiling


def test_xla_sees_a_handful_of_shapes(bench: Workbench) -> None:
    trainer, hyperparameters = bench.trainer, Hyperparameters.from_point(proposal().params)
    trainer.use(Compute(jit=True))
    trainer.begin(hyperparameters, seed=3)
    length, size = hyperparameters.max_seq_length, hyperparameters.batch_size
    lengths = trainer.train_tokens.lengths(length)
    feed = trainer.feed(epoch_batches(lengths, batch_size=size, seed=0, epoch=0))
    assert set(feed.rows) == {size}, "the last one is filled up"
    assert len(set(feed.widths)) <= -(-length // 8)


def test_a_loss_scale_halves_on_overflow_and_the_step_is_one_of_zeros() -> None:
    scale = LossScale()
    before = float(scale.apply(tf.constant(1.0)))
    first, rest = scale.undo(tf.constant([np.inf]), {"w": tf.constant([before])})
    assert first.numpy().tolist() == [0.0]
    assert rest["w"].numpy().tolist() == [0.0]
    assert float(scale.apply(tf.constant(1.0))) == before / 2
    first, rest = scale.undo(tf.constant([before]), {"w": tf.constant([before / 4])})
    assert first.numpy().tolist() == [2.0]
    assert rest["w"].numpy().tolist() == [0.5]


def test_a_loss_scale_grows_after_many_good_steps() -> None:
    scale = LossScale()
    before = float(scale.apply(tf.constant(1.0)))
    undo = tf.function(lambda: scale.undo(tf.constant([1.0]), {})[0])
    for _ in range(2000):
        undo()
    assert float(scale.apply(tf.constant(1.0))) == before * 2


def test_one_device_leaves_everything_as_it_is() -> None:
    devices = Devices()
    assert devices.count == 1
    assert devices.run(lambda replica, x: (replica, x), 5) == (0, 5)
    assert devices.total(3) == 3
    assert devices.part("rows", 0) == "rows"


MIRRORED = """
import json, sys
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from bertsweep.training.compute import Compute, Devices
from bertsweep.trial.job import TrialJob
from bertsweep.trial.workbench import Workbench
from bertsweep.spec.hyperparameters import Hyperparameters
job, trials = json.loads(sys.argv[1])
bench = Workbench(TrialJob.from_plain(job), devices=Devices(["CPU:0", "CPU:1"]))
trainer = bench.trainer
answers = []
for params in trials:
    losses = []
    for again in range(2):
        trainer.begin(Hyperparameters.from_point(params), seed=3)
        losses.append([trainer.train(step + 1).loss for step in range(12)])
    copies = [len({v.numpy().tobytes() for v in weight.values}) for weight in
              trainer.classifier.weights.values()]
    loss = trainer.evaluate(bench.validation).loss
    answers.append({"losses": losses, "copies": max(copies), "loss": loss})
print(json.dumps(answers))
"""


@pytest.mark.slow
def test_two_devices_share_a_batch(bench: Workbench, job: TrialJob, tmp_path: Path) -> None:
    trials = [
        dict(proposal(dropout=dropout, weight_decay=0.1, optimizer="adamw").params)
        for dropout in (0.0, 0.1)
    ]
    # A small rate: at a large one the masks alone lead the losses far apart.
    gentle = proposal(learning_rate=1e-4, layer_decay=0.8, clip_norm=1.0, accumulate=2)
    trials += [dict(gentle.params), {**gentle.params, "batches": "random"}]
    script = tmp_path / "mirrored.py"
    script.write_text(MIRRORED)
    done = subprocess.run(
        [sys.executable, str(script), json.dumps([job.to_plain(), trials])],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=250,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout.splitlines()[-1])
    for params, answer in zip(trials, answers, strict=True):
        assert answer["copies"] == 1
        assert answer["losses"][0] == answer["losses"][1]
        one = train(bench.trainer, Compute(), 12, **params)
        # The encoder's own dropout draws other masks on each device: only the course is the same.
        assert answer["losses"][0] == pytest.approx(one, abs=0.15)
        alone = bench.trainer.evaluate(bench.validation)
        assert answer["loss"] == pytest.approx(alone.loss, abs=0.05)
