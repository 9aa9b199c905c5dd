"""Every file in search_spaces/ is found, valid and without a warning."""

from __future__ import annotations

from pathlib import Path

import pytest

from bertsweep.spec import Hyperparameters, load

FOLDER = Path(__file__).parents[1] / "search_spaces"
FILES = sorted(path for path in FOLDER.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_is_valid(path):
    assert path.suffix == ".yaml"
    spec = load(path)
    assert spec.warnings == ()
    assert spec.name == path.stem
    assert spec.space.searched


def test_the_quickstart_needs_no_network_and_little_time():
    spec = load(FOLDER / "quickstart.yaml")
    assert (spec.data.source, spec.encoder.source) == ("builtin:questions", "builtin:tiny")
    assert spec.budget.trials >= 8
    assert spec.search.scheduler.kind != "none"


def test_quora_is_the_tutorial_to_the_letter():
    spec = load(FOLDER / "quora.yaml")
    address = "https://archive.org/download/quora_dataset_train.csv/quora_dataset_train.csv.zip"
    assert spec.data.source == address
    assert (spec.data.text, spec.data.label) == (("question_text",), "target")
    split = spec.data.split
    assert (split.train, split.validation, split.random_state) == (0.1, 0.01, 42)
    assert spec.data.leaks == "keep"
    handle = "https://tfhub.dev/tensorflow/bert_en_uncased_L-12_H-768_A-12/2"
    assert spec.encoder.source == handle
    assert spec.encoder.mirrors
    assert {p.name for p in spec.space.searched} == {"learning_rate", "dropout", "max_seq_length"}
    assert spec.baseline == Hyperparameters(
        learning_rate=2e-5, dropout=0.5, max_seq_length=128, batch_size=32, epochs=5
    )


def test_quora_can_be_cut_down_by_settings():
    spec = load(
        FOLDER / "quora.yaml",
        overrides=[
            "data.source=quora/train.csv",
            "encoder.source=models/minilm",
            "data.split.train=6000",
            "data.split.validation=4000",
            "data.split.test=4000",
            "budget.trials=6",
        ],
    )
    assert spec.data.split.train == 6000
    assert spec.budget.trials == 6
