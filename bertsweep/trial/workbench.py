"""What an actor keeps from trial to trial: encoder built, graphs traced, tokens mapped."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from bertsweep.encoders import PreparedEncoder, native
from bertsweep.model.classifier import Classifier
from bertsweep.system import SystemSampler
from bertsweep.tokens import Tokens
from bertsweep.training.compute import Compute, Devices
from bertsweep.training.trainer import Trainer
from bertsweep.trial.choice import choose
from bertsweep.trial.job import TrialJob

_CONTEXT_MB = 1024
"""What a CUDA context and its libraries take of a GPU besides TensorFlow's own pool."""


class Workbench:
    """Built once an actor; the trainer's graphs serve every trial of the sweep."""

    def __init__(self, job: TrialJob, *, devices: Devices | None = None) -> None:
        self.encoder = PreparedEncoder.open(Path(job.encoder))
        self.validation = Tokens.open(Path(job.tokens), "validation")
        train, devices = Tokens.open(Path(job.tokens), "train"), devices or all_gpus()
        with devices.scope():
            encoder = native.build(self.encoder)
            classifier = Classifier(encoder, self.encoder.config, classes=len(job.labels))
            self.trainer = Trainer(classifier, train, devices=devices)
        self.compute = choose(job, self.trainer, self.encoder.hash)
        self.trainer.use(Compute(self.compute["precision"], self.compute["jit"]))
        self.system = SystemSampler()


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
