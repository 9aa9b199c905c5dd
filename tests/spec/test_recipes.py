"""`recipe` sets what the space leaves out, and nothing that the file names."""

from __future__ import annotations

from typing import Any

import pytest

from bertsweep.cli._summary import recipe as told
from bertsweep.space import Choice, Fixed
from bertsweep.spec import Hyperparameters, SweepSpec, from_plain, parse
from bertsweep.spec.recipes import RECIPES, set_by_recipe

MODERN = RECIPES["modern"]


def spec(recipe: str, space: str = "{learning_rate: [1e-5, 5e-5]}", more: str = "") -> SweepSpec:
    text = 'name: one\ndata: {source: "builtin:questions"}\nencoder: {source: "builtin:tiny"}\n'
    return parse(f"{text}recipe: {recipe}\nspace: {space}\n{more}", source="one.yaml")


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_sets_every_trial_and_the_baseline(name: str) -> None:
    found = spec(name)
    usual: dict[str, Any] = Hyperparameters().to_point()
    assert found.baseline.to_point() == {**usual, **RECIPES[name]}
    trial = found.hyperparameters({"learning_rate": 5e-5})
    assert trial.to_point() == {**usual, **RECIPES[name], "learning_rate": 5e-5}
    assert set_by_recipe(name, found.space) == RECIPES[name]


def test_what_the_file_names_goes_before_the_recipe() -> None:
    space = "{warmup: [0.0, 0.2], schedule: constant, clip_norm: 0}"
    found = spec("modern", space, "baseline: {layer_decay: 1}")
    assert found.space["warmup"].domain == Choice((0.0, 0.2))
    assert found.space["schedule"].domain == Fixed("constant")
    assert found.baseline.layer_decay == 1.0
    assert set(set_by_recipe("modern", found.space)) == set(MODERN) - {
        *("warmup", "schedule", "clip_norm")
    }
    assert told(found).startswith("recipe modern sets optimizer adamw, weight_decay 0.01, layer")


@pytest.mark.parametrize(
    ("space", "more", "decays"),
    [
        ("{optimizer: adam, dropout: [0.1, 0.5]}", "", {"adam": 0.0}),
        ("{optimizer: [adam, adamw]}", "", {"adam": 0.0, "adamw": 0.01}),
        ("{dropout: [0.1, 0.5]}", "baseline: {optimizer: adam}", {"adam": 0.0, "adamw": 0.01}),
        ("{weight_decay: [0.1, 0.2]}", "", {"adamw": 0.1}),
    ],
)
def test_the_decay_of_a_recipe_goes_with_adamw(
    space: str, more: str, decays: dict[str, float]
) -> None:
    found = spec("modern", space, more)
    if more:
        assert found.baseline.weight_decay == decays["adam"]
    for optimizer, decay in decays.items():
        if not more or optimizer == "adamw":
            point = {"optimizer": optimizer, **({"weight_decay": 0.1} if decay == 0.1 else {})}
            assert found.hyperparameters(point).weight_decay == decay


@pytest.mark.parametrize("space", ["{learning_rate: [1e-5, 5e-5]}", "{optimizer: [adam, adamw]}"])
def test_a_recipe_is_the_same_when_it_is_read_again(space: str) -> None:
    found = spec("modern", space)
    again = from_plain(found.to_plain())
    assert (again.space, again.baseline, again.recipe) == (found.space, found.baseline, "modern")
