"""One .h5 file that tf_keras reads with Model Garden's classes: the form of the Keras tutorials."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import tf_keras
from official.modeling.activations import gelu as tanh_gelu

from bertsweep.encoders import native
from bertsweep.export.formats import installed
from bertsweep.export.subject import Subject
from bertsweep.spec.hyperparameters import Pooling

MODEL, SUMMARY, PLOT = "model.h5", "summary.txt", "model.png"

# What the file names must be found by whoever has tf_keras and Model Garden alone.
_ACTIVATIONS = {"gelu": "gelu", "gelu_tanh": tanh_gelu, "relu": "relu"}


def write(subject: Subject, folder: Path) -> None:
    """Writes model.h5, its summary, its plot where pydot and graphviz are there, and a vocabulary.

    Where they are not, the last line of the summary says so.
    """
    model = build(subject)
    model.save(folder / MODEL, include_optimizer=False)
    lines: list[str] = []
    model.summary(line_length=110, expand_nested=True, print_fn=lines.append)
    if installed("pydot") and shutil.which("dot"):
        tf_keras.utils.plot_model(model, folder / PLOT, show_shapes=True)
    else:
        lines.append(f"There is no {PLOT}: drawing it needs pydot and graphviz (its program dot).")
    (folder / SUMMARY).write_text("\n".join([*lines, ""]), encoding="utf-8")
    (folder / subject.vocabulary_name).write_bytes(subject.vocabulary)


def build(subject: Subject) -> tf_keras.Model:
    """Token ids → the probability of the positive one of two classes [rows, 1], or of each class.

    The inputs are `input_word_ids`, `input_mask` and `input_type_ids`, int32 [rows, width].
    """
    config = subject.config
    encoder = native.empty(config, activation=_ACTIVATIONS[config.activation])
    native.assign(encoder, subject.encoder, config=config, where="the checkpoint")
    names = ("input_word_ids", "input_mask", "input_type_ids")
    inputs = {name: tf_keras.layers.Input([None], dtype="int32", name=name) for name in names}
    pooled = _pooled(encoder(inputs), inputs["input_mask"], subject.pooling)
    units = len(subject.bias)
    head = tf_keras.layers.Dense(
        units, activation="sigmoid" if units == 1 else "softmax", name="probabilities"
    )
    dropped = tf_keras.layers.Dropout(subject.head_dropout, name="dropout")(pooled)
    model = tf_keras.Model(inputs, head(dropped), name="bert_classifier")
    head.set_weights([subject.kernel, subject.bias])
    return model


def _pooled(outputs: Any, mask: Any, pooling: Pooling) -> Any:
    if pooling == "cls":
        return outputs["sequence_output"][:, 0]
    if pooling == "mean":
        layer = tf_keras.layers.GlobalAveragePooling1D(name="mean")
        return layer(outputs["sequence_output"], mask=mask)
    return outputs["pooled_output"]
