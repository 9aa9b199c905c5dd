"""Several encoders with names: which of them a trial has, and what may depend on that."""

from __future__ import annotations

import json

import jsonschema
import pytest

from bertsweep.spec import SweepSpec, from_plain, json_schema, parse

FILE = {
    "name": "a",
    "data": {"source": "builtin:questions"},
    "encoder": {"small": {"source": "builtin:tiny"}, "large": {"source": "models/large"}},
    "space": {"learning_rate": [1e-4, 2e-5]},
}


def spec_of(**keys: object) -> SweepSpec:
    return parse(json.dumps({**FILE, **keys}), source="a test")


def test_encoders_with_names_are_searched_and_the_first_is_the_baselines() -> None:
    spec = spec_of()
    assert list(spec.encoders) == ["small", "large"]
    assert spec.space["encoder"].domain.grid() == ("small", "large")
    assert spec.baseline.encoder == "small"
    assert spec.space.size == 4
    assert spec.hyperparameters({"encoder": "large", "learning_rate": 2e-5}).encoder == "large"


def test_a_list_has_names_from_the_sources() -> None:
    listed = [
        "models/minilm",
        {"source": "hf://owner/minilm@main", "lowercase": True},
        {"source": "https://tfhub.dev/some/bert base/2/"},
        "builtin:tiny",
    ]
    spec = spec_of(encoder=listed)
    assert list(spec.encoders) == ["minilm", "minilm-2", "bert-base", "builtin-tiny"]
    assert spec.encoders["minilm-2"].lowercase is True
    assert spec.baseline.encoder == "minilm"
    jsonschema.validate({**FILE, "encoder": listed}, json_schema())


def test_the_space_may_leave_some_out_and_the_baseline_may_be_one_of_those() -> None:
    assert spec_of(space={"encoder": ["large"], "epochs": [1, 2]}).baseline.encoder == "large"
    spec = spec_of(space={"encoder": "large", "epochs": 1}, baseline={"encoder": "small"})
    assert spec.baseline.encoder == "small"
    assert any("outside the space (encoder 'small'" in warning for warning in spec.warnings)


def test_a_condition_on_the_encoder() -> None:
    lengths = {"choices": [32, 64], "when": {"encoder": "large"}}
    spec = spec_of(space={"max_seq_length": lengths}, baseline={"encoder": "large"})
    assert spec.space.size == 3
    assert spec.hyperparameters({"encoder": "small"}).max_seq_length == 128
    assert spec.hyperparameters({"encoder": "large", "max_seq_length": 64}).max_seq_length == 64


def test_one_encoder_without_a_name_is_no_parameter() -> None:
    spec = spec_of(encoder={"source": "builtin:tiny"})
    assert list(spec.encoders) == [""]
    assert "encoder" not in spec.space
    assert "encoder" not in spec.baseline.to_point()


@pytest.mark.parametrize("more", [{}, {"baseline": {"encoder": "large"}}])
def test_it_comes_back_equal_and_fits_the_schema(more: dict[str, object]) -> None:
    spec = spec_of(**more)
    assert from_plain(json.loads(json.dumps(spec.to_plain()))) == spec
    jsonschema.validate({**FILE, **more}, json_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**FILE, "encoder": {"small": {"sourc": "a"}}}, json_schema())
