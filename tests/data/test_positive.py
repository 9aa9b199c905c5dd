"""Which of two classes is positive: stated, or found by its name, else its rarity; always said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bertsweep.data import Dataset
from bertsweep.errors import DataError
from tests.support.datafiles import prepared, questions, rows_of, written


def dataset_of(folder: Path, counts: dict[Any, int], **data: Any) -> Dataset:
    """A dataset with so many rows of each label, mixed up."""
    labels = pd.Series([label for label, count in counts.items() for _ in range(count)])
    frame = questions(len(labels)).assign(label=labels.sample(frac=1, random_state=0).to_list())
    return prepared(folder, written(folder, frame.astype({"label": str})), **data)


def said(dataset: Dataset) -> dict[str, str]:
    kinds = ("positive_class", "positive_majority")
    return {note.kind: note.message for note in dataset.notes if note.kind in kinds}


@pytest.mark.parametrize(
    ("counts", "labels"),
    [
        ({"0": 90, "1": 10}, (0, 1)),
        ({"0": 10, "1": 90}, (0, 1)),
        ({"1": 90, "2": 10}, (2, 1)),
        ({"-1": 10, "1": 90}, (-1, 1)),
        ({"+1": 90, "-1": 10}, (-1, 1)),
        ({"True": 90, "False": 10}, (False, True)),
        ({"yes": 90, "no": 10}, ("no", "yes")),
        ({"negative": 10, "Positive": 90}, ("negative", "Positive")),
        ({"pos": 90, "neg": 10}, ("neg", "pos")),
        ({"T": 90, "F": 10}, ("F", "T")),
        ({"Y": 90, "N": 10}, ("N", "Y")),
    ],
)
def test_a_name_that_says_so_is_positive_however_many_rows_it_has(
    tmp_path: Path, counts: dict[str, int], labels: tuple[object, ...]
) -> None:
    dataset = dataset_of(tmp_path, counts)
    assert dataset.labels == labels
    assert dataset.positive == labels[1]
    assert "as its name says" in said(dataset)["positive_class"]


@pytest.mark.parametrize(
    ("rare", "common"),
    [("fraud", "legit"), ("hate", "neutral"), ("spam", "ham"), ("zz", "aa"), ("0", "2")],
)
def test_else_the_rarer_class_is_positive(tmp_path: Path, rare: str, common: str) -> None:
    dataset = dataset_of(tmp_path, {common: 87, rare: 13})
    assert [str(label) for label in dataset.labels] == [common, rare]
    assert sum(int(part["label"].sum()) for part in dataset.splits.values()) == 13


def test_two_names_that_say_so_leave_it_to_the_rarer_class(tmp_path: Path) -> None:
    assert dataset_of(tmp_path, {"yes": 30, "true": 60}).positive == "yes"


def test_of_equally_frequent_classes_the_last_in_order_is_positive(tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path, {"cat": 30, "dog": 30})
    assert dataset.labels == ("cat", "dog")
    assert "the last in order of two equally frequent classes" in said(dataset)["positive_class"]


def test_what_was_chosen_is_said_with_its_share_and_the_other_choice(tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path, {"ham": 866, "spam": 134})
    assert said(dataset) == {
        "positive_class": "positive is 'spam' (134 of 1,000 rows, 13.4 %), the rarer class; "
        'data.positive: "ham" would choose the other.'
    }


def test_a_positive_majority_is_warned_of(tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path, {"ham": 866, "spam": 134}, positive="ham")
    assert dataset.labels == ("spam", "ham")
    assert said(dataset) == {
        "positive_class": "positive is 'ham' (866 of 1,000 rows, 86.6 %), as chosen "
        "(data.positive).",
        "positive_majority": "warning: the positive class 'ham' is the majority (86.6 % of the "
        "rows): guessing reaches an average precision of 0.87 and an F1 of 0.93. "
        'data.positive: "spam" scores the rarer class.',
    }
    assert "positive_majority" in said(dataset_of(tmp_path, {"no": 13, "yes": 87}))


@pytest.mark.parametrize(
    ("counts", "stated", "labels"),
    [
        ({"0": 60, "1": 30}, 0, (1, 0)),
        ({"0": 60, "1": 30}, "0", (1, 0)),
        ({"0": 60, "1": 30}, 0.0, (1, 0)),
        ({"0.5": 60, "1.50": 30}, 0.5, (1.5, 0.5)),
        ({"0.5": 30, "1.50": 60}, "1.50", (0.5, 1.5)),
        ({"True": 30, "FALSE": 60}, False, (True, False)),
        ({"True": 30, "FALSE": 60}, "false", (True, False)),
        ({"01": 30, "1": 60}, 1, ("01", "1")),
        ({"01": 60, "1": 30}, "01", ("1", "01")),
        ({"true": 60, "1": 30}, True, ("1", "true")),
        ({" ham ": 60, "spam": 30}, " ham", ("spam", "ham")),
    ],
)
def test_the_stated_label_is_positive_as_the_file_writes_it_or_by_its_value(
    tmp_path: Path, counts: dict[str, int], stated: object, labels: tuple[object, ...]
) -> None:
    dataset = dataset_of(tmp_path, counts, positive=stated)
    assert dataset.labels == labels
    assert [type(label) for label in dataset.labels] == [type(label) for label in labels]


def test_choosing_the_other_class_changes_no_label_of_a_row(tmp_path: Path) -> None:
    one = dataset_of(tmp_path, {"ham": 60, "spam": 30})
    other = dataset_of(tmp_path, {"ham": 60, "spam": 30}, positive="ham")
    assert rows_of(one) == rows_of(other)
    assert one.hash != other.hash


@pytest.mark.parametrize("stated", ["scam", 1, True])
def test_a_stated_label_that_is_not_there_is_refused(tmp_path: Path, stated: object) -> None:
    with pytest.raises(
        DataError,
        match=r'one of the two labels in column \'label\', "ham" or "spam", but got .*\. '
        r'Type data\.positive: "ham" or data\.positive: "spam"\.',
    ):
        dataset_of(tmp_path, {"ham": 60, "spam": 30}, positive=stated)


def test_true_is_not_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"0 or 1, but got true"):
        dataset_of(tmp_path, {"0": 60, "1": 30}, positive=True)


def test_more_than_two_classes_have_no_positive_one(tmp_path: Path) -> None:
    counts = {"a": 30, "b": 30, "yes": 30}
    dataset = dataset_of(tmp_path, counts)
    assert dataset.labels == ("a", "b", "yes")
    assert dataset.positive is None
    assert said(dataset) == {}
    with pytest.raises(
        DataError, match=r"'label' has 3 \('a', 'b', 'yes'\)\. Leave data\.positive out"
    ):
        dataset_of(tmp_path, counts, positive="yes")


def test_renaming_the_labels_changes_nothing_else(tmp_path: Path) -> None:
    frame = questions(300)
    frame["label"] = [int(index % 7 == 0) for index in range(300)]
    plain = prepared(tmp_path, written(tmp_path, frame))
    for names in (("legit", "fraud"), ("aaa", "zzz"), (False, True)):
        renamed = frame.assign(label=frame["label"].map(dict(enumerate(names))))
        dataset = prepared(tmp_path, written(tmp_path, renamed, "renamed.csv"))
        assert dataset.labels == names
        for name, split in plain.splits.items():
            pd.testing.assert_frame_equal(split, dataset.splits[name])


def test_the_hash_of_numbered_labels_is_what_it_was(tmp_path: Path) -> None:
    # A sweep that began with an earlier version finds its data again.
    was = "63a70e3f7f3a577255bfbcffff21c72cb8112f69387db22b0899d1bff0e8002a"
    assert prepared(tmp_path, "builtin:questions").hash == was
