"""A learning rate for each depth of the network: layer-wise decay, and a rate of the head."""

from __future__ import annotations

from collections.abc import Iterable


def groups(names: Iterable[str], *, layers: int) -> dict[str, int]:
    """The group of every weight of a classifier: 0 the embeddings, then one an encoder layer.

    Group `layers + 1` is the pooler and `layers + 2` the head.
    """
    return {name: _group(name, layers) for name in names}


def factors(*, layers: int, decay: float, head: float) -> list[float]:
    """The factor of the learning rate of every group, [layers + 3].

    It is `decay ** n` for weights that lie n layers below the top one, the embeddings counting as a
    layer; 1 for the pooler and `head` for the head. Source: Sun et al. 2019, "How to Fine-Tune BERT
    for Text Classification?", section 5.3.3, with the full rate in the top layer.
    """
    return [*(decay ** (layers - n) for n in range(layers + 1)), 1.0, head]


def _group(name: str, layers: int) -> int:
    if name.startswith("head/"):
        return layers + 2
    if name.startswith("encoder/pooler_transform/"):
        return layers + 1
    prefix = "encoder/transformer/layer_"
    return 1 + int(name.removeprefix(prefix).partition("/")[0]) if name.startswith(prefix) else 0
