"""What an actor keeps from trial to trial: encoder built, graphs traced, tokens mapped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import tensorflow as tf

from bertsweep.encoders import PreparedEncoder, native
from bertsweep.model.classifier import Classifier
from bertsweep.space import Scalar
from bertsweep.spec.hyperparameters import Hyperparameters
from bertsweep.system import SystemSampler
from bertsweep.tokens import Tokens, WordPieces
from bertsweep.training.compute import Compute, Devices
from bertsweep.training.trainer import Trainer
from bertsweep.trial.choice import choose
from bertsweep.trial.job import TrialJob

_REHEARSED_STEPS = 2
"""More than one, for a graph that takes several steps a call."""

_REHEARSED = "What would one ask in about as many words as people take for a question on the web?"

_CONTEXT_MB = 1024
"""What a CUDA context and its libraries take of a GPU besides TensorFlow's own pool."""


class Workbench:
    """Built once a worker; the trainer's graphs serve every trial of the sweep.

    `rows` stand in for those of the job while its tokens are not there yet. `saving_seconds` is
    what the last full state of a trial took to save.
    """

    def __init__(
        self, job: TrialJob, rows: Tokens | None = None, *, devices: Devices | None = None
    ) -> None:
        self.encoder = PreparedEncoder.open(Path(job.encoder))
        self._tokens = "" if rows else job.tokens
        train, self.validation = (rows, rows) if rows else _rows(job)
        devices = devices or all_gpus()
        with devices.scope():
            encoder = native.build(self.encoder)
            classifier = Classifier(encoder, self.encoder.config, classes=len(job.labels))
            self.trainer = Trainer(classifier, train, devices=devices)
        self._choose(job)
        self.system = SystemSampler()
        self.saving_seconds = 0.0

    @classmethod
    def rehearsed(cls, job: TrialJob, params: Mapping[str, Scalar]) -> Workbench:
        """A workbench that has trained and evaluated on stand-in rows: its graphs are traced.

        `params` are those of the trial that is likely to come first.
        """
        hyperparameters = Hyperparameters.from_point({**params, "epochs": 1})
        encoder = PreparedEncoder.open(Path(job.encoder))
        texts = [_REHEARSED] * (hyperparameters.batch_size * _REHEARSED_STEPS)
        pieces = WordPieces(encoder.vocabulary, encoder.lowercase)
        rows = Tokens.from_texts(pieces, texts, texts if job.text_columns == 2 else None)
        labels = np.arange(rows.rows, dtype=np.int32) % len(job.labels)
        bench = cls(job, replace(rows, labels=labels, classes=len(job.labels)))
        bench.trainer.begin(hyperparameters, seed=0)
        bench.trainer.train(bench.trainer.total_steps)
        bench.trainer.evaluate(bench.validation)
        return bench

    def open(self, job: TrialJob) -> None:
        """Puts the job's own rows in place of stand-ins; for the trial that begins next."""
        if self._tokens != job.tokens:
            self._tokens = job.tokens
            self.trainer.train_tokens, self.validation = _rows(job)
            self._choose(job)

    def _choose(self, job: TrialJob) -> None:
        self.compute = choose(job, self.trainer, self.encoder.hash)
        self.trainer.use(Compute(self.compute["precision"], self.compute["jit"]))


def _rows(job: TrialJob) -> tuple[Tokens, Tokens]:
    folder = Path(job.tokens)
    return Tokens.open(folder, "train"), Tokens.open(folder, "validation")


def all_gpus() -> Devices:
    """Every GPU that Ray gave this actor: one trial trains on all of them."""
    return Devices([gpu.name for gpu in tf.config.list_logical_devices("GPU")])


def set_up_devices(*, cpus: float, gpus: float) -> None:
    """Keeps TensorFlow to the trial's share; must run before TensorFlow touches a device.

    Whole GPUs grow as needed. Ray's fractions are bookkeeping only, so a fraction of a GPU is
    held to that fraction of its memory, less the context.
    """
    threads = max(1, int(cpus))
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    visible = tf.config.list_physical_devices("GPU")
    if gpus <= 0:
        tf.config.set_visible_devices([], "GPU")
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
