"""The `space`, `baseline` and `warm_start` of a file, and the configurations that come of them."""

from __future__ import annotations

import importlib.util

import pytest

from bertsweep.errors import SpecError
from bertsweep.space import Choice, Fixed, Float, Int
from bertsweep.spec import parse, search_checks

HEAD = """\
name: a
data: {source: builtin:questions}
encoder: {source: builtin:tiny}
"""
CONDITIONAL = """\
space:
  learning_rate: {low: 1e-5, high: 1e-3, log: true}
  optimizer: [adam, adamw]
  weight_decay: {low: 0.01, high: 0.1, when: {optimizer: adamw}}
  epochs: 3
"""


def read(text):
    return parse(HEAD + text, source="a test")


@pytest.mark.parametrize(
    ("name", "entry", "domain"),
    [
        ("dropout", "0.3", Fixed(0.3)),
        ("dropout", "0", Fixed(0.0)),
        ("dropout", "[0, 0.5]", Choice((0.0, 0.5))),
        ("dropout", "[0.5]", Fixed(0.5)),
        ("dropout", "{low: 0, high: 0.5}", Float(0.0, 0.5)),
        ("dropout", "{low: 0.5, high: 0.5}", Fixed(0.5)),
        ("dropout", "{low: 0.1, high: 0.5, step: 0.1}", Float(0.1, 0.5, step=0.1)),
        ("learning_rate", "{low: 1e-5, high: 1e-3, log: true}", Float(1e-5, 1e-3, log=True)),
        ("batch_size", "{low: 16, high: 64, step: 16}", Int(16, 64, step=16)),
        ("batch_size", "{low: 16, high: 64, log: true}", Int(16, 64, log=True)),
        ("batch_size", "{choices: [16, 32]}", Choice((16, 32))),
        ("trainable_layers", "[all, 2, 4]", Choice(("all", 2, 4))),
        ("trainable_layers", "{low: 0, high: 4}", Int(0, 4)),
        ("optimizer", "{value: adamw}", Fixed("adamw")),
    ],
)
def test_every_form_has_its_domain_in_the_parameters_own_type(name, entry, domain):
    found = read(f"space:\n  {name}: {entry}\n").space[name].domain
    assert found == domain
    assert [type(v) for v in (found.grid() or ())] == [type(v) for v in (domain.grid() or ())]


def test_trials_run_with_their_active_parameters_and_defaults():
    spec = read(CONDITIONAL)
    found = spec.hyperparameters({"learning_rate": 1e-4, "optimizer": "adam"})
    assert (found.learning_rate, found.weight_decay, found.epochs) == (1e-4, 0.0, 3)
    assert found.dropout == 0.5
    decayed = {"learning_rate": 1e-4, "optimizer": "adamw", "weight_decay": 0.05}
    assert spec.hyperparameters(decayed).weight_decay == 0.05
    idle = {"learning_rate": 1e-4, "optimizer": "adam", "weight_decay": 0.05}
    assert spec.hyperparameters(idle).weight_decay == 0.0


def test_a_conditional_fixed_value_counts_only_under_its_condition():
    decay = "weight_decay: {value: 0.01, when: {optimizer: adamw}}"
    spec = read("space: {optimizer: [adam, adamw], " + decay + "}\n")
    assert spec.hyperparameters({"optimizer": "adam"}).weight_decay == 0.0
    assert spec.hyperparameters({"optimizer": "adamw"}).weight_decay == 0.01


def test_without_a_baseline_trial_0_has_fixed_values_and_the_tutorials():
    spec = read("space:\n  epochs: 3\n  learning_rate: {low: 1e-5, high: 1e-4}\n")
    assert spec.baseline.epochs == 3
    assert spec.baseline.learning_rate == 2e-5
    assert spec.warnings == ()
    assert spec.baseline_point() == {"epochs": 3, "learning_rate": 2e-5}


def test_a_baseline_outside_the_space_is_kept_with_a_warning():
    spec = read(CONDITIONAL + "baseline: {learning_rate: 0.1, dropout: 0.2}\n")
    assert spec.baseline.learning_rate == 0.1
    assert spec.baseline.dropout == 0.2
    (warning,) = spec.warnings
    assert "learning_rate 0.1 is not in" in warning
    assert "dropout 0.2 is not 0.5" in warning


def test_warm_starts_are_completed_to_whole_points():
    text = "search:\n  warm_start:\n    - {optimizer: adamw, weight_decay: 0.05}\n    - {}\n"
    spec = read(CONDITIONAL + text)
    assert spec.search.warm_start == (
        {"learning_rate": 2e-5, "optimizer": "adamw", "weight_decay": 0.05, "epochs": 3},
        {"learning_rate": 2e-5, "optimizer": "adam", "epochs": 3},
    )
    assert all(not spec.space.outside(point) for point in spec.search.warm_start)


