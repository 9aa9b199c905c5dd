"""The prepared encoder as Model Garden's `BertEncoder`; imports TensorFlow, so import it late."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tf_keras
from official.nlp.modeling.layers import TransformerEncoderBlock
from official.nlp.modeling.networks.bert_encoder import BertEncoder
from safetensors.numpy import load_file

from bertsweep.encoders import variables
from bertsweep.encoders.config import LAYER_NORM_EPS, EncoderConfig
from bertsweep.encoders.prepared import PreparedEncoder
from bertsweep.errors import EncoderError


@tf_keras.utils.register_keras_serializable(package="bertsweep")
def exact_gelu(x: Any) -> Any:
    """X Φ(x) with the true normal distribution (Hendrycks and Gimpel, arXiv:1606.08415)."""
    return tf_keras.activations.gelu(x, approximate=False)


@tf_keras.utils.register_keras_serializable(package="bertsweep")
def tanh_gelu(x: Any) -> Any:
    """The tanh approximation of x Φ(x), which the original BERT was trained with."""
    return tf_keras.activations.gelu(x, approximate=True)


KERAS_ACTIVATIONS = {"gelu": exact_gelu, "gelu_tanh": tanh_gelu, "relu": tf_keras.activations.relu}


def build(prepared: PreparedEncoder) -> BertEncoder:
    """The native encoder with its weights, every variable proved to be assigned.

    It is called with a dict (or list in this order) of int32 [batch, width] tensors
    `input_word_ids`, `input_mask`, `input_type_ids`, and returns a dict with `pooled_output`
    [batch, hidden] and `sequence_output` [batch, width, hidden]. Raises `EncoderError`, also where
    a file of the prepared encoder is damaged.
    """
    prepared.verify()
    encoder = empty(prepared.config)
    assign(encoder, load_file(prepared.weights), config=prepared.config, where=str(prepared.folder))
    return encoder


def empty(config: EncoderConfig, *, activation: Any = None) -> BertEncoder:
    """The native encoder before its weights are assigned: all zeros.

    `activation` is one of equal values in place of that of the config.
    """
    # Its layers hold no Python control flow on tensors, and converting them takes half of building.
    encoder = tf.autograph.experimental.do_not_convert(BertEncoder)(
        vocab_size=config.vocab_size,
        hidden_size=config.hidden_size,
        num_layers=config.num_layers,
        num_attention_heads=config.num_attention_heads,
        inner_dim=config.intermediate_size,
        max_sequence_length=config.max_position_embeddings,
        type_vocab_size=config.type_vocab_size,
        inner_activation=activation or KERAS_ACTIVATIONS[config.activation],
        output_dropout=config.dropout,
        attention_dropout=config.attention_dropout,
        initializer=tf_keras.initializers.Zeros(),
        dict_outputs=True,
    )
    if config.layer_norm_eps != LAYER_NORM_EPS:
        _set_epsilon(encoder, config.layer_norm_eps)
    return encoder


def _set_epsilon(encoder: BertEncoder, epsilon: float) -> None:
    """Sets what Model Garden's `BertEncoder` has no argument for, where its layers keep it."""
    for layer in encoder.submodules:
        if isinstance(layer, tf_keras.layers.LayerNormalization):
            layer.epsilon = epsilon
        elif isinstance(layer, TransformerEncoderBlock):
            layer._norm_epsilon = epsilon  # what it is saved with


def variable_names(encoder: BertEncoder) -> dict[str, tf.Variable]:
    """Stable name → variable, in the encoder's order; the names of `weights.safetensors`."""
    return {variable.name.removesuffix(":0"): variable for variable in encoder.variables}


def assign(
    encoder: BertEncoder, weights: variables.Weights, *, config: EncoderConfig, where: str
) -> None:
    """Copies `weights` into the encoder. Raises `EncoderError` unless each variable has one."""
    variables.check(config, weights, where=where)
    named = variable_names(encoder)
    if named.keys() != variables.shapes(config).keys() or len(named) != len(encoder.variables):
        unknown = sorted(named.keys() ^ variables.shapes(config).keys())
        raise EncoderError(
            "Model Garden's BertEncoder must have the variables that bertsweep knows, but they "
            f"differ in {variables.listed(unknown)}. Install the tf-models-official version that "
            "constraints.txt names."
        )
    for name, variable in named.items():
        variable.assign(weights[name])
