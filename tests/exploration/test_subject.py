"""What a name on the command line means, and which encoder goes with it."""

from __future__ import annotations

from pathlib import Path

from bertsweep.exploration.subject import find_subject

FILE = """
name: two
data: {source: "builtin:questions"}
encoder: {small: {source: "builtin:tiny"}, large: {source: models/large}}
space: {learning_rate: [1e-4, 1e-5]}
baseline: {encoder: large}
"""


def test_of_several_encoders_it_is_the_baselines_and_that_is_said(tmp_path: Path) -> None:
    file = tmp_path / "two.yaml"
    file.write_text(FILE)
    found = find_subject(str(file), storage=tmp_path, cache=tmp_path / "cache")
    assert found.encoder is not None
    assert found.encoder.source == "models/large"
    assert found.notes == ("of the encoders small, large this is about large, the baseline's",)
