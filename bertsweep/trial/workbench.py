"""What a worker keeps from trial to trial: encoder, traced graphs, memory-mapped tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from bertsweep.encoders import PreparedEncoder, native
from bertsweep.model.classifier import Classifier
from bertsweep.space import Scalar
from bertsweep.spec.hyperparameters import Hyperparameters
from bertsweep.system import SystemSampler
from bertsweep.tokens import Tokens, open_tokenizer, resplit
from bertsweep.training.compute import Compute, Devices
from bertsweep.training.trainer import Trainer
from bertsweep.trial.job import TrialJob
from bertsweep.trial.precision import choose, known

_REHEARSED_STEPS = 2
"""More than one, for a graph that takes several steps a call."""

_REHEARSED_ROWS = 2
"""Rows of a rehearsed batch on a CPU, which compiles nothing for the number of rows."""

_CONTEXT_MB = 1024
"""GPU memory that a CUDA context and its libraries take besides TensorFlow's own pool."""


class Workbench:
    """Encoder, classifier and trainer of a worker, built once and used for all its trials.

    Building takes seconds and tracing the graphs takes longer. Everything that differs between
    trials is a variable of these graphs or an argument of `Trainer.begin`, so that the next trial
    starts at once. `compute` is what the trials compute in, `vocabulary` the bytes of the encoder's
    vocabulary, `saving_seconds` the time that the last full state of a trial took to save.
    """

    def __init__(
        self, job: TrialJob, *, devices: Devices | None = None, stand_ins: Tokens | None = None
    ) -> None:
        """Builds for the job's encoder and rows; with `stand_ins` for these rows, until `open`.

        Raises `EncoderError` or `EnvironmentFault` where the cache is damaged.
        """
        self.encoder = PreparedEncoder.open(Path(job.encoder))
        self._waits = stand_ins is not None
        self._own = train, self.validation = (stand_ins, stand_ins) if stand_ins else _rows(job)
        devices = devices or all_gpus()
        with devices.scope():
            encoder = native.build(self.encoder)
            classifier = Classifier(encoder, self.encoder.config, classes=len(job.labels))
            self.trainer = Trainer(classifier, train, devices=devices)
        self.vocabulary = self.encoder.vocabulary.read_bytes()
        self.compute: dict[str, Any] = {}
        self.system = SystemSampler()
        self.saving_seconds = 0.0
        if not self._waits:
            self._use(choose(job, self.trainer, self.encoder.hash))

    @classmethod
    def rehearsed(cls, job: TrialJob, params: Mapping[str, Scalar]) -> Workbench:
        """A workbench built while the job's rows are still being tokenised, to be given to `open`.

        It trains on a few made-up rows with `params`, those of the trial that is likely to come
        first: that traces the graphs. It does not where the precision is still to be found by a
        probe on the job's own rows, as the probe traces them itself.
        """
        point = {**params, "epochs": 1}
        if not job.gpus and job.jit is not True:
            point["batch_size"] = _REHEARSED_ROWS
        hyperparameters = Hyperparameters.from_point(point)
        encoder = PreparedEncoder.open(Path(job.encoder))
        texts = ["A question to rehearse with?"] * (hyperparameters.batch_size * _REHEARSED_STEPS)
        pieces = open_tokenizer(encoder.vocabulary, lowercase=encoder.lowercase)
        rows = Tokens.from_texts(pieces, texts, texts if len(job.text) == 2 else None)
        labels = np.arange(rows.rows, dtype=np.int32) % len(job.labels)
        bench = cls(job, stand_ins=replace(rows, labels=labels, classes=len(job.labels)))
        compute = known(job, bench.trainer, encoder.hash)
        if compute is not None:
            bench._use(compute)
            bench.trainer.begin(hyperparameters, seed=0)
            bench.trainer.train(bench.trainer.total_steps)
            bench.trainer.evaluate(bench.validation)
        return bench

    def open(self, job: TrialJob) -> None:
        """Replaces the made-up rows of a rehearsed workbench by the job's; once, then nothing."""
        if self._waits:
            self._own = _rows(job)
            self.divide(None)
            self._use(choose(job, self.trainer, self.encoder.hash))
            self._waits = False

    def divide(self, seed: int | None) -> None:
        """Trains and validates on the job's own rows, or on another split of both, drawn by a seed.

        Takes effect with the next `Trainer.begin`.
        """
        rows = self._own if seed is None else resplit(*self._own, seed=seed)
        self.trainer.train_tokens, self.validation = rows

    def join(self) -> None:
        """Trains on training and validation rows together, likewise; `validation` stays."""
        self.trainer.train_tokens = Tokens.joined(*self._own)

    def _use(self, compute: dict[str, Any]) -> None:
        self.compute = compute
        self.trainer.use(Compute(compute["precision"], compute["jit"]))


def _rows(job: TrialJob) -> tuple[Tokens, Tokens]:
    folder = Path(job.tokens)
    return Tokens.open(folder, "train"), Tokens.open(folder, "validation")


def all_gpus() -> Devices:
    """Every GPU that Ray assigned to this process: one trial trains on all of them."""
    return Devices([gpu.name for gpu in tf.config.list_logical_devices("GPU")])


def set_up_devices(*, cpus: float, gpus: float) -> None:
    """Limits TensorFlow to the trial's share; must be called before TensorFlow uses a device.

    On whole GPUs memory is allocated as it is needed. Ray only counts fractions of a GPU and does
    not enforce them, so TensorFlow is limited to that fraction of the memory, less the context.
    """
    threads = max(1, int(cpus))
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    visible = tf.config.list_physical_devices("GPU")
    if gpus <= 0:
        tf.config.set_visible_devices([], "GPU")
        # Graph rewriting makes nothing here faster on a CPU and delays each graph's first call.
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
        return
    for gpu in visible:
        if gpus >= 1:
            tf.config.experimental.set_memory_growth(gpu, True)  # noqa: FBT003 - TensorFlow's own
        else:
            limit = gpus * _total_memory_mb(gpu) - _CONTEXT_MB
            tf.config.set_logical_device_configuration(
                gpu, [tf.config.LogicalDeviceConfiguration(memory_limit=limit)]
            )


def _total_memory_mb(gpu: object) -> float:
    from bertsweep.system import gpu_memory_mb

    index = tf.config.list_physical_devices("GPU").index(gpu)
    return gpu_memory_mb()[index]
