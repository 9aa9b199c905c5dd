"""Several objectives in a search space file: forms, defaults, warnings, and back from a ledger."""

from __future__ import annotations

import json

import pytest

from bertsweep.spec import SweepSpec, from_plain, parse

HEAD = """
name: several
data: {source: "builtin:questions"}
encoder: {source: "builtin:tiny"}
space:
  learning_rate: {low: 1e-5, high: 1e-3, log: true}
  max_seq_length: [32, 64]
baseline: {max_seq_length: 32}
"""
LIST = "objective: [{metric: val_recall, threshold: 0.5}, {metric: latency_ms}, {metric: val_loss}]"


def spec(*lines: str) -> SweepSpec:
    return parse("\n".join([HEAD, *lines]), source="several.yaml")


def test_the_first_of_a_list_is_what_trials_are_ranked_by() -> None:
    found = spec(LIST, "prefer: {within: 0.02}")
    assert (found.objective.metric, found.objective.mode) == ("val_recall", "max")
    assert [(one.metric, one.mode) for one in found.further] == [
        ("latency_ms", "min"),
        ("val_loss", "min"),
    ]
    assert found.threshold_rule == 0.5
    assert found.warnings == ()


def test_a_list_of_one_is_that_objective() -> None:
    listed, plain = spec("objective: [{metric: val_f1}]"), spec("objective: {metric: val_f1}")
    assert listed.to_plain() == plain.to_plain()
    assert listed.further == ()


@pytest.mark.parametrize(
    "lines",
    [(LIST,), (LIST, "prefer: {within: 0.02}"), (LIST, "prefer: knee"), ("objective: {}",)],
)
def test_objectives_come_back_from_a_ledger(lines: tuple[str, ...]) -> None:
    found = spec(*lines)
    again = from_plain(json.loads(json.dumps(found.to_plain())))
    assert again.objectives() == found.objectives()
    assert again.prefer == found.prefer
    assert again.to_plain() == found.to_plain()


def test_what_has_no_effect_is_told() -> None:
    several = spec("objective: [{}, {metric: parameters}, {metric: train_seconds}]")
    assert [text.split(": ", 1)[1] for text in several.warnings] == [
        "parameters is the same for all trials: only `pooling` changes it"
    ]
    fixed = HEAD.replace("[32, 64]", "32") + "objective: [{}, {metric: latency_ms}]"
    (warning,) = parse(fixed, source="several.yaml").warnings
    assert warning.endswith(
        "latency_ms is the same for all trials: only `max_seq_length`, `pooling` changes it"
    )
    (warning,) = spec("prefer: knee").warnings
    assert warning.endswith("it has no effect with one objective")


def test_an_objective_of_a_list_can_be_set_from_outside() -> None:
    text = HEAD + LIST
    changed = parse(text, source="a", overrides=["objective.1.metric=latency_ms_batch_32"])
    assert changed.further[0].metric == "latency_ms_batch_32"
