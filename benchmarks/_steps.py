"""The sides of `benchmarks.step`: each trains the same batches, or multiplies as they would."""

from __future__ import annotations

import collections
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks._inputs import SEED
from benchmarks._sides import Channel

LENGTH, BATCH, ENDLESS = 128, 32, 10_000
_CALLERS = ("Run", "Process")


def serve(task: str, config: Mapping[str, Any]) -> None:
    """Answers every turn with `steps` steps: seconds, examples, and arithmetic in FLOP."""
    channel = Channel()
    side = {"products": _Products, "layers": _Layers, "ours": _Ours}[task](config["job"])
    batches = side.batches()
    channel.send({"ready": True})
    while channel.receive() is not None:
        taken = [next(batches) for _ in range(config["steps"])]
        if config.get("profile"):
            channel.send(_profiled(side, taken))
            continue
        begun = time.perf_counter()
        side.run(taken)
        seconds = time.perf_counter() - begun
        channel.send({"seconds": seconds, **side.counted(taken), **side.more()})


class _Side:
    """A workbench of the job, whose sizes and tokens every side takes."""

    def __init__(self, job: Mapping[str, Any]) -> None:
        from bertsweep.spec.hyperparameters import Hyperparameters
        from bertsweep.trial.job import TrialJob
        from bertsweep.trial.workbench import Workbench, set_up_devices

        self.job = TrialJob.from_plain(job)
        set_up_devices(cpus=self.job.cpus, gpus=self.job.gpus)
        self.bench = Workbench(self.job)
        self.trainer, self.config = self.bench.trainer, self.bench.encoder.config
        self.lengths = self.trainer.train_tokens.lengths(LENGTH)
        self.trainer.begin(Hyperparameters(batch_size=BATCH, epochs=ENDLESS), seed=SEED)

    def batches(self) -> Any:
        """Row numbers of one batch after the other, as the trainer takes them."""
        from bertsweep.seeds import derive
        from bertsweep.training.batches import epoch_batches

        seed = derive(SEED, "batches")
        for epoch in range(ENDLESS):
            yield from epoch_batches(self.lengths, batch_size=BATCH, seed=seed, epoch=epoch)

    def run(self, batches: Sequence[Any]) -> None:
        raise AssertionError("a side says what it runs")

    def counted(self, batches: Sequence[Any]) -> dict[str, float]:
        """Rows; arithmetic of the model as it is written; that of products padded and pruned."""
        hidden, inner = self.config.hidden_size, self.config.intermediate_size
        layer, layers = 4 * hidden**2 + 2 * hidden * inner, self.config.num_layers
        real = sum(int(self.lengths[rows].sum()) for rows in batches)
        padded = sum(len(rows) * int(self.lengths[rows].max()) for rows in batches)
        first = sum(len(rows) for rows in batches)
        last = 2 * hidden**2 * padded + (layer - 2 * hidden**2) * first
        return {
            "examples": first,
            "arithmetic": 6.0 * layer * layers * real,
            "products": 6.0 * layer * layers * padded,
            "computed": 6.0 * (layer * (layers - 1) * padded + last),
        }

    def more(self) -> dict[str, float]:
        return {}


class _Ours(_Side):
    def run(self, batches: Sequence[Any]) -> None:
        self.trainer.train(self.trainer.step + len(batches))

    def more(self) -> dict[str, float]:
        """`null`: seconds a step of a model that adds up its input, 500 steps long."""
        import tensorflow as tf

        from bertsweep.training.steps import trace_training

        if not hasattr(self, "_null"):
            self._null = trace_training(
                lambda _, batch: tf.reduce_sum(tf.cast(batch.ids, tf.float32)), pair=False
            )
            self._null(self._feed(0), 0)
        begun = time.perf_counter()
        for first in range(0, 500, 50):
            float(self._null(self._feed(first), first))
        return {"null": (time.perf_counter() - begun) / 500}

    def _feed(self, first: int) -> Any:
        return self.trainer.feed([self.trainer._rows(first + step) for step in range(50)])


