"""A specification outlives its file: to plain values and back; and no input breaks the reader."""

from __future__ import annotations

import contextlib
import copy
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertsweep.errors import SpecError
from bertsweep.spec import from_plain, load, parse

SHIPPED = sorted((Path(__file__).parents[2] / "search_spaces").glob("*.yaml"))
FULL = {
    "name": "full",
    "data": {
        "source": {"train": "a.csv", "test": "b.csv"},
        "text": ["question", "answer"],
        "label": "right",
        "split": {"train": 1000, "validation": 0.2},
    },
    "encoder": {"source": "models/tiny", "mirrors": ["models/other"], "lowercase": True},
    "space": {
        "learning_rate": {"low": 1e-5, "high": 1e-3, "log": True},
        "weight_decay": {"low": 0.1, "high": 0.3, "step": 0.1, "when": {"optimizer": "adamw"}},
        "optimizer": ["adam", "adamw"],
        "batch_size": {"low": 8, "high": 32, "step": 8},
        "max_seq_length": {"low": 16, "high": 64, "log": True},
        "warmup": {"choices": [0, 0.1], "when": {"schedule": ["linear", "cosine"]}},
        "schedule": ["constant", "linear", "cosine"],
        "trainable_layers": ["all", 2],
        "epochs": 4,
    },
    "baseline": {"learning_rate": 1e-4, "batch_size": 16, "max_seq_length": 32},
    "search": {"sampler": "random", "scheduler": "hyperband", "warm_start": [
        {"learning_rate": 1e-4, "batch_size": 8, "max_seq_length": 32, "schedule": "linear"},
    ]},
    "budget": {"trials": 30, "hours": 2},
    "resources": {"gpus_per_trial": 0.5, "cpus_per_trial": 2},
    "report_every": 0.333,
    "seed": 0,
}  # fmt: skip


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_files_come_back_equal(path):
    spec = load(path)
    assert from_plain(json.loads(json.dumps(spec.to_plain()))) == spec


def test_everything_comes_back_equal_through_json():
    spec = parse(json.dumps(FULL), source="a test")
    stored = json.loads(json.dumps(spec.to_plain()))
    again = from_plain(stored)
    assert again == spec
    assert again.to_plain() == spec.to_plain()
    assert [p.name for p in again.space.parameters] == [p.name for p in spec.space.parameters]


def test_what_was_stored_is_a_file_itself():
    spec = parse(json.dumps(FULL), source="a test")
    stored = spec.to_plain()
    assert stored.pop("warnings") == list(spec.warnings)
    assert parse(json.dumps(stored), source="a test").to_plain() == spec.to_plain()


def test_warnings_are_kept():
    spec = parse(json.dumps({**FULL, "baseline": {"learning_rate": 0.5}}), source="a test")
    assert spec.warnings
    assert from_plain(spec.to_plain()).warnings == spec.warnings


def test_a_damaged_store_is_refused():
    stored = parse(json.dumps(FULL), source="a test").to_plain()
    with pytest.raises(SpecError, match="stored specification"):
        from_plain({**stored, "seed": "many"})
    with pytest.raises(SpecError, match="stored specification"):
        from_plain({**stored, "space": {"dropout": [2]}})


def places(value, path=()):
    yield path
    if isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in items:
            yield from places(part, (*path, key))


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from([0, 1, -1, 0.5, 1e400, "all", "rest", "adamw", "builtin:", "a://b", "grid"])
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["low", "high", "step", "log", "when", "value", "choices", "kind", "train"]
            )
            | st.text(max_size=4),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(places(FULL))), VALUES), min_size=1, max_size=3))
def test_any_value_anywhere_is_read_or_refused_in_words(changes):
    plain = copy.deepcopy(FULL)
    for path, value in changes:
        here = plain
        with contextlib.suppress(KeyError, IndexError, TypeError):
            for part in path[:-1]:
                here = here[part]
            if path:
                here[path[-1]] = value
    with contextlib.suppress(SpecError):
        spec = parse(json.dumps(plain).replace("Infinity", ".inf"), source="a test")
        assert from_plain(spec.to_plain()) == spec
        assert not any(spec.space.outside(point) for point in spec.search.warm_start)


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab:-[]{}&*!|>'\"%@#?, \n\t0.1e~\x00é"), max_size=60))
def test_any_text_is_read_or_refused_in_words(text):
    with contextlib.suppress(SpecError):
        parse(text, source="a test")


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from(["space", "dropout", "search", "0", "7", "sampler", "when", ""])).map(
        ".".join
    ),
    st.sampled_from(["", "=", "=1", "=[1", "={a: 1}", "=null", "=*a"]),
)
def test_any_setting_is_made_or_refused_in_words(key, value):
    with contextlib.suppress(SpecError):
        parse(json.dumps(FULL), source="a test", overrides=[key + value])
