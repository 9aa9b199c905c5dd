"""Trains and evaluates one trial after another on graphs that are traced once."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from bertsweep.errors import NonFiniteLossError
from bertsweep.model.classifier import Classifier, cross_entropy, probabilities
from bertsweep.model.optimizer import Adam
from bertsweep.seeds import derive
from bertsweep.spec.hyperparameters import Hyperparameters
from bertsweep.tokens import Tokens
from bertsweep.training.batches import (
    Rows,
    epoch_batches,
    evaluation_batches,
    steps_per_epoch,
)

Arrays = dict[str, np.ndarray[Any, Any]]

EVALUATION_ROWS = 64
"""Rows an evaluation batch: enough to fill the device, few enough for the caches of a CPU."""

_LOSS_CHECK_STEPS = 50
"""Steps between looks at the loss: each look waits for the device."""

_INT = tf.TensorSpec([None, None], tf.int32)


@dataclass(frozen=True)
class Training:
    """What a stretch of training steps did: mean loss, rows trained on, and seconds taken."""

    loss: float
    examples: int
    seconds: float
    learning_rate: float


@dataclass(frozen=True)
class Evaluation:
    """Row labels int32 [rows], probabilities float64 as `probabilities` gives them, mean loss."""

    labels: np.ndarray[Any, Any]
    probabilities: np.ndarray[Any, Any]
    loss: float


class Trainer:
    """One encoder on one data set; `begin` starts a trial, whatever was trained before it."""

    def __init__(self, classifier: Classifier, train: Tokens) -> None:
        self.classifier = classifier
        self.adam = Adam(classifier.weights)
        self.train_tokens = train
        self.class_weights = tf.Variable(tf.ones([classifier.classes]), trainable=False)
        self.smoothing = tf.Variable(0.0, trainable=False)
        self._train_steps: dict[int | str, Callable[..., Any]] = {}
        self._forward = trace_forward(classifier)

    def begin(self, hyperparameters: Hyperparameters, *, seed: int) -> None:
        """Sets every variable to what the trial's parameters and seed decide."""
        self.hyperparameters = hyperparameters
        self.seed = seed
        self.steps_per_epoch = steps_per_epoch(self.train_tokens.rows, hyperparameters.batch_size)
        self.total_steps = self.steps_per_epoch * hyperparameters.epochs
        self.classifier.reset(seed=derive(seed, "head"), dropout=hyperparameters.dropout)
        self.adam.reset(
            learning_rate=hyperparameters.learning_rate,
            weight_decay=hyperparameters.weight_decay,
            schedule=hyperparameters.schedule,
            warmup=hyperparameters.warmup,
            total_steps=self.total_steps,
        )
        self.smoothing.assign(hyperparameters.label_smoothing)
        self.class_weights.assign(self._balance())
        self._lengths = self.train_tokens.lengths(hyperparameters.max_seq_length)
        self._epoch, self._batches = -1, list[Rows]()
        self.step = 0

    def train(self, until: int) -> Training:
        """Trains up to optimizer step `until`, counted from the trial's start.

        Raises `NonFiniteLossError` when the loss is NaN or infinite.
        """
        begun, examples, losses = time.perf_counter(), 0, []
        train_step = self._train_step()
        first = self.step
        while self.step < until:
            rows = self._rows(self.step)
            losses.append(train_step(*self._batch(rows), self.train_tokens.labels[rows]))
            examples += len(rows)
            self.step += 1
            if (self.step - first) % _LOSS_CHECK_STEPS == 0:
                self._check(float(losses[-1]))
        loss = float(np.mean([float(value) for value in losses]))
        self._check(loss)
        rate = float(self.adam.rate())
        return Training(loss, examples, time.perf_counter() - begun, rate)

    def evaluate(self, tokens: Tokens) -> Evaluation:
        """Probabilities and mean cross-entropy on every row of `tokens`, in their order."""
        length = self.hyperparameters.max_seq_length
        return evaluate(self._forward, tokens, max_seq_length=length)

    def state(self) -> Arrays:
        """Everything the next step depends on, as named arrays."""
        arrays = {f"weights/{name}": v.numpy() for name, v in self.classifier.weights.items()}
        arrays |= {f"first/{name}": v.numpy() for name, v in self.adam.first.items()}
        arrays |= {f"second/{name}": v.numpy() for name, v in self.adam.second.items()}
        for index, generator in enumerate(self.classifier.generators):
            arrays[f"generator/{index}"] = generator.state.numpy()
        return arrays | {"step": np.array([self.step], dtype=np.int64)}

    def restore(self, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Brings back what `state` gave; `begin` must have set the trial's parameters."""
        prefix = "weights/"
        self.classifier.load(
            {name[len(prefix) :]: a for name, a in arrays.items() if name.startswith(prefix)}
        )
        for name in self.adam.first:
            self.adam.first[name].assign(arrays[f"first/{name}"])
            self.adam.second[name].assign(arrays[f"second/{name}"])
        for index, generator in enumerate(self.classifier.generators):
            generator.state.assign(arrays[f"generator/{index}"])
        self.step = int(arrays["step"][0])
        self.adam.step.assign(self.step)

    def _batch(self, rows: Rows) -> tuple[Any, Any, Any]:
        length = self.hyperparameters.max_seq_length
        return self.train_tokens.batch(rows, max_seq_length=length)

    def _rows(self, step: int) -> Rows:
        epoch, position = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._batches = epoch_batches(
                self._lengths,
                batch_size=self.hyperparameters.batch_size,
                seed=derive(self.seed, "batches"),
                epoch=epoch,
            )
            self._epoch = epoch
        return self._batches[position]

    def _balance(self) -> np.ndarray[Any, Any]:
        """A weight for each class; balanced ones as scikit-learn's `compute_class_weight`."""
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

    def _train_step(self) -> Callable[..., Any]:
        layers = self.hyperparameters.trainable_layers
        if layers not in self._train_steps:
            self._train_steps[layers] = self._trace_train_step(layers)
        return self._train_steps[layers]

    def _trace_train_step(self, layers: int | str) -> Callable[..., Any]:
        weights = self.classifier.trained(layers)
        classes = self.classifier.classes

        @tf.function(input_signature=[_INT, _INT, _INT, tf.TensorSpec([None], tf.int32)])
        def train_step(word_ids: Any, mask: Any, type_ids: Any, labels: Any) -> Any:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(list(weights.values()))
                logits = self.classifier.logits(word_ids, mask, type_ids, training=True)
                rows = cross_entropy(logits, labels, classes=classes, smoothing=self.smoothing)
                loss = tf.reduce_mean(rows * tf.gather(self.class_weights, labels))
            self.adam.apply(tape.gradient(loss, weights), weights)
            return loss

        return train_step


def trace_forward(classifier: Classifier) -> Callable[..., Any]:
    """A graph from word ids, mask and type ids, int32 [rows, width] each, to logits."""

    @tf.function(input_signature=[_INT, _INT, _INT])
    def forward(word_ids: Any, mask: Any, type_ids: Any) -> Any:
        return classifier.logits(word_ids, mask, type_ids, training=False)

    return forward


def evaluate(forward: Callable[..., Any], tokens: Tokens, *, max_seq_length: int) -> Evaluation:
    """Runs `forward` over every row of `tokens`; results stand in the order of the rows."""
    batches = evaluation_batches(tokens.lengths(max_seq_length), batch_size=EVALUATION_ROWS)
    outputs = [forward(*tokens.batch(rows, max_seq_length=max_seq_length)) for rows in batches]
    gathered = np.concatenate([output.numpy() for output in outputs])
    logits = np.empty_like(gathered)
    logits[np.concatenate(batches)] = gathered
    labels = np.asarray(tokens.labels)
    classes = 2 if logits.ndim == 1 else logits.shape[1]
    losses = cross_entropy(tf.constant(logits), tf.constant(labels), classes=classes)
    return Evaluation(labels, probabilities(logits), float(tf.reduce_mean(losses)))
