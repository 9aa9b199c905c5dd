"""The graphs of a trainer: one call takes many training steps, or evaluates many batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from bertsweep.model.adam import Adam
from bertsweep.model.classifier import WORD_EMBEDDINGS, Classifier, cross_entropy
from bertsweep.model.layers import Dropout
from bertsweep.training.compute import Devices
from bertsweep.training.feed import SIGNATURE, Batch, Feed, cut_batch
from bertsweep.training.scaling import LossScale

Step = Callable[[Any, Batch], Any]


class Settings:
    """What a trial chooses of its loss and its random numbers.

    They are variables that the graphs read, so that the next trial needs no new graph.
    """

    def __init__(self, *, classes: int) -> None:
        self.class_weights = tf.Variable(tf.ones([classes]), trainable=False)
        self.smoothing = tf.Variable(0.0, trainable=False)
        self.dropout_key = tf.Variable([0], trainable=False, dtype=tf.int64)


class TrainStep:
    """One optimizer step on a batch, of which each device computes its share of the rows.

    `layers` are the encoder layers to train, as in `Hyperparameters.trainable_layers`.
    """

    def __init__(
        self,
        classifier: Classifier,
        adam: Adam,
        settings: Settings,
        scale: LossScale | None,
        *,
        layers: int | str,
        jit: bool,
        devices: Devices,
    ) -> None:
        self._classifier, self._adam, self._settings = classifier, adam, settings
        self._scale, self._devices = scale, devices
        weights = classifier.trained(layers)
        self._embeddings = adam.embeddings if WORD_EMBEDDINGS in weights else None
        self._dense = {name: v for name, v in weights.items() if name != WORD_EMBEDDINGS}
        self._update, self._differentiate = self._updated, self._differentiated
        if jit:
            compiled = tf.function(jit_compile=True, autograph=False)
            self._update = compiled(self._updated)
            self._differentiate = compiled(self._differentiated)

    def __call__(self, number: Any, batch: Batch) -> Any:
        """Takes step `number` (an int32 scalar, from 0) and returns the batch's mean loss."""
        return self._devices.run(self._on_device, number, batch)

    def _on_device(self, replica: Any, number: Any, batch: Batch) -> Any:
        if self._embeddings is None:
            words = self._classifier.words(batch.ids)
            return self._learn(replica, number, batch, words)[0]
        # Only the rows of the table that this batch uses are read, differentiated and updated.
        ids, places = tf.unique(tf.reshape(batch.ids, [-1]))
        rows = self._embeddings.rows(ids, number)
        words = tf.gather(rows.weights, tf.reshape(places, tf.shape(batch.ids)))
        loss, by_place = self._learn(replica, number, batch, words)
        flat = tf.reshape(by_place, [-1, tf.shape(words)[-1]])
        gradient = tf.math.unsorted_segment_sum(flat, places, tf.size(ids))
        self._embeddings.apply(number, ids, rows, gradient)
        return loss

    def _learn(self, replica: Any, number: Any, batch: Batch, words: Any) -> tuple[Any, Any]:
        """Updates every weight but the word embeddings; returns loss and gradient by `words`."""
        devices = self._devices
        if devices.count == 1:
            return self._update(number, batch, words)
        mine = Batch(*(devices.part(value, replica) for value in batch))
        count = _rows(batch)
        part = devices.part(words, replica)
        loss, by_word, gradients = self._differentiate(number, mine, part, count, replica)
        loss, gradients = devices.total((loss, gradients))
        return loss, self._applied(number, devices.all_gather(by_word), gradients)

    def _updated(self, number: Any, batch: Batch, words: Any) -> tuple[Any, Any]:
        count = _rows(batch)
        loss, by_word, gradients = self._differentiated(number, batch, words, count, 0)
        return loss, self._applied(number, by_word, gradients)

    def _applied(self, number: Any, by_word: Any, gradients: dict[str, Any]) -> Any:
        if self._scale is not None:
            by_word, gradients = self._scale.undo(by_word, gradients)
        self._adam.apply(number, gradients)
        return by_word

    def _differentiated(
        self, number: Any, batch: Batch, words: Any, count: Any, replica: Any
    ) -> tuple[Any, Any, dict[str, Any]]:
        """Returns the loss and its gradients by `words` and by every trained weight.

        The loss is the sum over the batch's rows divided by `count`, the rows of the whole batch,
        so that the sums over replicas are the mean. Without embeddings to train, the gradient by
        `words` is empty.
        """
        settings, classifier = self._settings, self._classifier
        key = tf.cast(settings.dropout_key, tf.uint64)
        dropout = Dropout.of_step(key, number, replica=replica)
        # Watched by name, so that no gradient is computed for frozen layers.
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(list(self._dense.values()))
            tape.watch(words)
            logits = classifier.logits(words, batch.mask, batch.types, dropout)
            losses = cross_entropy(
                logits, batch.labels, classes=classifier.classes, smoothing=settings.smoothing
            )
            weights = tf.gather(settings.class_weights, batch.labels) * _real(batch)
            loss = tf.reduce_sum(losses * weights) / count
            scaled = loss if self._scale is None else self._scale.apply(loss)
        watched = {
            **self._dense,
            **({WORD_EMBEDDINGS: words} if self._embeddings is not None else {}),
        }
        gradients = {
            name: tf.convert_to_tensor(gradient)
            for name, gradient in tape.gradient(scaled, watched).items()
        }
        return loss, gradients.pop(WORD_EMBEDDINGS, tf.zeros([0])), gradients