def test_a_warm_start_that_leaves_no_value_inside_is_refused():
    # Under adamw the default weight decay of 0 is outside 0.01 to 0.1.
    with pytest.raises(SpecError, match=r"warm_start -> 0, line 11: .*weight_decay 0\.0 is not in"):
        read(CONDITIONAL + "search:\n  warm_start:\n    - {optimizer: adamw}\n")


RANGE = "space: {dropout: {low: 0, high: 0.5}}\n"
PAIR = "space: {dropout: [0.1, 0.5]}\n"
FOUR = "space: {dropout: [0.1, 0.5], epochs: [4, 5]}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PAIR + "budget: {trials: 9}\n", "space has 2 points: the sweep ends after 2 trials"),
        (PAIR + "search: {sampler: grid}\nbudget: {trials: 9}\n", "grid has 2 points: the sweep"),
        (PAIR + "search: {warm_start: [{dropout: 0.5}]}\n" + "budget: {trials: 2}\n", "baseline"),
        (FOUR + "search: {sampler: grid}\nbudget: {trials: 3}\n", "try only a part"),
        (RANGE + "search: {scheduler: {grace_epochs: 5}}\n", "no trial is ever stopped"),
        (RANGE + "search: {scheduler: {kind: median, reduction_factor: 2}}\n", "under median"),
        (RANGE + "search: {sampler: {kind: random, startup_trials: 2}}\n", "under random"),
        (RANGE + "search: {warm_start: [{dropout: 0.1}]}\nbudget: {trials: 1}\n", "leave out"),
    ],
)
def test_what_works_but_is_hardly_meant_is_a_warning(text, said):
    (warning,) = read(text).warnings
    assert said in warning


def test_a_baseline_outside_the_space_is_one_trial_more_than_its_points():
    _, warning = read(PAIR + "baseline: {dropout: 0.2}\nbudget: {trials: 9}\n").warnings
    assert "has 2 points, and the baseline lies outside of it: " in warning
    assert "ends after 3 trials, not after 9" in warning
    (outside,) = read(PAIR + "baseline: {dropout: 0.2}\nbudget: {trials: 3}\n").warnings
    assert "the sampler does not learn" in outside


def test_a_huge_space_is_counted_at_once():
    huge = "space: {dropout: {low: 0, high: 0.9, step: 1e-5}, batch_size: {low: 1, high: 9999}}\n"
    (warning,) = read(huge + "search: {sampler: grid}\nbudget: {trials: 3}\n").warnings
    assert "the grid has 899,919,999 points, of which 3 trials try only a part" in warning


@pytest.mark.parametrize(
    ("epochs", "most"),
    [("3", 3), ("[2, 7]", 7), ("{value: 2, when: {optimizer: adamw}}", 5)],
)
def test_the_largest_number_a_trial_can_have_may_be_the_default(epochs, most):
    space = read(f"space: {{optimizer: [adam, adamw], epochs: {epochs}}}\n").space
    assert search_checks.largest(space, "epochs") == most
    assert search_checks.largest(space, "max_seq_length") == 128
    assert search_checks.largest(space, "trainable_layers") == 0


def test_shares_that_look_like_those_of_the_whole_are_a_warning():
    head = HEAD.replace(
        "{source: builtin:questions}",
        "{source: builtin:questions, split: {train: 0.8, validation: 0.1, test: 0.1}}",
    )
    (warning,) = parse(head + CONDITIONAL, source="a test").warnings
    assert "validation is 0.02 of all rows" in warning


@pytest.mark.parametrize(("sampler", "package"), [("gp", "torch"), ("cmaes", "cmaes")])
def test_a_sampler_whose_package_is_missing_names_it(sampler, package):
    text = f"space: {{dropout: {{low: 0, high: 0.5}}}}\nsearch: {{sampler: {sampler}}}\n"
    if importlib.util.find_spec(package) is not None:
        assert read(text).search.sampler.kind == sampler
        return
    with pytest.raises(
        SpecError, match=rf"needs the package {package}[\s\S]*install 'bertsweep\[{sampler}\]'"
    ):
        read(text)


def test_weight_decay_may_hang_on_adamw_in_every_way():
    for text in (
        "optimizer: adamw, weight_decay: [0.01, 0.1]",
        "weight_decay: 0",
        "optimizer: [adam, adamw], weight_decay: {value: 0.1, when: {optimizer: [adamw]}}",
    ):
        read(f"space: {{{text}}}\n")
