"""Recipes: hyperparameters by one name, for what the space leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bertsweep.space import Fixed, Scalar, Space
from bertsweep.spec.values import default

RECIPES: dict[str, dict[str, Scalar]] = {
    "tutorial": {},
    "modern": {
        "optimizer": "adamw",
        "weight_decay": 0.01,
        "warmup": 0.1,
        "schedule": "linear",
        "layer_decay": 0.9,
        "clip_norm": 1.0,
    },
}
"""Recipe → what it sets. The tutorial's are the defaults of all parameters.

Those of `modern` are the usual ones of the literature, not yet settled by a measurement of ours:
`benchmarks/recipes.py` is the program for it.
"""


def with_recipe(file_space: Mapping[str, Any], recipe: str, baseline: Mapping[str, Any]) -> Any:
    """The entries of `space`, and behind them the recipe's for parameters that it does not name.

    Where the optimizer can be another than the recipe's, its weight decay has the condition on
    adamw that it needs; where it cannot be adamw, there is none.
    """
    added: dict[str, Any] = {n: v for n, v in RECIPES[recipe].items() if n not in file_space}
    if "weight_decay" in added:
        optimizer = file_space.get("optimizer", added.get("optimizer", default("optimizer")))
        if not _can_be(optimizer, "adamw"):
            del added["weight_decay"]
        elif optimizer != "adamw" or baseline.get("optimizer", "adamw") != "adamw":
            when = {"value": added["weight_decay"], "when": {"optimizer": "adamw"}}
            added["weight_decay"] = when
    return {**file_space, **added}


def set_by_recipe(recipe: str, space: Space) -> dict[str, Scalar]:
    """What of a recipe holds in the space that was read with it."""
    return {
        name: value
        for name, value in RECIPES[recipe].items()
        if name in space and space[name].domain == Fixed(value)
    }


def _can_be(entry: Any, value: str) -> bool:
    """Whether an entry of `space` has a value among its own."""
    if isinstance(entry, Mapping):
        entry = entry.get("choices", entry.get("value"))
    return value in entry if isinstance(entry, (list, tuple)) else entry == value
