"""Labels, empty rows, leaks, contradictions: settled the same way each time, counted and said."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsweep.data import statistics
from bertsweep.data.labels import find_classes
from bertsweep.errors import DataError
from tests.support.datafiles import odd, prepared, questions, rows_of, written


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        (["1", "0"], (0, 1)),
        (["1", "1.0", "0", "-2", "10"], (-2, 0, 1, 10)),
        (["0.5", ".25", "1e1", "2."], (0.25, 0.5, 2, 10)),
        (["True", "false", "FALSE"], (False, True)),
        (["yes", "no", "Zebra", "éa"], ("Zebra", "no", "yes", "éa")),
        (["NA", "null"], ("NA", "null")),
        (["01", "1"], ("01", "1")),
        (["nan", "1"], ("1", "nan")),
        (["inf", "-inf"], ("-inf", "inf")),
        (["1e999", "1"], ("1", "1e999")),
        (["e5", ".", "-"], ("-", ".", "e5")),
        (["true", "1"], ("1", "true")),
        (["9007199254740993", "9007199254740992"], (9007199254740992, 9007199254740993)),
    ],
)
def test_classes_of_label_texts(texts: list[str], labels: tuple[object, ...]) -> None:
    classes = find_classes(texts)
    assert classes.labels == labels
    assert [type(label) for label in classes.labels] == [type(label) for label in labels]


@given(st.lists(st.one_of(st.integers(), st.floats(-1e9, 1e9)), min_size=2, unique_by=str))
def test_numbers_are_found_again_in_order_of_size(numbers: list[float]) -> None:
    classes = find_classes([str(number) for number in numbers])
    assert list(classes.labels) == sorted(set(numbers))
    assert [classes.labels[index] for index in classes.index] == numbers


@given(st.lists(st.text(min_size=1, max_size=6), min_size=1, unique=True))
def test_every_text_has_a_class(texts: list[str]) -> None:
    classes = find_classes(texts)
    assert set(classes.index) == set(range(len(classes.labels)))
    assert len({type(label) for label in classes.labels} - {int, float}) <= 1


def test_one_and_one_point_nought_are_one_class(tmp_path: Path) -> None:
    frame = questions(60, classes=("0", "1", "1.0"))
    dataset = prepared(tmp_path, written(tmp_path, frame))
    assert dataset.labels == (0, 1)
    assert sum(int(part["label"].sum()) for part in dataset.splits.values()) == 40


def test_labels_keep_their_words_but_not_the_blanks_around(tmp_path: Path) -> None:
    frame = questions(60, classes=("None", " NA ", "NA"))
    assert prepared(tmp_path, written(tmp_path, frame)).labels == ("NA", "None")


def test_words_among_numbers_are_said(tmp_path: Path) -> None:
    frame = questions(100, classes=("0", "1", "2", "3", "?"))
    dataset = prepared(tmp_path, written(tmp_path, frame))
    assert dataset.labels == ("0", "1", "2", "3", "?")
    (note,) = dataset.notes
    assert note.kind == "odd_labels"
    assert "Most labels are numbers but '?' are not" in note.message


def test_one_class_is_not_enough(tmp_path: Path) -> None:
    with pytest.raises(
        DataError,
        match=r"two classes or more, but the label column 'label' says 'a' in all 40 rows",
    ):
        prepared(tmp_path, written(tmp_path, questions(40, classes=("a",))))


def test_empty_texts_and_labels_are_left_out_and_counted(tmp_path: Path) -> None:
    frame = questions(100).astype({"label": object})
    frame.loc[0, "text"] = ""
    frame.loc[1, "text"] = " \t\u00a0\n"
    frame.loc[2, "label"] = " "
    frame.loc[3, ["text", "label"]] = ""
    dataset = prepared(tmp_path, written(tmp_path, frame))
    assert len(rows_of(dataset)) == 96
    assert [(note.kind, note.count) for note in odd(dataset)] == [
        ("empty_text", 3),
        ("empty_label", 1),
    ]
    assert odd(dataset)[0].message == "3 rows with an empty text left out."
    assert odd(dataset)[1].message == "1 row with an empty label left out."


def test_a_pair_with_one_empty_text_is_left_out(tmp_path: Path) -> None:
    frame = questions(100).assign(other="the same")
    frame.loc[5, "other"] = ""
    dataset = prepared(tmp_path, written(tmp_path, frame), text=["text", "other"])
    assert [(note.kind, note.count) for note in odd(dataset)] == [("empty_text", 1)]
    assert len(rows_of(dataset)) == 99


def leaky(tmp_path: Path) -> dict[str, str]:
    frame = questions(120)
    train, validation, test = frame[:60].copy(), frame[60:90].copy(), frame[90:].copy()
    validation.iloc[0] = ("  is NUMBER 4\ta good  one? ", 0)
    validation.iloc[1] = ("Is number 5 a good one?", 1)
    test.iloc[0] = ("IS NUMBER 6 A GOOD ONE?", 0)
    test.iloc[1] = ("is number 70 a good one?", 0)
    test.iloc[2] = ("Is number 5 a good one?", 1)
    parts = {"train": train, "validation": validation, "test": test}
    return {name: written(tmp_path, part, f"{name}.csv") for name, part in parts.items()}


def test_rows_that_stand_in_an_earlier_split_are_left_out(tmp_path: Path) -> None:
    dataset = prepared(tmp_path, leaky(tmp_path))
    assert {name: len(frame) for name, frame in dataset.splits.items()} == {
        "train": 60,
        "validation": 28,
        "test": 27,
    }
    assert [(note.kind, note.count) for note in odd(dataset)] == [
        ("leak_train_validation", 2),
        ("leak_train_test", 2),
        ("leak_validation_test", 1),
    ]
    assert odd(dataset)[0].message == (
        "2 validation rows whose text also stands in train, such as 'is NUMBER 4 a good one?': "
        "left out (data.leaks: keep would keep them)."
    )


def test_leaks_can_be_kept_and_are_said_all_the_same(tmp_path: Path) -> None:
    dataset = prepared(tmp_path, leaky(tmp_path), leaks="keep")
    assert [len(frame) for frame in dataset.splits.values()] == [60, 30, 30]
    assert [(note.kind, note.count) for note in odd(dataset)] == [
        ("leak_train_validation", 2),
        ("leak_train_test", 2),
        ("leak_validation_test", 2),
    ]
    assert "kept, so its scores look too good" in odd(dataset)[0].message


def test_a_pair_leaks_only_as_a_whole(tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": "same", "other": questions(90)["text"], "label": [0, 1] * 45})
    frame.loc[80, "other"] = frame.loc[4, "other"]
    source = {
        "train": written(tmp_path, frame[:60], "a.csv"),
        "validation": written(tmp_path, frame[60:75], "b.csv"),
        "test": written(tmp_path, frame[75:], "c.csv"),
    }
    dataset = prepared(tmp_path, source, text=["text", "other"])
    assert [(note.kind, note.count) for note in odd(dataset)] == [("leak_train_test", 1)]


def test_a_split_that_is_all_leaks_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, questions(60))
    with pytest.raises(DataError, match=r"no rows are left in test .* or set data\.leaks: keep"):
        prepared(tmp_path, {"train": path, "test": path})


def test_texts_with_different_labels_are_kept_and_said(tmp_path: Path) -> None:
    frame = questions(100)
    frame.loc[10, "text"] = "a" * 100
    frame.loc[11, "text"] = "A" * 100
    frame.loc[20, "text"] = frame.loc[21, "text"] = frame.loc[22, "text"] = "Twice?"
    dataset = prepared(tmp_path, written(tmp_path, frame), leaks="keep")
    note = next(note for note in dataset.notes if note.kind == "conflicting_labels")
    assert note.count == 2
    assert note.message == (
        f"2 texts with different labels (5 rows), such as '{'a' * 59}…' with 0 and 1: kept. "
        "Correct them if you can."
    )
    assert sum(map(len, dataset.splits.values())) == 100


def test_the_hash_is_of_rows_labels_and_splits(tmp_path: Path) -> None:
    frame = questions(200)

    def digest(frame: pd.DataFrame, **data: Any) -> str:
        return prepared(tmp_path, written(tmp_path, frame), **data).hash

    same = digest(frame)
    assert same == digest(frame.assign(more=1)) == digest(frame.astype({"label": float}))
    changed = frame.copy()
    changed.loc[3, "text"] += "!"
    relabelled = frame.copy()
    relabelled.loc[[3, 4], "label"] = relabelled.loc[[4, 3], "label"].to_numpy()
    others = [
        digest(changed),
        digest(relabelled),
        digest(frame.assign(label=frame["label"].map({0: "a", 1: "b"}))),
        digest(frame, split={"random_state": 1}),
        digest(frame, split={"validation": 0.2}),
        digest(frame.assign(other=frame["text"]), text=["text", "other"]),
    ]
    assert len({same, *others}) == 7


def test_statistics_add_up(tmp_path: Path) -> None:
    frame = questions(300, classes=("x", "y", "z"))
    frame["text"] += [" word" * (index % 30) for index in range(300)]
    frame.loc[0, "text"] = "long " * 500
    dataset = prepared(tmp_path, written(tmp_path, frame))
    figures = json.loads(json.dumps(statistics(dataset)))
    assert figures["hash"] == dataset.hash
    assert figures["labels"] == ["x", "y", "z"]
    assert figures["positive"] is None
    for name, part in figures["splits"].items():
        rows = dataset.splits[name]
        assert part["rows"] == len(rows) == sum(each["rows"] for each in part["classes"])
        assert math.isclose(sum(each["share"] for each in part["classes"]), 1)
        words = rows["text"].map(lambda text: len(text.split()))
        assert part["words"]["mean"] == pytest.approx(words.mean())
        assert part["words"]["quantiles"]["0.5"] == np.quantile(words, 0.5)
        assert part["characters"]["max"] == rows["text"].map(len).max()
        for kind in ("words", "characters"):
            histogram = part[kind]["histogram"]
            assert sum(histogram["counts"]) == len(rows)
            assert len(histogram["edges"]) == len(histogram["counts"]) + 1 <= 42
    assert (
        figures["splits"]["train"]["words"]["histogram"]["edges"]
        == (figures["splits"]["test"]["words"]["histogram"]["edges"])
    )


def test_statistics_of_pairs_count_both_texts(tmp_path: Path) -> None:
    frame = questions(60).assign(other="two words")
    figures = statistics(prepared(tmp_path, written(tmp_path, frame), text=["text", "other"]))
    assert figures["splits"]["train"]["words"]["min"] == 8
