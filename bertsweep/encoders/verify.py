"""Checks that a native encoder computes what the module computes from which it was converted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from bertsweep.encoders import native
from bertsweep.encoders.config import Activation, EncoderConfig
from bertsweep.errors import EncoderError

TOLERANCE = 1e-4
"""The largest difference allowed in an element of the pooled output, which lies within ±1."""

ACTIVATIONS: tuple[Activation, ...] = ("gelu", "gelu_tanh", "relu")

Batch = dict[str, tf.Tensor]


def prove(
    module: Any, weights: Mapping[str, Any], config: EncoderConfig, *, where: str
) -> EncoderConfig:
    """Returns the config with the activation under which both pooled outputs agree best.

    Raises `EncoderError` when they differ by more than `TOLERANCE` under every activation.
    """
    batch = probe_batch(config)
    truth = pooled_output(module, batch, hidden=config.hidden_size, where=where)
    differences: dict[Activation, float] = {}
    for activation in ACTIVATIONS:
        tried = replace(config, activation=activation)
        encoder = native.empty(tried)
        native.assign(encoder, weights, config=tried, where=where)
        ours = encoder(batch, training=False)["pooled_output"].numpy()
        differences[activation] = float(np.max(np.abs(ours - truth)))
    best = min(differences, key=differences.__getitem__)
    # Not `>`, which is false for NaN.
    if not differences[best] <= TOLERANCE:
        tried_text = ", ".join(f"{name} {value:.2g}" for name, value in differences.items())
        raise EncoderError(
            f"{where}: the pooled output of the native encoder must agree with the module's own to "
            f"{TOLERANCE:g} on a probe batch, but differs ({tried_text}). The module computes "
            "something else than BERT; choose another encoder."
        )
    return replace(config, activation=best)


def probe_batch(config: EncoderConfig, *, rows: int = 8) -> Batch:
    """Returns random rows of several lengths, padded, with both type ids; the seed is fixed."""
    random = np.random.RandomState(0)
    width = min(32, config.max_position_embeddings)
    lengths = np.linspace(2, width, rows).astype(np.int32)
    mask = (np.arange(width) < lengths[:, None]).astype(np.int32)
    ids = random.randint(0, config.vocab_size, (rows, width)).astype(np.int32) * mask
    types = (np.arange(width) >= lengths[:, None] // 2).astype(np.int32) * mask
    types = np.minimum(types, config.type_vocab_size - 1)
    return {
        "input_word_ids": tf.constant(ids),
        "input_mask": tf.constant(mask),
        "input_type_ids": tf.constant(types),
    }


def pooled_output(module: Any, batch: Batch, *, hidden: int, where: str) -> npt.NDArray[np.float32]:
    """Returns the module's own pooled output [rows, hidden], without dropout.

    Encoders on TF Hub have had several signatures over the years, which are tried in turn. Raises
    `EncoderError` when none of them fits.
    """
    as_list = [batch["input_word_ids"], batch["input_mask"], batch["input_type_ids"]]
    ways: tuple[Callable[[], Any], ...] = (
        lambda: module(batch, training=False),
        lambda: module(batch),
        lambda: module(as_list, training=False),
        lambda: module(as_list),
        lambda: module.signatures["serving_default"](**batch),
    )
    for way in ways:
        try:
            outputs = way()
        except (TypeError, ValueError, KeyError, AttributeError, tf.errors.OpError):
            continue
        pooled = _pick(outputs, len(batch["input_mask"]), hidden)
        if pooled is not None:
            return np.asarray(pooled, np.float32)
    raise EncoderError(
        f"{where}: a module must take input_word_ids, input_mask and input_type_ids and give a "
        "pooled_output, but it does not. Choose a BERT encoder of TensorFlow 2."
    )


def _pick(outputs: Any, rows: int, hidden: int) -> Any:
    if isinstance(outputs, Mapping):
        candidates = [outputs[name] for name in ("pooled_output", "default") if name in outputs]
    else:
        candidates = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
    shapes = [getattr(candidate, "shape", None) for candidate in candidates]
    fits = [c for c, shape in zip(candidates, shapes, strict=True) if shape == (rows, hidden)]
    return fits[0] if fits else None
