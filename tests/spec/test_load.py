"""Reading a file: defaults, settings from the command line, and files that cannot be read."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bertsweep.errors import SpecError
from bertsweep.spec import load, parse

MINIMAL = """\
name: minimal
data:
  source: builtin:questions
encoder:
  source: builtin:tiny
space:
  learning_rate: {low: 1e-5, high: 1e-3, log: true}
"""


def problems(text, *overrides):
    with pytest.raises(SpecError) as caught:
        parse(text, source="a test", overrides=overrides)
    return caught.value.problems


def test_a_minimal_file_is_complete_by_defaults():
    spec = parse(MINIMAL, source="a test")
    assert spec.name == "minimal"
    assert spec.data.text == ("text",)
    assert spec.data.split.train == "rest"
    assert spec.search.sampler.kind == "tpe"
    assert spec.search.scheduler.kind == "asha"
    assert spec.objective.mode == "max"
    assert spec.seed == spec.search.seed == 42
    assert spec.report_every == 0.25
    assert spec.baseline.dropout == 0.5
    assert spec.warnings == ()


def test_numbers_are_read_as_yaml_1_2():
    spec = parse(MINIMAL + "  dropout: 1e-1\nbudget: {trials: 1_0}\n", source="a test")
    assert spec.space["learning_rate"].domain.low == 2e-5 / 2
    assert spec.space["dropout"].domain.value == 0.1
    assert spec.budget.trials == 10


def test_shorthands_stand_for_their_mappings():
    text = MINIMAL + "search: {sampler: random, scheduler: none}\n"
    spec = parse(text.replace("data:\n", "data:\n  text: [a, b]\n"), source="a test")
    assert spec.search.sampler.kind == "random"
    assert spec.search.scheduler.kind == "none"
    assert spec.data.text == ("a", "b")


def test_a_seed_of_zero_is_honoured():
    assert parse(MINIMAL + "seed: 0\n", source="a test").search.seed == 0
    spec = parse(MINIMAL + "seed: 7\nsearch: {seed: 0}\n", source="a test")
    assert (spec.seed, spec.search.seed) == (7, 0)


def test_a_third_of_an_epoch_needs_three_digits():
    assert parse(MINIMAL + "report_every: 0.333\n", source="a test").report_every == 1 / 3


def test_the_direction_follows_the_metric():
    spec = parse(MINIMAL + "objective: {metric: val_loss}\n", source="a test")
    assert spec.objective.mode == "min"


def test_settings_override_and_are_checked_like_the_file():
    spec = parse(
        MINIMAL,
        source="a test",
        overrides=[
            "budget.trials=5",
            "data.split={train: 100, validation: 50}",
            "space.dropout=[0.1, 0.2]",
            "space.dropout.1=0.3",
            "space.dropout.2=0.4",
            "search.sampler.startup_trials=3",
            "space.learning_rate.high=2e-4",
            "tracking.entity=null",
        ],
    )
    assert spec.budget.trials == 5
    assert spec.data.split.train == 100
    assert spec.space["dropout"].domain.options == (0.1, 0.3, 0.4)
    assert spec.search.sampler.startup_trials == 3
    assert spec.space["learning_rate"].domain.high == 2e-4


def test_settings_reach_below_a_shorthand():
    text = MINIMAL + "search:\n  sampler: random\n"
    spec = parse(text, source="a test", overrides=["search.scheduler.kind=none"])
    assert (spec.search.sampler.kind, spec.search.scheduler.kind) == ("random", "none")
    settings = ["search.sampler=tpe", "search.sampler.kind=grid", "space.learning_rate=[1e-4]"]
    later = parse(text, source="a test", overrides=settings)
    assert later.search.sampler.kind == "grid"


def test_what_a_setting_broke_has_no_line_and_the_rest_keeps_its_own():
    found = problems(MINIMAL + "seed: -1\n", "budget.trials=0")
    assert [(p.path, p.line) for p in found] == [
        (("seed",), 8),
        (("budget", "trials"), None),
    ]


def test_structure_and_meaning_are_told_together_in_file_order():
    text = """\
name: a b
data:
  source: builtin:questions
  text: [a, a]
encoder:
  source: builtin:tiny
  lowercase: maybe
space:
  dropout: {low: 0.5, high: 0.1}
objective:
  metric: val_f1
  mode: min
budget:
  trials: none
"""
    found = problems(text)
    assert [p.line for p in found] == [1, 4, 7, 9, 12, 14]


def test_a_fault_does_not_bring_forth_others():
    # Epochs cannot be read, so nothing is said of a grace period longer than the default epochs.
    found = problems(MINIMAL + "  epochs: ten\nsearch: {scheduler: {grace_epochs: 8}}\n")
    assert [p.path for p in found] == [("space", "epochs")]


def test_a_missing_file_names_the_nearest(tmp_path):
    (tmp_path / "quora.yaml").write_text(MINIMAL)
    with pytest.raises(SpecError, match=r"Did you mean .*quora\.yaml"):
        load(tmp_path / "qoura.yaml")
    with pytest.raises(SpecError, match=r"Check the path"):
        load(tmp_path / "nowhere" / "a.yaml")


def test_a_folder_names_its_files(tmp_path):
    (tmp_path / "quora.yaml").write_text(MINIMAL)
    with pytest.raises(SpecError, match=r"is a folder[\s\S]*`quora\.yaml`"):
        load(tmp_path)


def test_a_byte_order_mark_is_no_key(tmp_path):
    (tmp_path / "a.yaml").write_text(MINIMAL, encoding="utf-8-sig")
    assert load(tmp_path / "a.yaml").name == "minimal"


def test_a_huge_file_is_refused_at_once(tmp_path):
    (tmp_path / "a.yaml").write_text("#" * 2_000_000)
    with pytest.raises(SpecError, match="at most 1000000 characters"):
        load(tmp_path / "a.yaml")


def test_anchors_and_aliases_work():
    text = MINIMAL + "  dropout: &some [0.1, 0.2]\n  label_smoothing: *some\n"
    spec = parse(text, source="a test")
    assert spec.space["label_smoothing"].domain.options == (0.1, 0.2)


def test_reading_needs_none_of_the_heavy_packages(tmp_path):
    (tmp_path / "a.yaml").write_text(MINIMAL)
    program = (
        "import sys; from pathlib import Path; from bertsweep.spec import load\n"
        "load(Path(sys.argv[1]))\n"
        "heavy = {'tensorflow', 'ray', 'optuna', 'wandb', 'pandas', 'numpy', 'sklearn'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "a.yaml")], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
