"""The graphs of a trainer: one call takes many training steps, or evaluates many batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from bertsweep.model.adam import Adam
from bertsweep.model.classifier import WORD_EMBEDDINGS, Classifier, cross_entropy
from bertsweep.model.layers import Dropout
from bertsweep.spec.hyperparameters import Hyperparameters, Pooling
from bertsweep.training.compute import Devices
from bertsweep.training.feed import SIGNATURE, Batch, Feed, cut_batch
from bertsweep.training.packed import PackedBatch
from bertsweep.training.scaling import LossScale

AnyBatch = Batch | PackedBatch
Step = Callable[[Any, Batch], Any]


@dataclass(frozen=True)
class Form:
    """What a trial's parameters change about the operations of a step: each form is a graph.

    `layers` is `Hyperparameters.trainable_layers`. What is off costs no operation: `rates` (groups
    of weights have their own learning rate), `clips` and `parts` (a batch is computed in several).
    By how much, is in variables. With `packed`, the rows of a batch share sequences.
    """

    layers: int | str = "all"
    pooling: Pooling = "pooled"
    rates: bool = False
    clips: bool = False
    parts: bool = False
    packed: bool = False

    @classmethod
    def of(cls, parameters: Hyperparameters, *, jit: bool = False) -> Form:
        """The form of a trial with these parameters.

        With XLA nothing is packed: there would be too many shapes to compile.
        """
        return cls(
            layers=parameters.trainable_layers,
            pooling=parameters.pooling,
            rates=(parameters.layer_decay, parameters.head_learning_rate) != (1.0, 1.0),
            clips=parameters.clip_norm > 0,
            parts=parameters.accumulate > 1,
            packed=parameters.batches == "random" and not jit,
        )


class Settings:
    """What a trial chooses of its loss, its gradients and its random numbers.

    They are variables that the graphs read, so that the next trial needs no new graph.
    """

    def __init__(self, *, classes: int) -> None:
        self.class_weights = tf.Variable(tf.ones([classes]), trainable=False)
        self.smoothing = tf.Variable(0.0, trainable=False)
        self.dropout_key = tf.Variable([0], trainable=False, dtype=tf.int64)
        self.clip_norm = tf.Variable(0.0, trainable=False)
        self.part_rows = tf.Variable(1, trainable=False, dtype=tf.int32)


class TrainStep:
    """One optimizer step on a batch, of which each device computes its share of the rows."""

    def __init__(
        self,
        classifier: Classifier,
        adam: Adam,
        settings: Settings,
        scale: LossScale | None,
        *,
        form: Form,
        jit: bool,
        devices: Devices,
    ) -> None:
        self._classifier, self._adam, self._settings = classifier, adam, settings
        self._scale, self._devices, self._form = scale, devices, form
        weights = classifier.trained(form.layers, form.pooling)
        self._embeddings = adam.embeddings if WORD_EMBEDDINGS in weights else None
        self._dense = {name: v for name, v in weights.items() if name != WORD_EMBEDDINGS}
        self._update, self._differentiate = self._updated, self._differentiated
        if jit:
            compiled = tf.function(jit_compile=True, autograph=False)
            self._update = compiled(self._updated)
            self._differentiate = compiled(self._differentiated)

    def __call__(self, number: Any, batch: AnyBatch) -> Any:
        """Takes step `number` (an int32 scalar, from 0) and returns the batch's mean loss."""
        return self._devices.run(self._on_device, number, batch)

    def _on_device(self, replica: Any, number: Any, batch: AnyBatch) -> Any:
        if self._embeddings is None:
            words = self._classifier.words(batch.ids)
            return self._learn(replica, number, batch, words, lambda none: none)[0]
        # Only the rows of the table that this batch uses are read, differentiated and updated.
        ids, places = tf.unique(tf.reshape(batch.ids, [-1]))
        rows = self._embeddings.rows(ids, number)
        words = tf.gather(rows.weights, tf.reshape(places, tf.shape(batch.ids)))

        def by_row(by_place: Any) -> Any:
            flat = tf.reshape(by_place, [-1, tf.shape(words)[-1]])
            return tf.math.unsorted_segment_sum(flat, places, tf.size(ids))

        loss, gradient = self._learn(replica, number, batch, words, by_row)
        self._embeddings.apply(number, ids, rows, gradient)
        return loss

    def _learn(
        self, replica: Any, number: Any, batch: AnyBatch, words: Any, by_row: Callable[[Any], Any]
    ) -> tuple[Any, Any]:
        """Updates every weight but the word embeddings; returns the loss and their gradient.

        `by_row` makes the gradient by `words` one by the rows of the table.
        """
        devices = self._devices
        if devices.count == 1 and not (self._form.clips or self._form.parts):
            loss, by_word = self._update(number, batch, words)
            return loss, by_row(by_word)
        mine = batch
        if devices.count > 1:
            share = tf.shape(batch.ids)[0] // devices.count
            mine = batch.between(replica * share, (replica + 1) * share)
        count = _rows(batch)
        part = devices.part(words, replica)
        loss, by_word, gradients = self._in_parts(number, mine, part, count, replica)
        loss, gradients = devices.total((loss, gradients))
        by_word, gradients = self._unscaled(devices.all_gather(by_word), gradients)
        gradient = by_row(by_word)
        if self._form.clips:
            # Of word pieces that occur more than once, the norm is that of the sum.
            every = [gradient, *gradients.values()]
            (gradient, *rest), _ = tf.clip_by_global_norm(every, self._settings.clip_norm)
            gradients = dict(zip(gradients, rest, strict=True))
        self._adam.apply(number, gradients, grouped=self._form.rates)
        return loss, gradient

    def _updated(self, number: Any, batch: AnyBatch, words: Any) -> tuple[Any, Any]:
        count = _rows(batch)
        loss, by_word, gradients = self._differentiated(number, batch, words, count, 0)
        by_word, gradients = self._unscaled(by_word, gradients)
        self._adam.apply(number, gradients, grouped=self._form.rates)
        return loss, by_word

    def _unscaled(self, by_word: Any, gradients: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        return (by_word, gradients) if self._scale is None else self._scale.undo(by_word, gradients)

    def _in_parts(
        self, number: Any, batch: AnyBatch, words: Any, count: Any, replica: Any
    ) -> tuple[Any, Any, dict[str, Any]]:
        """What `_differentiated` returns; with `parts`, summed over some rows after the others."""
        if not self._form.parts:
            return self._differentiate(number, batch, words, count, replica)
        rows, most = tf.shape(words)[0], self._settings.part_rows.read_value()
        if self._form.packed:  # as large a share of the sequences as it would be of the rows
            most = tf.maximum(rows * most // tf.maximum(tf.size(batch.labels), 1), 1)

        def body(part: Any, start: Any, loss: Any, by_words: Any, sums: Any) -> Any:
            end = tf.minimum(start + most, rows)
            some = batch.between(start, end)
            found, by_word, gradients = self._differentiate(
                number, some, words[start:end], count, replica, part
            )
            sums = {name: total + gradients[name] for name, total in sums.items()}
            return part + 1, end, loss + found, by_words.write(part, by_word), sums

        by_words = tf.TensorArray(tf.float32, size=0, dynamic_size=True, infer_shape=False)
        zeros = {name: tf.zeros_like(weight) for name, weight in self._dense.items()}
        begun = [tf.constant(0), tf.constant(0), tf.constant(0.0), by_words, zeros]
        ended = tf.while_loop(
            lambda part, start, *_: start < rows, body, begun, parallel_iterations=1
        )
        return ended[2], ended[3].concat(), ended[4]

    def _differentiated(
        self, number: Any, batch: AnyBatch, words: Any, count: Any, replica: Any, part: Any = None
    ) -> tuple[Any, Any, dict[str, Any]]:
        """Returns the loss and its gradients by `words` and by every trained weight.

        The loss is the sum over the batch's rows divided by `count`, the rows of the whole batch,
        so that the sums over replicas and parts are the mean. Without embeddings to train, the
        gradient by `words` is empty.
        """
        settings, classifier = self._settings, self._classifier
        key = tf.cast(settings.dropout_key, tf.uint64)
        dropout = Dropout.of_step(key, number, replica=replica, part=part)
        # Watched by name, so that no gradient is computed for frozen layers.
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(list(self._dense.values()))
            tape.watch(words)
            logits = classifier.logits(
                words,
                batch.mask,
                batch.types,
                dropout,
                pooling=self._form.pooling,
                packing=batch.packing,
            )
            losses = cross_entropy(
                logits, batch.labels, classes=classifier.classes, smoothing=settings.smoothing
            )
            weights = tf.gather(settings.class_weights, batch.labels) * batch.real()
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


def _rows(batch: AnyBatch) -> Any:
    return tf.reduce_sum(batch.real())


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


def trace_forward(
    classifier: Classifier, *, pair: bool, pooling: Pooling = "pooled"
) -> Callable[[Feed], Any]:
    """Returns a graph from a feed to the logits of all batches, without dropout.

    They are [rows] for two classes and [rows, classes] for more, in the order of the feed.
    """

    @tf.function(input_signature=[SIGNATURE], autograph=False)
    def forward(feed: Feed) -> Any:
        def body(index: Any, place: Any, row: Any, outputs: Any) -> Any:
            batch = cut_batch(feed, index, place, row, pair=pair)
            words = classifier.words(batch.ids)
            logits = classifier.logits(words, batch.mask, batch.types, pooling=pooling)
            rows = feed.rows[index]
            outputs = outputs.write(index, logits)
            return index + 1, place + rows * feed.widths[index], row + rows, outputs

        count = tf.size(feed.rows)
        outputs = tf.TensorArray(tf.float32, size=count, infer_shape=False)
        start = [tf.constant(0), tf.constant(0), tf.constant(0), outputs]
        end = tf.while_loop(lambda index, *_: index < count, body, start, parallel_iterations=1)
        return end[-1].concat()

    return forward
