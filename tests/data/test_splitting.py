"""Splits are scikit-learn's, row for row; what cannot be split is refused with numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from bertsweep.data import Dataset
from bertsweep.data.splitting import Cutter
from bertsweep.errors import DataError
from bertsweep.spec.data_models import Split
from tests.support.datafiles import prepared, questions, written


def unbalanced(rows: int, share: float = 0.06) -> pd.DataFrame:
    frame = questions(rows)
    frame["label"] = (np.random.default_rng(3).random(rows) < share).astype(int)
    return frame


def texts(dataset: Dataset, name: str) -> list[str]:
    return dataset.splits[name]["text"].tolist()


def sizes(dataset: Dataset) -> dict[str, int]:
    return {name: len(frame) for name, frame in dataset.splits.items()}


@pytest.mark.parametrize("labels", [(0, 1), ("no", "yes")])
def test_the_tutorials_split_row_for_row(tmp_path: Path, labels: tuple[object, object]) -> None:
    df = unbalanced(26_123).rename(columns={"text": "question_text", "label": "target"})
    df["target"] = df["target"].map(dict(enumerate(labels)))
    train_df, remaining = train_test_split(
        df, random_state=42, train_size=0.1, stratify=df.target.values
    )
    valid_df, _ = train_test_split(
        remaining, random_state=42, train_size=0.01, stratify=remaining.target.values
    )
    dataset = prepared(
        tmp_path,
        written(tmp_path, df),
        text="question_text",
        label="target",
        split={"train": 0.1, "validation": 0.01, "test": "rest", "random_state": 42},
    )
    assert texts(dataset, "train") == train_df["question_text"].tolist()
    assert texts(dataset, "validation") == valid_df["question_text"].tolist()
    codes = dataset.splits["train"]["label"]
    assert [labels[code] for code in codes] == train_df["target"].tolist()
    used = set(train_df["question_text"]) | set(valid_df["question_text"])
    assert set(texts(dataset, "test")) == set(df["question_text"]) - used


def test_a_test_split_is_cut_from_what_is_left(tmp_path: Path) -> None:
    df = unbalanced(3_000)
    _, left = train_test_split(df, random_state=5, train_size=1_000, stratify=df.label)
    _, left = train_test_split(left, random_state=5, train_size=0.25, stratify=left.label)
    test, _ = train_test_split(left, random_state=5, train_size=0.5, stratify=left.label)
    split = {"train": 1_000, "validation": 0.25, "test": 0.5, "random_state": 5}
    dataset = prepared(tmp_path, written(tmp_path, df), split=split)
    assert texts(dataset, "test") == test["text"].tolist()
    assert sizes(dataset) == {"train": 1_000, "validation": 500, "test": 750}


def test_train_as_the_rest_is_what_validation_and_test_leave(tmp_path: Path) -> None:
    df = unbalanced(3_000)
    validation, left = train_test_split(df, random_state=42, train_size=0.1, stratify=df.label)
    test, left = train_test_split(left, random_state=42, train_size=500, stratify=left.label)
    dataset = prepared(tmp_path, written(tmp_path, df), split={"test": 500})
    assert texts(dataset, "validation") == validation["text"].tolist()
    assert texts(dataset, "test") == test["text"].tolist()
    assert texts(dataset, "train") == left["text"].tolist()


def test_counts_may_use_up_every_row(tmp_path: Path) -> None:
    path = written(tmp_path, questions(100))
    dataset = prepared(tmp_path, path, split={"train": 60, "validation": 20, "test": 20})
    assert sizes(dataset) == {"train": 60, "validation": 20, "test": 20}


@given(
    counts=st.lists(st.integers(10, 60), min_size=2, max_size=5),
    train=st.one_of(st.just("rest"), st.floats(0.2, 0.6), st.integers(8, 12)),
    validation=st.floats(0.3, 0.6),
    seed=st.integers(0, 2**31),
)
def test_splits_are_disjoint_stratified_and_repeatable(
    counts: list[int], train: Any, validation: float, seed: int
) -> None:
    codes = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    split = Split(
        train=train,
        validation=validation,
        test="rest" if train != "rest" else 0.5,
        random_state=seed,
    )
    cutter = Cutter(codes, tuple(range(len(counts))), seed)
    rows = np.arange(len(codes))
    parts = cutter.cut_all(rows, split, ["train", "validation", "test"])
    joined = np.concatenate(list(parts.values()))
    assert sorted(joined) == rows.tolist()
    for part in parts.values():
        expected = len(part) * np.array(counts) / len(codes)
        assert np.all(np.abs(np.bincount(codes[part], minlength=len(counts)) - expected) < 2)
    again = cutter.cut_all(rows, split, ["train", "validation", "test"])
    assert all(np.array_equal(parts[name], again[name]) for name in parts)


def test_a_limit_draws_a_stratified_sample_in_order(tmp_path: Path) -> None:
    df = unbalanced(2_000, share=0.2)
    path = written(tmp_path, df)
    dataset = prepared(tmp_path, path, limit=500)
    every = pd.concat(list(dataset.splits.values()))
    assert len(every) == 500
    assert every["label"].mean() == pytest.approx(df["label"].mean(), abs=0.002)
    assert prepared(tmp_path, path, limit=500).hash == dataset.hash
    assert sizes(prepared(tmp_path, path, limit=5_000)) == sizes(prepared(tmp_path, path))


def test_a_file_for_each_split_is_taken_as_it_is(tmp_path: Path) -> None:
    frame = questions(100)
    source = {
        "train": written(tmp_path, frame[:60], "a.csv"),
        "validation": written(tmp_path, frame[60:80], "b.csv"),
        "test": written(tmp_path, frame[80:], "c.csv"),
    }
    dataset = prepared(tmp_path, source)
    assert texts(dataset, "train") == frame["text"][:60].tolist()
    assert texts(dataset, "validation") == frame["text"][60:80].tolist()
    assert texts(dataset, "test") == frame["text"][80:].tolist()


def test_a_missing_validation_file_is_cut_from_train(tmp_path: Path) -> None:
    frame = questions(100)
    source = {
        "train": written(tmp_path, frame[:80], "a.csv"),
        "test": written(tmp_path, frame[80:], "c.csv"),
    }
    dataset = prepared(tmp_path, source, split={"validation": 0.25})
    assert sizes(dataset) == {"train": 60, "validation": 20, "test": 20}
    assert texts(dataset, "test") == frame["text"][80:].tolist()
    some = prepared(tmp_path, source, split={"train": 40, "validation": 0.25})
    assert sizes(some) == {"train": 40, "validation": 10, "test": 20}
    few = prepared(tmp_path, source, split={"validation": 0.25}, limit=10)
    assert sizes(few) == {"train": 8, "validation": 2, "test": 10}


def test_empty_rows_of_one_file_do_not_shift_the_others(tmp_path: Path) -> None:
    frame = questions(100)
    frame.loc[[0, 59], "text"] = " "
    source = {
        "train": written(tmp_path, frame[:60], "a.csv"),
        "validation": written(tmp_path, frame[60:80], "b.csv"),
        "test": written(tmp_path, frame[80:], "c.csv"),
    }
    dataset = prepared(tmp_path, source)
    assert texts(dataset, "validation") == frame["text"][60:80].tolist()
    assert texts(dataset, "test") == frame["text"][80:].tolist()
    assert sizes(dataset) == {"train": 58, "validation": 20, "test": 20}


@pytest.mark.parametrize(
    ("split", "said"),
    [
        (
            {"train": 200},
            r"data\.split\.train asks for 200 rows, but 100 are there\. Set it to a smaller",
        ),
        (
            {"train": 90, "validation": 20},
            r"data\.split\.validation asks for 20 rows, but 10 are there",
        ),
        ({"train": 100}, r"data\.split\.validation asks for a share of 0\.1, but no rows are left"),
        (
            {"train": 60, "validation": 40, "test": "rest"},
            r"data\.split\.test asks for the rest, but no rows are left for it\. Ask for fewer",
        ),
        (
            {"validation": 40, "test": 60},
            r"data\.split\.train asks for the rest, but no rows are left",
        ),
        (
            {"train": 99},
            r"each of the 2 classes, but 99 rows of the 100 .* leaves 1\. Ask for 2 to 98 rows, or",
        ),
        (
            {"validation": 0.001},
            r"a share of 0\.001 of the 100 rows .* takes 0 and leaves 100\. Ask for 2 to 98 rows\.",
        ),
        ({"train": "rest", "test": "rest"}, r"only one split can be the rest.* Set one of them"),
    ],
)
def test_splits_that_do_not_fit_are_refused(
    tmp_path: Path, split: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        prepared(tmp_path, written(tmp_path, questions(100)), split=split)


def test_a_class_with_one_row_cannot_be_stratified(tmp_path: Path) -> None:
    frame = questions(100)
    frame["label"] = frame["label"].map(str)
    frame.loc[7, "label"] = "rare"
    with pytest.raises(
        DataError,
        match=r"at least 2 rows of each, but only 1 of the 100 rows .* of class 'rare'\. Add rows",
    ):
        prepared(tmp_path, written(tmp_path, frame))
    frame["label"] = [f"value {index}" for index in range(100)]
    with pytest.raises(DataError, match=r"'value 0'.* and 95 more\..*names a column of classes"):
        prepared(tmp_path, written(tmp_path, frame))


def test_a_class_that_train_lacks_is_refused(tmp_path: Path) -> None:
    frame = questions(100)
    frame.loc[frame.index[80:], "label"] = 2
    source = {
        "train": written(tmp_path, frame[:80], "a.csv"),
        "test": written(tmp_path, frame[80:], "c.csv"),
    }
    with pytest.raises(
        DataError,
        match=r"every class must stand in train, but train \(72 rows\) has none of class 2",
    ):
        prepared(tmp_path, source)


def test_a_class_missing_from_validation_or_test_is_said(tmp_path: Path) -> None:
    frame = questions(90, classes=("a", "b", "c"))
    ab = frame[frame["label"] != "c"]
    source = {
        "train": written(tmp_path, frame, "a.csv"),
        "validation": written(tmp_path, ab.assign(text=ab["text"] + " really"), "b.csv"),
        "test": written(tmp_path, ab[::2].assign(text="so " + ab["text"]), "c.csv"),
    }
    dataset = prepared(tmp_path, source)
    assert [note.kind for note in dataset.notes] == [
        "missing_class_validation",
        "missing_class_test",
    ]
    assert "validation (60 rows) has none of class 'c'" in dataset.notes[0].message
    only_a = ab[ab["label"] == "a"]
    source["validation"] = written(tmp_path, only_a.assign(text="well " + only_a["text"]), "b.csv")
    with pytest.raises(DataError, match=r"validation must hold two classes or more to rank trials"):
        prepared(tmp_path, source)