class _Products(_Side):
    """The products with the kernels of every layer, for as many rows as the batch has places."""

    def __init__(self, job: Mapping[str, Any]) -> None:
        import tensorflow as tf

        super().__init__(job)
        hidden, inner = self.config.hidden_size, self.config.intermediate_size
        dtype, layers = self.trainer.compute.dtype, self.config.num_layers
        shapes = [(hidden, 3 * hidden), (hidden, hidden), (hidden, inner), (inner, hidden)]
        kernels = [
            [tf.cast(tf.random.stateless_normal(shape, [n, 0]), dtype) for shape in shapes]
            for n in range(layers)
        ]

        def products(rows: Any) -> Any:
            sides = {
                size: tf.cast(tf.random.stateless_normal([rows, size], [size, 1]), dtype)
                for size in (hidden, 3 * hidden, inner)
            }
            total = tf.zeros([], dtype)
            for kernel in (kernel for layer in kernels for kernel in layer):
                # What went before is added in, or equal products would be computed but once.
                x = sides[kernel.shape[0]] + total
                y = sides[kernel.shape[1]] + total
                done = (
                    tf.matmul(x, kernel),
                    tf.matmul(y, kernel, transpose_b=True),
                    tf.matmul(x, y, transpose_a=True),
                )
                total = tf.add_n([one[0, 0] for one in done]) * 1e-6
            return total

        self._products = tf.function(
            products, input_signature=[tf.TensorSpec([], tf.int32)], autograph=False
        )

    def run(self, batches: Sequence[Any]) -> None:
        for rows in batches:
            total = self._products(len(rows) * int(self.lengths[rows].max()))
        float(total)


class _Layers(_Side):
    """Model Garden's encoder, Keras' dropout, head and Adam, and a graph call a step."""

    def __init__(self, job: Mapping[str, Any]) -> None:
        import tensorflow as tf
        import tf_keras

        super().__init__(job)
        # Theirs is a graph as TensorFlow rewrites it by itself.
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})
        encoder = self.trainer.classifier.encoder
        drop, head = tf_keras.layers.Dropout(0.5), tf_keras.layers.Dense(1)
        head.build([None, self.config.hidden_size])
        weights = [*encoder.trainable_variables, *head.trainable_variables]
        adam = tf_keras.optimizers.Adam(2e-5)
        adam.build(weights)
        ints = tf.TensorSpec([None, None], tf.int32)

        @tf.function(input_signature=[ints, ints, ints, tf.TensorSpec([None], tf.int32)])
        def step(ids: Any, mask: Any, types: Any, labels: Any) -> Any:
            names = ("input_word_ids", "input_mask", "input_type_ids")
            with tf.GradientTape() as tape:
                pooled = encoder(dict(zip(names, (ids, mask, types), strict=True)), training=True)
                logits = head(drop(pooled["pooled_output"], training=True))[:, 0]
                losses = tf.nn.sigmoid_cross_entropy_with_logits(
                    labels=tf.cast(labels, tf.float32), logits=logits
                )
                loss = tf.reduce_mean(losses)
            adam.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
            return loss

        self._step = step

    def run(self, batches: Sequence[Any]) -> None:
        tokens = self.trainer.train_tokens
        for rows in batches:
            loss = self._step(*tokens.batch(rows, max_seq_length=LENGTH), tokens.labels[rows])
        float(loss)


def _profiled(side: Any, batches: Sequence[Any]) -> dict[str, Any]:
    """`profile`: milliseconds a step by kind of operation, as TensorFlow's own profiler says."""
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    run: Callable[[Sequence[Any]], None] = side.run
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        run(batches)
        tf.profiler.experimental.stop()
        space = xplane_pb2.XSpace()
        (written,) = Path(folder).rglob("*.xplane.pb")
        space.ParseFromString(written.read_bytes())
    spent: collections.Counter[str] = collections.Counter()
    for plane in space.planes:
        for line in plane.lines if "CPU" in plane.name else ():
            for event in line.events:
                name = plane.event_metadata[event.metadata_id].name
                kind = name.rpartition(":")[2].partition("#")[0]
                # Operations are named NAME:KIND; what calls them has other names.
                if ":" in name and kind not in _CALLERS:
                    spent[kind] += event.duration_ps / 1e9 / len(batches)
    return {"profile": dict(spent), "examples": 1, "seconds": 1}


if __name__ == "__main__":
    sys.exit("run `python -m benchmarks.step`")
