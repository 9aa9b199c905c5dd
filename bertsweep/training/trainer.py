"""Trains and evaluates one trial after another, on graphs that are traced once."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from bertsweep.errors import NonFiniteLossError
from bertsweep.model import layer_rates
from bertsweep.model.adam import Adam
from bertsweep.model.classifier import WORD_EMBEDDINGS, Classifier
from bertsweep.seeds import derive
from bertsweep.spec.hyperparameters import Hyperparameters, Pooling
from bertsweep.tokens import RowNumbers, Tokens
from bertsweep.training.averaging import MovingAverage, interval, replaced
from bertsweep.training.batches import epoch_batches, random_batches, steps_per_epoch
from bertsweep.training.compute import WIDTH_STEP, Compute, Devices
from bertsweep.training.evaluating import CALL_STEPS, Evaluation, evaluate
from bertsweep.training.feed import Feed, Multiples, make_feed
from bertsweep.training.packed import PackedFeed, make_packed_feed, trace_packed_training
from bertsweep.training.scaling import LossScale
from bertsweep.training.steps import Form, Settings, TrainStep, trace_forward, trace_training

Arrays = dict[str, np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Training:
    """Training steps in numbers: mean loss, rows, seconds, and the learning rate of the last."""

    loss: float
    examples: int
    seconds: float
    learning_rate: float


class Trainer:
    """Trains a classifier on one data set; `begin` starts a trial, whatever was trained before.

    What differs between trials is in variables that the graphs read; only another `Form` of the
    step or another `Compute` traces a new graph. The classifier and the trainer must be created in
    the scope of `devices`.
    """

    def __init__(
        self,
        classifier: Classifier,
        train: Tokens,
        *,
        compute: Compute | None = None,
        devices: Devices | None = None,
    ) -> None:
        self.classifier = classifier
        layers = classifier.config.num_layers
        groups = layer_rates.groups(classifier.weights, layers=layers)
        self.adam = Adam(classifier.weights, embeddings=WORD_EMBEDDINGS, groups=groups)
        self.train_tokens = train
        self.settings = Settings(classes=classifier.classes)
        self.devices = devices or Devices()
        self._scale = LossScale()
        self._average: MovingAverage | None = None
        self._averages: MovingAverage | None = None  # kept for the next trial that averages
        self._pair = train.second is not None
        self._graphs: dict[tuple[Compute, Form], Callable[[Any, Any], Any]] = {}
        self._forwards: dict[tuple[Compute, Pooling], Callable[[Feed], Any]] = {}
        self._catch_up = tf.function(
            lambda steps: self.devices.run(self._caught_up, steps),
            input_signature=[tf.TensorSpec([], tf.int32)],
            autograph=False,
        )
        self.use(compute or Compute())

    def use(self, compute: Compute) -> None:
        """Computes in this way from now on; graphs that were traced for another way are kept."""
        self.compute = compute
        self.classifier.compute_in(compute.dtype, jit=compute.jit)

    def begin(self, hyperparameters: Hyperparameters, *, seed: int) -> None:
        """Resets every variable to its value at the start of a trial with this seed."""
        self.hyperparameters = hyperparameters
        self.seed = seed
        self.steps_per_epoch = steps_per_epoch(self.train_tokens.rows, hyperparameters.batch_size)
        self.total_steps = self.steps_per_epoch * hyperparameters.epochs
        self.form = Form.of(hyperparameters, jit=self.compute.jit)
        self.classifier.reset(
            seed=derive(seed, "head"),
            dropout=hyperparameters.dropout,
            reinit_layers=hyperparameters.reinit_layers,
        )
        self.adam.begin(
            learning_rate=hyperparameters.learning_rate,
            weight_decay=hyperparameters.weight_decay,
            schedule=hyperparameters.schedule,
            warmup=hyperparameters.warmup,
            total_steps=self.total_steps,
            rates=layer_rates.factors(
                layers=self.classifier.config.num_layers,
                decay=hyperparameters.layer_decay,
                head=hyperparameters.head_learning_rate,
            ),
        )
        parts = hyperparameters.accumulate * self.devices.count
        self.settings.part_rows.assign(-(-hyperparameters.batch_size // parts))
        self.settings.clip_norm.assign(hyperparameters.clip_norm)
        self.settings.smoothing.assign(hyperparameters.label_smoothing)
        self.settings.class_weights.assign(self._balance())
        self.settings.dropout_key.assign([derive(seed, "dropout")])
        self._scale.reset()
        self._begin_average()
        self._lengths = self.train_tokens.lengths(hyperparameters.max_seq_length)
        self._epoch, self._batches = -1, list[RowNumbers]()
        self.step = 0

    def train(self, until: int) -> Training:
        """Trains up to optimizer step `until`, counted from the trial's start.

        Raises `NonFiniteLossError` when the loss is NaN or infinite.
        """
        begun, first, examples, losses = time.perf_counter(), self.step, 0, 0.0
        graph = self._graph()
        while self.step < until:
            count = min(CALL_STEPS, until - self.step)
            if self._average is not None:
                count = min(count, self._every - self.step % self._every)
            batches = [self._rows(step) for step in range(self.step, self.step + count)]
            feed = self.feed(batches)
            total = float(graph(feed, self.step))
            self.step += count
            examples += sum(map(len, batches))
            losses += total
            self._check(total / count)
            if self._average is not None and self.step % self._every == 0:
                if self._trains_embeddings:
                    self._catch_up(self.step)
                self._average.update(self.step // self._every - 1)
        if self._trains_embeddings:
            # Embeddings that the last batches did not use are behind, and evaluation may use them.
            self._catch_up(self.step)
        rate = self.adam.steps.rate(self.step)
        loss = losses / max(self.step - first, 1)
        return Training(loss, examples, time.perf_counter() - begun, rate)

    def feed(self, batches: Sequence[RowNumbers]) -> Feed | PackedFeed:
        """Returns training batches (row numbers each) in the form that the trial's graph takes."""
        length = self.hyperparameters.max_seq_length
        if self.form.packed:
            return make_packed_feed(
                self.train_tokens, batches, max_seq_length=length, multiple=self.devices.count
            )
        return make_feed(
            self.train_tokens, batches, max_seq_length=length, multiples=self._multiples()
        )

    def evaluate(self, tokens: Tokens) -> Evaluation:
        """Returns probabilities and mean cross-entropy on the rows of `tokens`, in their order."""
        length = self.hyperparameters.max_seq_length
        return evaluate(self.forward(self.form.pooling), tokens, max_seq_length=length)

    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """The moving average in the classifier, where the trial has one; its own weights return."""
        with contextlib.nullcontext() if self._average is None else self._average.in_place():
            yield

    @contextlib.contextmanager
    def holding(self, weights: Mapping[str, np.ndarray[Any, Any]]) -> Iterator[None]:
        """Other weights in the classifier for a while; those of the training return."""
        with replaced(self.classifier.weights, weights):
            yield

    def state(self) -> Arrays:
        """Returns everything that the next step depends on, as named arrays."""
        arrays = {f"weights/{name}": v.numpy() for name, v in self.classifier.weights.items()}
        arrays |= self._scale.state() | self.adam.state()
        arrays |= {} if self._average is None else self._average.state()
        return arrays | {"step": np.array([self.step], dtype=np.int64)}

    def restore(self, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Restores what `state` returned, after `begin` with the same parameters and seed."""
        prefix = "weights/"
        self.classifier.load(
            {name[len(prefix) :]: a for name, a in arrays.items() if name.startswith(prefix)}
        )
        self.step = int(arrays["step"][0])
        self.adam.restore(arrays, step=self.step)
        self._scale.restore(arrays)
        if self._average is not None:
            self._average.restore(arrays)

    def _begin_average(self) -> None:
        self._every = interval(self.steps_per_epoch)
        if self.hyperparameters.average != "ema":
            self._average = None
            return
        weights = self.classifier.trained(self.form.layers, self.form.pooling)
        if self._averages is None or not self._averages.averages(list(weights)):
            self._averages = MovingAverage(weights)
        self._average = self._averages
        self._average.begin()

    def _caught_up(self, _: Any, steps: Any) -> None:
        self.adam.catch_up(steps)

    @property
    def _trains_embeddings(self) -> bool:
        return WORD_EMBEDDINGS in self.classifier.trained(self.form.layers, self.form.pooling)

    def _multiples(self) -> Multiples | None:
        batch_size, devices = self.hyperparameters.batch_size, self.devices.count
        if self.compute.jit:
            return Multiples(math.lcm(batch_size, devices), WIDTH_STEP)
        return Multiples(devices, 1) if devices > 1 else None

    def _rows(self, step: int) -> RowNumbers:
        epoch, position = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            size, seed = self.hyperparameters.batch_size, derive(self.seed, "batches")
            if self.hyperparameters.batches == "random":
                rows = len(self._lengths)
                self._batches = random_batches(rows, batch_size=size, seed=seed, epoch=epoch)
            else:
                self._batches = epoch_batches(
                    self._lengths, batch_size=size, seed=seed, epoch=epoch
                )
            self._epoch = epoch
        return self._batches[position]

    def _balance(self) -> np.ndarray[Any, Any]:
        """Returns class weights, balanced as scikit-learn's `compute_class_weight` does it."""
        classes = self.classifier.classes
        if self.hyperparameters.class_weight == "none":
            return np.ones(classes, dtype=np.float32)
        counts = np.bincount(self.train_tokens.labels, minlength=classes)
        weights = self.train_tokens.rows / (classes * np.maximum(counts, 1))
        return np.asarray(weights, dtype=np.float32)

    def _check(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise NonFiniteLossError(
                f"the training loss became {loss} by step {self.step} of {self.total_steps}; "
                f"a learning rate below {self.hyperparameters.learning_rate:g} may help"
            )

    def _graph(self) -> Callable[[Any, Any], Any]:
        key = (self.compute, self.form)
        if key not in self._graphs:
            step = TrainStep(
                self.classifier,
                self.adam,
                self.settings,
                self._scale if self.compute.scales else None,
                form=self.form,
                jit=self.compute.jit,
                devices=self.devices,
            )
            trace = trace_packed_training if self.form.packed else trace_training
            self._graphs[key] = trace(step, pair=self._pair)
        return self._graphs[key]

    def forward(self, pooling: Pooling) -> Callable[[Feed], Any]:
        """Returns the graph from a feed to logits, in the present way of computing."""
        key = (self.compute, pooling)
        if key not in self._forwards:
            self._forwards[key] = trace_forward(self.classifier, pair=self._pair, pooling=pooling)
        return self._forwards[key]
