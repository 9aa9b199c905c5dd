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
from bertsweep.training.trainer import Trainer
from bertsweep.trial.job import TrialJob

_REHEARSED_STEPS = 2
"""More than one, for a graph that takes several steps a call."""

_CONTEXT_MB = 1024
"""What a CUDA context and its libraries take of a GPU besides TensorFlow's own pool."""


class Workbench:
    """Built once a worker; the trainer's graphs serve every trial of the sweep.

    `rows` stand in for those of the job while its tokens are not there yet. `saving_seconds` is
    what the last full state of a trial took to save.
    """

    def __init__(self, job: TrialJob, rows: Tokens | None = None) -> None:
        self.encoder = PreparedEncoder.open(Path(job.encoder))
        classifier = Classifier(native.build(self.encoder), classes=len(job.labels))
        self._tokens = "" if rows else job.tokens
        train, self.validation = (rows, rows) if rows else _rows(job)
        self.trainer = Trainer(classifier, train)
        self.system = SystemSampler()
        self.saving_seconds = 0.0

    @classmethod
    def rehearsed(cls, job: TrialJob, params: Mapping[str, Scalar]) -> Workbench:
        """A workbench that has trained and evaluated on stand-in rows: its graphs are traced.

        `params` are those of the trial that is likely to come first.
        """
        hyperparameters = Hyperparameters.from_point({**params, "epochs": 1})
        encoder = PreparedEncoder.open(Path(job.encoder))
        texts = ["A question to rehearse with?"] * (hyperparameters.batch_size * _REHEARSED_STEPS)
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


def _rows(job: TrialJob) -> tuple[Tokens, Tokens]:
    folder = Path(job.tokens)
    return Tokens.open(folder, "train"), Tokens.open(folder, "validation")


def set_up_devices(*, cpus: float, gpus: float) -> None:
    """Keeps TensorFlow to the trial's share; must run before TensorFlow touches a device.

    A whole GPU grows as needed. Ray's fractions are bookkeeping only, so a fraction of a GPU is
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
