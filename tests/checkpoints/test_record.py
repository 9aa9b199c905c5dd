"""What a checkpoint says of itself: read strictly; whatever the damage, a sentence says so."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from bertsweep import checksums
from bertsweep.checkpoints import Checkpoint
from bertsweep.errors import InputError
from tests.support.checkpoints import (
    CONFIG,
    PARAMS,
    arrays,
    flipped_bits,
    record,
    write_checkpoint,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path, 7)


def test_record_and_weights_come_back_as_they_were(folder: Path) -> None:
    checkpoint = Checkpoint.open(folder)
    assert checkpoint.record == record(7)
    assert list(map(type, checkpoint.record.labels)) == [int, int]
    for name, array in checkpoint.arrays().items():
        np.testing.assert_array_equal(array, arrays(7.0)[name])


@pytest.mark.parametrize("labels", [("no", "yes"), (False, True), (0.5, 1), ("1", 1)])
def test_labels_keep_their_type(tmp_path: Path, labels: tuple[Any, ...]) -> None:
    read = Checkpoint.open(write_checkpoint(tmp_path, labels=labels)).record.labels
    assert read == labels
    assert list(map(type, read)) == list(map(type, labels))


def test_no_flipped_bit_goes_unnoticed(folder: Path) -> None:
    whole = Checkpoint.open(folder)
    for name in ("weights.safetensors", "vocab.txt"):
        for _ in flipped_bits(folder / name, count=60):
            with pytest.raises(InputError, match="cannot be used: "):
                Checkpoint.open(folder).verify()
    for _ in flipped_bits(folder / "checkpoint.json", count=500):
        with contextlib.suppress(InputError):
            assert Checkpoint.open(folder) == whole, "white space may change"


def test_a_vocabulary_that_was_shuffled_or_cut_is_noticed(folder: Path) -> None:
    lines = (folder / "vocab.txt").read_text().splitlines(keepends=True)
    for changed in (lines[::-1], lines[:-1]):
        (folder / "vocab.txt").write_text("".join(changed))
        with pytest.raises(InputError, match=r"vocab\.txt is damaged"):
            Checkpoint.open(folder).verify()


def test_a_cut_or_missing_file_is_named_at_once(folder: Path) -> None:
    for name in ("weights.safetensors", "vocab.txt", "checkpoint.json"):
        whole = (folder / name).read_bytes()
        (folder / name).unlink()
        with pytest.raises(InputError, match=f"{name} is missing"):
            Checkpoint.open(folder)
        for length in (0, 5, len(whole) // 2, len(whole.rstrip()) - 1):
            (folder / name).write_bytes(whole[:length])
            with pytest.raises(InputError, match=name):
                Checkpoint.open(folder).verify()
        (folder / name).write_bytes(whole)
    Checkpoint.open(folder).verify()


def rewritten(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes the record and closes it with a checksum that fits."""
    plain = checksums.read_sealed(folder / "checkpoint.json")
    change(plain)
    (folder / "checkpoint.json").write_text(checksums.seal(plain))


def test_sizes_that_the_weights_do_not_have_are_refused_before_anything_is_built(
    folder: Path,
) -> None:
    right = record().to_plain()["encoder"]
    for size, value in {
        "num_layers": 10**6,
        "vocab_size": 10**12,
        "hidden_size": 10**9,
        "num_attention_heads": 1,
        "intermediate_size": 7,
        "max_position_embeddings": 10**9,
        "type_vocab_size": 3,
    }.items():
        config = {**right["config"], size: value}
        change = {"encoder": {**right, "config": config}}
        rewritten(folder, lambda plain, change=change: plain.update(change))
        with pytest.raises(InputError, match="its record"):
            Checkpoint.open(folder)
    rewritten(folder, lambda plain: plain.update(encoder=right))
    Checkpoint.open(folder).verify()


REQUIRED = ("labels", "threshold", "params", "encoder", "files", "format")


@pytest.mark.parametrize("key", REQUIRED)
@pytest.mark.parametrize("value", ["gone", None, 5, "word", [], {}, [[]], {"a": {}}, True, 1e400])
def test_a_wrong_or_missing_value_is_a_sentence(folder: Path, key: str, value: object) -> None:
    before = checksums.read_sealed(folder / "checkpoint.json")
    if value == "gone":
        rewritten(folder, lambda plain: plain.pop(key))
    else:
        rewritten(folder, lambda plain: plain.update({key: value}))
    with pytest.raises(InputError, match="cannot be used: "):
        Checkpoint.open(folder).verify()
    rewritten(folder, lambda plain: plain.update(before))
    Checkpoint.open(folder).verify()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"labels": (0,)}, "labels must be at least 2"),
        ({"text": ("a", "b", "c")}, "1 or 2 columns"),
        ({"threshold": None}, "threshold must be a number for 2 labels"),
        ({"labels": (0, 1, 2)}, "null for more"),
        ({"params": {}}, "max_seq_length must be whole"),
        ({"params": {"max_seq_length": 17}}, "must be 3 to 16"),
    ],
)
def test_values_that_contradict_each_other_are_refused_when_written(
    change: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        record(**change)


def test_a_threshold_above_every_probability_is_one(tmp_path: Path) -> None:
    above = float(np.nextafter(np.float32(1), np.float32(2)))
    folder = write_checkpoint(tmp_path, threshold=above)
    assert Checkpoint.open(folder).record.threshold == above


def test_more_labels_than_the_head_has_are_refused(folder: Path) -> None:
    rewritten(folder, lambda plain: plain.update(labels=[0, 1, 2], threshold=None))
    with pytest.raises(InputError, match="head/kernel should have the shape"):
        Checkpoint.open(folder)


def test_weights_of_another_name_are_refused(folder: Path) -> None:
    weights = load_file(folder / "weights.safetensors")
    weights["head/other"] = weights.pop("head/bias")
    save_file(weights, folder / "weights.safetensors")
    with pytest.raises(InputError, match="head/bias should have the shape"):
        Checkpoint.open(folder)


def test_what_a_later_version_adds_is_passed_over(folder: Path) -> None:
    rewritten(folder, lambda plain: plain.update(added={"a": 1}))
    assert Checkpoint.open(folder).record == record(7)


def test_a_checkpoint_of_format_1_opens(tmp_path: Path) -> None:
    """Made by hand, as the versions before checksums wrote it."""
    old = tmp_path / "best-0003"
    old.mkdir()
    encoder = record().to_plain()["encoder"]
    plain = {
        "format": 1,
        "trial": "t0001",
        "params": PARAMS,
        "seed": 42,
        "report": 3,
        "epoch": 1.5,
        "metrics": {"val_loss": 0.4},
        "compute": {"precision": "float32", "jit": False},
        "labels": ["no", "yes"],
        "text_columns": 2,
        "threshold": 0.4,
        "encoder": encoder,
    }
    (old / "checkpoint.json").write_text(json.dumps(plain, indent=1))
    (old / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n##b\n")
    save_file(arrays(0.5), old / "weights.safetensors")
    checkpoint = Checkpoint.open(old)
    checkpoint.verify()
    assert checkpoint.record == replace(
        record(3, trial="t0001", labels=("no", "yes"), seed=42, threshold=0.4),
        text=("text", "text_b"),
        metrics={"val_loss": 0.4},
    )
    assert checkpoint.record.encoder.config == CONFIG
    assert checkpoint.arrays()["head/bias"] == 0.5
    (old / "checkpoint.json").write_text(json.dumps({**plain, "format": 3}))
    with pytest.raises(InputError, match=r"format 3, but this version reads 1 and 2; use the"):
        Checkpoint.open(old)
