"""The classifier's layers, shapes and parameters, without building it."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

from bertsweep.encoders import EncoderConfig
from bertsweep.encoders.variables import shapes

_LAYER = "transformer/layer_"


def model_summary(
    config: EncoderConfig, *, classes: int, trainable: Collection[int | str] = ("all",)
) -> dict[str, Any]:
    """Returns {layers: [{layer, output, parameters}], parameters, trainable: {layers: parameters}}.

    `output` is the shape that a layer gives, with words for what varies. `trainable` are values of
    `trainable_layers`: what is trained is the head, the pooler and so many layers from the top, or
    all.
    """
    sizes = {name: math.prod(shape) for name, shape in shapes(config).items()}
    each = sum(size for name, size in sizes.items() if name.startswith(f"{_LAYER}0/"))
    pooler = sum(size for name, size in sizes.items() if name.startswith("pooler_transform"))
    embeddings = sum(sizes.values()) - pooler - each * config.num_layers
    units = 1 if classes == 2 else classes
    head = (config.hidden_size + 1) * units
    hidden, sequence = config.hidden_size, "rows × length × "
    activation = "sigmoid" if units == 1 else "softmax"
    layers = [
        ("word ids, mask, type ids", "3 × rows × length", 0),
        ("embeddings: words, positions, types", f"{sequence}{hidden}", embeddings),
        *(
            (f"encoder layer {number}", f"{sequence}{hidden}", each)
            for number in range(1, config.num_layers + 1)
        ),
        ("pooler: dense, tanh, on [CLS]", f"rows × {hidden}", pooler),
        ("dropout", f"rows × {hidden}", 0),
        (f"head: dense, {activation}", f"rows × {units}", head),
    ]
    total = sum(sizes.values()) + head
    counts = {
        str(top): total if top == "all" else min(total, head + pooler + int(top) * each)
        for top in trainable
    }
    return {
        "layers": [
            {"layer": name, "output": output, "parameters": count} for name, output, count in layers
        ],
        "parameters": total,
        "trainable": counts,
    }