def _real(batch: Batch) -> Any:
    """Returns float32 [rows]: 1 for rows of the data, 0 for those that only fill up the batch."""
    return tf.cast(batch.mask[:, 0], tf.float32)


def _rows(batch: Batch) -> Any:
    return tf.reduce_sum(_real(batch))


def trace_training(step: Step, *, pair: bool) -> Callable[[Feed, Any], Any]:
    """Returns a graph that takes a step on every batch of a feed; `first` numbers the first one.

    Its result is the sum of the losses, which is not finite if one of them was not.
    """

    @tf.function(input_signature=[SIGNATURE, tf.TensorSpec([], tf.int32)], autograph=False)
    def train(feed: Feed, first: Any) -> Any:
        def body(index: Any, place: Any, row: Any, total: Any) -> Any:
            loss = step(first + index, cut_batch(feed, index, place, row, pair=pair))
            rows = feed.rows[index]
            return index + 1, place + rows * feed.widths[index], row + rows, total + loss

        return tf.while_loop(
            lambda index, *_: index < tf.size(feed.rows),
            body,
            [tf.constant(0), tf.constant(0), tf.constant(0), tf.constant(0.0)],
            parallel_iterations=1,
        )[-1]

    return train


def trace_forward(classifier: Classifier, *, pair: bool) -> Callable[[Feed], Any]:
    """Returns a graph from a feed to the logits of all batches, without dropout.

    They are [rows] for two classes and [rows, classes] for more, in the order of the feed.
    """

    @tf.function(input_signature=[SIGNATURE], autograph=False)
    def forward(feed: Feed) -> Any:
        def body(index: Any, place: Any, row: Any, outputs: Any) -> Any:
            batch = cut_batch(feed, index, place, row, pair=pair)
            logits = classifier.logits(classifier.words(batch.ids), batch.mask, batch.types)
            rows = feed.rows[index]
            outputs = outputs.write(index, logits)
            return index + 1, place + rows * feed.widths[index], row + rows, outputs

        count = tf.size(feed.rows)
        outputs = tf.TensorArray(tf.float32, size=count, infer_shape=False)
        start = [tf.constant(0), tf.constant(0), tf.constant(0), outputs]
        end = tf.while_loop(lambda index, *_: index < count, body, start, parallel_iterations=1)
        return end[-1].concat()

    return forward
