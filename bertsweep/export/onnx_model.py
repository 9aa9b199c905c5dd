"""An ONNX graph of BERT, built from the weights by the `onnx` package alone.

There is no converter in between. tf2onnx 1.17 makes no valid graph of tf_keras' exact GELU, as it
lacks Erfc; it is tested with TensorFlow up to 2.15 and seeks a maintainer. A BERT is some thirty
nodes a layer.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from bertsweep.export.subject import Subject
from bertsweep.version import VERSION

MODEL = "model.onnx"
OPSET = 17
"""The first with layer normalization; every ONNX Runtime since 1.12 reads it."""

_INPUTS = ("input_word_ids", "input_mask", "input_type_ids")
_MASKED = -1e9


def write(subject: Subject, folder: Path) -> None:
    """Writes model.onnx, of any batch size and width, and the vocabulary."""
    model = build(subject)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(folder / MODEL))
    (folder / subject.vocabulary_name).write_bytes(subject.vocabulary)


def build(subject: Subject) -> Any:
    """The model: `_INPUTS`, int32 [rows, width] → `probabilities`, float32 [rows, classes]."""
    graph = _Graph(subject)
    graph.probabilities(graph.pooled())
    shape = ["rows", "width"]
    inputs = [helper.make_tensor_value_info(n, TensorProto.INT32, shape) for n in _INPUTS]
    output = helper.make_tensor_value_info(
        "probabilities", TensorProto.FLOAT, ["rows", subject.classes]
    )
    model = helper.make_model(
        helper.make_graph(graph.nodes, "bert_classifier", inputs, [output], graph.weights),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=8,
        producer_name="bertsweep",
        producer_version=VERSION,
    )
    settings = {name: json.dumps(value) for name, value in subject.settings().items()}
    helper.set_model_props(model, settings)
    return model


class _Graph:
    """Nodes and weights in the making; each method adds some and returns the name of its output."""

    def __init__(self, subject: Subject) -> None:
        self._subject, self._config = subject, subject.config
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def pooled(self) -> str:
        """What the head sees of the encoder, [rows, hidden]; as in `model.network`."""
        words, mask, types = _INPUTS
        kinds = self._op("Gather", self._weight("type_embeddings/embeddings"), types)
        x = self._op("Gather", self._weight("word_embeddings/embeddings"), words)
        width = self._op("Shape", words, start=1, end=2)
        table = self._weight("position_embedding/embeddings")
        places = self._op("Slice", table, self._ints(0), width, self._ints(0))
        x = self._op("Add", self._op("Add", x, places), kinds)
        x = self._norm("embeddings/layer_norm", x)
        present = self._op("Cast", mask, to=TensorProto.FLOAT)
        absent = self._op("Sub", self._number(1.0), present)
        bias = self._op("Mul", absent, self._number(_MASKED))
        bias = self._op("Unsqueeze", bias, self._ints(1, 2))
        mean = self._subject.pooling == "mean"
        for layer in range(self._config.num_layers):
            last = layer == self._config.num_layers - 1 and not mean
            x = self._layer(f"transformer/layer_{layer}", x, bias, last=last)
        if mean:
            return self._mean(x, present)
        x = self._op("Squeeze", x, self._ints(1))
        if self._subject.pooling == "cls":
            return x
        return self._op("Tanh", self._dense("pooler_transform", x))

    def _mean(self, x: str, present: str) -> str:
        """The mean of `x` over the word pieces that are `present`, [rows, hidden]."""
        weights = self._op("Unsqueeze", present, self._ints(1))
        total = self._op("Squeeze", self._op("MatMul", weights, x), self._ints(1))
        count = self._op("ReduceSum", present, self._ints(1), keepdims=1)
        return self._op("Div", total, self._op("Max", count, self._number(1.0)))

    def probabilities(self, pooled: str) -> None:
        """The last nodes: one logit gives the probabilities of two classes."""
        kernel = self._array("head/kernel", self._subject.kernel)
        logits = self._op("MatMul", pooled, kernel)
        logits = self._op("Add", logits, self._array("head/bias", self._subject.bias))
        if self._subject.classes > 2:
            self._op("Softmax", logits, axis=-1, output="probabilities")
            return
        second = self._op("Sigmoid", logits)
        # Of the negated logit, and not 1 - p, which would lose the digits of a small probability.
        first = self._op("Sigmoid", self._op("Neg", logits))
        self._op("Concat", first, second, axis=1, output="probabilities")

    def _layer(self, name: str, x: str, bias: str, *, last: bool) -> str:
        """A transformer layer, [rows, width, hidden]; the last one only for [CLS], width 1."""
        attention = f"{name}/self_attention"
        keys, values = (self._heads(f"{attention}/{part}", x) for part in ("key", "value"))
        if last:
            x = self._op("Slice", x, self._ints(0), self._ints(1), self._ints(1))
        queries = self._heads(f"{attention}/query", x)
        size = self._config.hidden_size // self._config.num_attention_heads
        queries = self._op("Mul", queries, self._number(1.0 / math.sqrt(size)))
        scores = self._op("MatMul", queries, self._op("Transpose", keys, perm=[0, 1, 3, 2]))
        shares = self._op("Softmax", self._op("Add", scores, bias), axis=-1)
        context = self._op("Transpose", self._op("MatMul", shares, values), perm=[0, 2, 1, 3])
        context = self._op("Reshape", context, self._ints(0, 0, self._config.hidden_size))
        attended = self._dense(f"{attention}/attention_output", context)
        x = self._norm(f"{name}/self_attention_layer_norm", self._op("Add", x, attended))
        inner = self._activation(self._dense(f"{name}/intermediate", x))
        return self._norm(
            f"{name}/output_layer_norm", self._op("Add", x, self._dense(f"{name}/output", inner))
        )

    def _heads(self, name: str, x: str) -> str:
        """A projection of `x`, [rows, heads, width, size]."""
        config = self._config
        size = config.hidden_size // config.num_attention_heads
        shape = self._ints(0, 0, config.num_attention_heads, size)
        return self._op(
            "Transpose", self._op("Reshape", self._dense(name, x), shape), perm=[0, 2, 1, 3]
        )

    def _dense(self, name: str, x: str) -> str:
        """`x` times kernel plus bias; the heads of an attention are one axis here."""
        encoder, hidden = self._subject.encoder, self._config.hidden_size
        kernel, bias = encoder[f"{name}/kernel"], encoder[f"{name}/bias"].reshape(-1)
        if kernel.ndim == 3:
            kernel = kernel.reshape(hidden, hidden)
        product = self._op("MatMul", x, self._array(f"{name}/kernel", kernel))
        return self._op("Add", product, self._array(f"{name}/bias", bias))

    def _norm(self, name: str, x: str) -> str:
        gamma, beta = self._weight(f"{name}/gamma"), self._weight(f"{name}/beta")
        epsilon = self._config.layer_norm_eps
        return self._op("LayerNormalization", x, gamma, beta, axis=-1, epsilon=epsilon)

    def _activation(self, x: str) -> str:
        """The activation by operations of this opset; formulas as in `model.layers`."""
        if self._config.activation == "relu":
            return self._op("Relu", x)
        if self._config.activation == "gelu":
            scaled = self._op("Mul", x, self._number(math.sqrt(0.5)))
            curve = self._op("Erf", scaled)
        else:
            cube = self._op("Mul", x, self._op("Mul", x, x))
            inner = self._op("Add", x, self._op("Mul", cube, self._number(0.044715)))
            curve = self._op("Tanh", self._op("Mul", inner, self._number(math.sqrt(2 / math.pi))))
        half = self._op("Mul", x, self._number(0.5))
        return self._op("Mul", half, self._op("Add", curve, self._number(1.0)))

    def _op(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        name = output or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def _weight(self, name: str) -> str:
        return self._array(name, self._subject.encoder[name])

    def _array(self, name: str, array: Any) -> str:
        self.weights.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def _number(self, value: float) -> str:
        return self._once(f"number {value!r}", np.array(value, np.float32))

    def _ints(self, *values: int) -> str:
        return self._once(f"ints {values}", np.array(values, np.int64))

    def _once(self, name: str, value: Any) -> str:
        known = any(weight.name == name for weight in self.weights)
        return name if known else self._array(name, value)
