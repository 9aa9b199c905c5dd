"""The JSON Schema for editors and the written reference keep to what the reader accepts."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from bertsweep import spec
from bertsweep.spec.data_models import Data

ROOT = Path(__file__).parents[2]
BROKEN = Path(__file__).parent / "broken"
SHIPPED = sorted((ROOT / "search_spaces").glob("*.yaml"))
BY_SHAPE = [
    "budget_zero",
    "choice_empty",
    "choice_misspelt",
    "choice_of_unknown_option",
    "missing_sections",
    "name_unfit_for_a_folder",
    "range_out_of_bounds",
    "sampler_unknown",
    "separator_of_two_characters",
    "source_list_empty",
    "section_left_empty",
    "space_empty",
    "split_neither_share_nor_count",
    "unknown_key_in_section",
    "unknown_parameter",
    "unknown_top_level_key",
    "value_and_range",
]


@lru_cache(maxsize=1)
def validator():
    schema = spec.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def plain(path):
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_accepts_what_is_shipped(path):
    assert list(validator().iter_errors(plain(path))) == []


def test_accepts_shorthands_and_all_forms_of_the_space():
    validator().validate(
        {
            "name": "a",
            "data": {"source": "a.csv", "text": "question"},
            "encoder": {"source": "models/a", "mirrors": "models/b"},
            "space": {
                "learning_rate": {"low": 1e-5, "high": 1e-3, "log": True},
                "dropout": [0.1, 0.2],
                "epochs": 3,
                "batch_size": {"low": 8, "high": 32, "step": 8, "when": {"epochs": 3}},
                "optimizer": ["adam", "adamw"],
                "weight_decay": {"choices": [0.1, 0.2], "when": {"optimizer": ["adamw"]}},
                "warmup": {"value": 0.1, "when": {"optimizer": "adam"}},
            },
            "search": {"sampler": "tpe", "scheduler": {"kind": "none"}},
        }
    )


@pytest.mark.parametrize(
    "data",
    [
        {"source": ["a.csv", "b-*.csv"], "text": 3, "label": 1, "table": {"header": False}},
        {"source": {"train": ["a.txt"], "test": "b.txt"}, "labels": {"train": ["c"], "test": "d"}},
        {"source": "a", "text": [1, "b"], "table": {"separator": "tab", "quote": "'"}},
        {"source": "a", "labels": "b", "table": {"encoding": "utf-16", "columns": ["a", "b"]}},
    ],
)
def test_accepts_every_form_of_the_data_and_reads_it_back(data):
    file = {"name": "a", "encoder": {"source": "builtin:tiny"}, "space": {"epochs": 1}}
    validator().validate({**file, "data": data})
    read = Data.model_validate(data)
    assert Data.model_validate(read.model_dump(mode="json")) == read


@pytest.mark.parametrize("name", BY_SHAPE)
def test_refuses_what_a_schema_can_see(name):
    assert list(validator().iter_errors(plain(BROKEN / f"{name}.yaml")))


def test_accepts_what_is_stored():
    stored = spec.load(SHIPPED[0]).to_plain()
    del stored["warnings"]
    assert list(validator().iter_errors(stored)) == []


def test_the_schema_is_the_callers_own():
    spec.json_schema()["properties"].clear()
    assert spec.json_schema()["properties"]


def test_the_written_reference_is_up_to_date():
    text = (ROOT / "docs" / "search-space.md").read_text(encoding="utf-8")
    assert text == spec.markdown(), "write it anew with the command at its top"


def test_the_reference_speaks_of_every_key():
    text = spec.markdown()
    for section in spec.json_schema()["$defs"].values():
        for key in section.get("properties", {}):
            assert f"`{key}`" in text
