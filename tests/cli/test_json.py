"""docs/json.md: each example there has the keys and types of what the command really prints."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bertsweep.cli import _documents
from bertsweep.paths import SweepPaths
from bertsweep.results import Sweep
from bertsweep.spec import Hyperparameters
from tests.support import clisweeps
from tests.support.clisweeps import cli

DOCS = Path(__file__).parents[2] / "docs" / "json.md"
SPEC = """\
name: demo
data: {source: "builtin:questions"}
encoder: {source: "builtin:tiny"}
space:
  dropout: [0.1, 0.5]
budget: {trials: 8}
"""


def example(command: str) -> Any:
    """The JSON block of the section whose heading names the command."""
    sections = re.split(r"^## ", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    section = next(part for part in sections if f"`bertsweep {command}" in part.split("\n")[0])
    block = re.search(r"```json\n(.*?)```", section, flags=re.DOTALL)
    assert block is not None
    return json.loads(block.group(1))


def shape(value: Any) -> Any:
    """Keys and types of a document; of a list that of its first item."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, float) else type(value).__name__


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    clisweeps.finished_sweep(tmp_path, "demo")
    clisweeps.read_test(tmp_path / "demo", example("best")["test"])
    return tmp_path


@pytest.mark.parametrize("command", [["ls"], ["show", "demo"], ["best", "demo"]])
def test_documents_of_a_sweep_are_as_described(storage: Path, command: list[str]) -> None:
    printed, described = cli(*command, "--json", "--storage", storage).json, example(command[0])
    if command[0] == "show":
        described["test"] = example("best")["test"]
    assert shape(printed) == shape(described)


def test_values_of_a_sweep_are_as_described(storage: Path) -> None:
    printed = cli("best", "demo", "--json", "--storage", storage).out
    assert json.loads(printed.replace(str(storage), "/data/runs")) == example("best")


def test_the_outcome_of_a_run_is_as_described(storage: Path) -> None:
    paths = SweepPaths(storage / "demo")
    outcome = json.dumps(_documents.outcome(Sweep.open(paths.folder)))
    printed, described = json.loads(outcome.replace(str(storage), "/data/runs")), example("run")
    assert shape(printed.pop("spent")) == shape(described.pop("spent"))
    assert printed == described


def test_validate_is_as_described(tmp_path: Path) -> None:
    file = tmp_path / "demo.yaml"
    file.write_text(SPEC)
    done = cli("validate", file, "--json", "--set", "space.dropout=[0.1, 0.2]")
    assert done.code == 0, done.err
    printed, described = done.json, example("validate")
    trial_0, shown = printed.pop("baseline"), described.pop("baseline")
    assert set(trial_0) == set(Hyperparameters.model_fields) - {"encoder"}
    assert shown.items() <= trial_0.items()
    assert shape({**printed, "warnings": []}) == shape({**described, "warnings": []})
    assert printed["space"]["points"] == 2
    assert all(isinstance(warning, str) for warning in printed["warnings"])


def test_schema_is_a_json_schema_that_accepts_a_good_file() -> None:
    done = cli("schema")
    jsonschema.Draft202012Validator.check_schema(done.json)
    good = {
        "name": "demo",
        "data": {"source": "builtin:questions"},
        "encoder": {"source": "builtin:tiny"},
        "space": {"dropout": [0.1, 0.5]},
    }
    jsonschema.validate(good, done.json)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**good, "spase": {}}, done.json)
