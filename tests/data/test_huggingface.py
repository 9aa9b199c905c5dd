"""Folders as Hugging Face datasets 5.2 writes them and the Hub serves them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
import pytest

from bertsweep.data import Dataset
from bertsweep.errors import DataError
from tests.support.datafiles import prepared, rows_of

NAMES = ("not spam", "spam")
FEATURES = {
    "text": {"dtype": "string", "_type": "Value"},
    "label": {"names": list(NAMES), "_type": "ClassLabel"},
}
CARD = """---
license: mit
dataset_info:
  features:
  - name: text
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': not spam
          '1': spam
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*
  - split: test
    path: data/other.csv
---
# A card
"""


def table(first: int, rows: int, *, labelled: bool = True, described: bool = False) -> pa.Table:
    texts = [f"text number {first + index}" for index in range(rows)]
    labels = [index % 2 if labelled else -1 for index in range(rows)]
    made = pa.table({"text": texts, "label": pa.array(labels, pa.int64())})
    if described:
        made = made.replace_schema_metadata(
            {"huggingface": json.dumps({"info": {"features": FEATURES}})}
        )
    return made


def parquet(path: Path, first: int, rows: int, **how: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(table(first, rows, **how), path)


def stream(path: Path, first: int, rows: int, **how: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = table(first, rows, **how)
    with pyarrow.ipc.new_stream(str(path), made.schema) as writer:
        writer.write_table(made)


def save_to_disk(folder: Path, sizes: Sequence[int], *, first: int = 0, **how: Any) -> None:
    names = [f"data-{index:05d}-of-{len(sizes):05d}.arrow" for index in range(len(sizes))]
    for name, size in zip(names, sizes, strict=True):
        stream(folder / name, first, size, **how)
        first += size
    (folder / "state.json").write_text(
        json.dumps({"_data_files": [{"filename": name} for name in names], "_split": None})
    )
    (folder / "dataset_info.json").write_text(json.dumps({"features": FEATURES}))


def numbers(dataset: Dataset, split: str) -> list[int]:
    return sorted(int(text.rpartition(" ")[2]) for text in dataset.splits[split]["text"])


def kinds(dataset: Dataset) -> list[str]:
    return [note.kind for note in dataset.notes]


def test_a_saved_dataset_is_one_table_of_named_classes(tmp_path: Path) -> None:
    save_to_disk(tmp_path / "saved", [10, 10, 20])
    dataset = prepared(tmp_path, "saved")
    assert rows_of(dataset) == {(f"text number {i}", NAMES[i % 2]) for i in range(40)}
    assert kinds(dataset) == ["class_names", "positive_class"]
    note = dataset.notes[0]
    assert "0 = not spam, 1 = spam" in note.message
    assert "data.table.class_names: false keeps" in note.message
    assert prepared(tmp_path, "saved", table={"class_names": False}).labels == (0, 1)


def test_a_saved_dataset_may_be_one_split(tmp_path: Path) -> None:
    save_to_disk(tmp_path / "a", [40])
    save_to_disk(tmp_path / "b", [10], first=100)
    dataset = prepared(tmp_path, {"train": "a", "test": "b"})
    assert numbers(dataset, "test") == list(range(100, 110))
    assert dataset.labels == NAMES


def test_a_dictionary_of_datasets_has_its_splits(tmp_path: Path) -> None:
    folder = tmp_path / "dictionary"
    save_to_disk(folder / "train", [30, 10])
    save_to_disk(folder / "validation", [8], first=100)
    save_to_disk(folder / "test", [6], first=200)
    (folder / "dataset_dict.json").write_text('{"splits": ["train", "validation", "test"]}')
    dataset = prepared(tmp_path, "dictionary")
    assert [numbers(dataset, split) for split in ("train", "validation", "test")] == [
        list(range(40)),
        list(range(100, 108)),
        list(range(200, 206)),
    ]
    with pytest.raises(DataError, match=r"data\.split\.test has no effect where the dataset has"):
        prepared(tmp_path, "dictionary", split={"test": 0.3})
    with pytest.raises(DataError, match=r"must be a file here, but .* is a dataset with splits"):
        prepared(tmp_path, {"train": "dictionary"})


def test_a_split_without_labels_is_left_out_and_told(tmp_path: Path) -> None:
    folder = tmp_path / "dictionary"
    save_to_disk(folder / "train", [40])
    save_to_disk(folder / "test", [6], first=200, labelled=False)
    (folder / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    dataset = prepared(tmp_path, "dictionary")
    assert max(numbers(dataset, "test")) < 40
    assert kinds(dataset) == ["unlabelled_test", "class_names", "positive_class"]


def test_a_repository_says_its_files_and_classes_in_its_card(tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    parquet(folder / "data" / "train-00000-of-00002.parquet", 0, 20)
    parquet(folder / "data" / "train-00001-of-00002.parquet", 20, 20)
    (folder / "README.md").write_text(CARD)
    rows = "".join(f"text number {100 + i},{i % 2}\n" for i in range(10))
    (folder / "data" / "other.csv").write_text("text,label\n" + rows)
    dataset = prepared(tmp_path, "hub")
    assert numbers(dataset, "test") == list(range(100, 110))
    assert len(rows_of(dataset)) == 50
    assert dataset.labels == NAMES
    (folder / "data" / "other.csv").unlink()
    with pytest.raises(DataError, match=r"names the files 'data/other\.csv' for the split 'test'"):
        prepared(tmp_path, "hub")
    files = prepared(tmp_path, "hub/data/train-*.parquet")
    assert files.labels == NAMES
    assert len(rows_of(files)) == 40


@pytest.mark.parametrize("pattern", ["../secret.csv", "/etc/passwd", "https://host/a.csv"])
def test_a_card_cannot_lead_out_of_its_folder(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "hub").mkdir()
    (tmp_path / "secret.csv").write_text("text,label\na,0\n")
    card = CARD.replace("data/train-*", pattern)
    (tmp_path / "hub" / "README.md").write_text(card)
    with pytest.raises(DataError, match=r"which is not inside the folder\. Name the files"):
        prepared(tmp_path, "hub")


def test_files_are_sorted_by_the_splits_in_their_names(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    stream(folder / "glue-train-00000-of-00002.arrow", 0, 20, described=True)
    stream(folder / "glue-train-00001-of-00002.arrow", 20, 20, described=True)
    stream(folder / "glue-validation_matched.arrow", 100, 4, described=True)
    stream(folder / "glue-dev.arrow", 200, 6, described=True)
    dataset = prepared(tmp_path, "cache")
    assert numbers(dataset, "validation") == list(range(200, 206))
    assert dataset.labels == NAMES
    assert kinds(dataset) == ["unused_splits", "class_names", "positive_class"]
    assert "'validation_matched'" in dataset.notes[0].message


def test_of_several_configurations_one_is_chosen(tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    parquet(folder / "one" / "train-00000-of-00001.parquet", 0, 40)
    parquet(folder / "two" / "train" / "0000.parquet", 100, 40)
    infos = {"one": {"features": FEATURES}, "two": {"features": {}}}
    (folder / "dataset_infos.json").write_text(json.dumps(infos))
    with pytest.raises(DataError, match=r"configurations: 'one', 'two'\. .*data\.member: one"):
        prepared(tmp_path, "hub")
    with pytest.raises(DataError, match=r"data\.member is 'three', but .* 'one', 'two'"):
        prepared(tmp_path, "hub", member="three")
    assert prepared(tmp_path, "hub", member="one").labels == NAMES
    other = prepared(tmp_path, "hub", member="two")
    assert other.labels == (0, 1)
    assert min(numbers(other, "train")) >= 100


def test_names_that_one_split_lacks_are_left_alone(tmp_path: Path) -> None:
    parquet(tmp_path / "a.parquet", 0, 40, described=True)
    parquet(tmp_path / "b" / "c" / "b.parquet", 100, 10)
    dataset = prepared(tmp_path, {"train": "a.parquet", "test": "b/c/b.parquet"})
    assert dataset.labels == (0, 1)
    assert "not all splits say the same" in dataset.notes[0].message


def test_names_that_do_not_fit_the_numbers_are_left_alone(tmp_path: Path) -> None:
    made = pa.table(
        {"text": [f"text {i}" for i in range(40)], "label": [i % 2 * 5 for i in range(40)]}
    )
    metadata = {"huggingface": json.dumps({"info": {"features": FEATURES}})}
    pyarrow.parquet.write_table(made.replace_schema_metadata(metadata), tmp_path / "a.parquet")
    dataset = prepared(tmp_path, "a.parquet")
    assert dataset.labels == (0, 5)
    assert "the numbers are kept: '5' is none of their numbers" in dataset.notes[0].message


@pytest.mark.parametrize("metadata", ["no json", "{}", '{"info": {"features": {"label": 3}}}'])
def test_what_others_write_beside_a_table_does_no_harm(tmp_path: Path, metadata: str) -> None:
    made = table(0, 40).replace_schema_metadata({"huggingface": metadata})
    pyarrow.parquet.write_table(made, tmp_path / "a.parquet")
    (tmp_path / "README.md").write_text("---\n: [\n---\n")
    (tmp_path / "dataset_info.json").write_text("[]")
    assert prepared(tmp_path, "a.parquet").labels == (0, 1)


def put_state(folder: Path, text: str) -> None:
    (folder / "state.json").write_text(text)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: (folder / "notes.md").touch(), r"is a folder without one\. Give the path"),
        (
            lambda folder: parquet(folder / "test-00000-of-00001.parquet", 0, 4),
            r"no split called train but 'test'.*data\.source: \{train: FILE\}",
        ),
        (
            lambda folder: put_state(folder, '{"_data_files": [{"filename": "x"}]}'),
            r"x is missing\. Save it again",
        ),
        (
            lambda folder: put_state(folder, '{"_indices_files": [{}]}'),
            r"flatten_indices",
        ),
        (lambda folder: put_state(folder, "{"), r"state\.json cannot be read"),
    ],
)
def test_a_folder_that_is_no_whole_dataset_is_refused(tmp_path: Path, make: Any, said: str) -> None:
    (tmp_path / "hub").mkdir()
    make(tmp_path / "hub")
    with pytest.raises(DataError, match=said):
        prepared(tmp_path, "hub")
