"""A SavedModel that takes raw strings, for TensorFlow and TensorFlow Serving."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf

from bertsweep.export.graph_tokenizer import GraphTokenizer
from bertsweep.export.subject import Subject
from bertsweep.model.network import WORDS, Network
from bertsweep.tokens import WordPieces

TEXT, TOKEN_IDS, TOKENIZE = "serving_default", "token_ids", "tokenize"
"""The signatures: of texts, of token ids, and from texts to the token ids they become."""


def write(subject: Subject, folder: Path) -> None:
    """Writes the SavedModel into an empty folder."""
    served = _Served(subject)
    tf.saved_model.save(served, str(folder), signatures=served.signatures(pair=subject.pair))


class _Served(tf.Module):
    """The tokenizer, the network in float32 and the rule of the label, in one module.

    Every signature but `tokenize` returns for each row `label` (of the type that the data has),
    its own `probability`, and the `probabilities` of all labels in the order of their class.
    """

    def __init__(self, subject: Subject) -> None:
        super().__init__()
        if not isinstance(subject.pieces, WordPieces):
            raise TypeError("a SavedModel needs word pieces")
        self._tokenizer = GraphTokenizer(subject.pieces, max_seq_length=subject.length)
        self._encoder = {name: _constant(array) for name, array in subject.encoder.items()}
        self._kernel, self._bias = _constant(subject.kernel), _constant(subject.bias)
        self._network = Network(self._encoder, subject.config, tf.float32)
        kinds = {type(label) for label in subject.labels}
        self._labels = tf.constant(subject.labels if len(kinds) == 1 else subject.names)
        self._threshold, self._pooling = subject.record.threshold, subject.pooling

    def signatures(self, *, pair: bool) -> dict[str, Any]:
        text = [tf.TensorSpec([None], tf.string, "text")]
        text += [tf.TensorSpec([None], tf.string, "text_b")] if pair else []
        names = ("input_word_ids", "input_mask", "input_type_ids")
        ids = [tf.TensorSpec([None, None], tf.int32, name) for name in names]

        def traced(function: Any, signature: list[Any]) -> Any:
            return tf.function(function, input_signature=signature, autograph=False)

        def tokens(*texts: Any) -> dict[str, Any]:
            return dict(zip(names, self._tokenizer.batch(*texts), strict=True))

        return {
            TEXT: traced(lambda *texts: self._answer(*self._tokenizer.batch(*texts)), text),
            TOKEN_IDS: traced(self._answer, ids),
            TOKENIZE: traced(tokens, text),
        }

    def _answer(self, ids: Any, mask: Any, types: Any) -> dict[str, Any]:
        rows = tf.shape(ids)[0]
        # The network cannot tell the shapes of no rows: a batch of none gets one of padding.
        space = [[0, tf.cast(size == 0, tf.int32)] for size in (rows, tf.shape(ids)[1])]
        answers = self._classified(*(tf.pad(one, space) for one in (ids, mask, types)))
        return {name: answer[:rows] for name, answer in answers.items()}

    def _classified(self, ids: Any, mask: Any, types: Any) -> dict[str, Any]:
        words = tf.gather(self._encoder[WORDS], ids)
        pooled = self._network.output(words, mask, types, None, pooling=self._pooling)
        # In float64, as `model.classifier.probabilities` does it: the label of a probability close
        # to the threshold must not depend on rounding.
        logits = tf.cast(tf.matmul(pooled, self._kernel) + self._bias, tf.float64)
        if self._threshold is None:
            each = tf.nn.softmax(logits)
            chosen = tf.argmax(each, axis=1)
        else:
            second = 0.5 * (1.0 + tf.tanh(0.5 * logits))
            each = tf.concat([1.0 - second, second], axis=1)
            chosen = tf.cast(second[:, 0] >= self._threshold, tf.int64)
        return {
            "label": tf.gather(self._labels, chosen),
            "probability": tf.cast(tf.gather(each, chosen, axis=1, batch_dims=1), tf.float32),
            "probabilities": tf.cast(each, tf.float32),
        }


def _constant(array: Any) -> tf.Variable:
    """A weight as a variable, which is stored beside the graph and not in it."""
    return tf.Variable(array, trainable=False, dtype=tf.float32)
