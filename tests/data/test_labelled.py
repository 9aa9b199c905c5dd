"""Labelled rows of a file for a classifier that knows its classes."""

from __future__ import annotations

from pathlib import Path

import pytest

from bertsweep.data import LabelledRows, read_labelled
from bertsweep.errors import DataError
from bertsweep.spec import load_data


def read(path: Path, text: str, labels: tuple[object, ...] = (0, 1)) -> LabelledRows:
    path = path / "rows.csv"
    path.write_text(text)
    described = load_data({"source": str(path)})
    return read_labelled(str(path), described, labels, cache=path.parent)  # type: ignore[arg-type]


def test_rows_without_text_or_label_are_left_out_and_told(tmp_path: Path) -> None:
    found = read(tmp_path, 'text,label\nWhy?,0\n" ",1\nWho?,\nWhen?, 1 \n')
    assert found.frame["text"].tolist() == ["Why?", "When?"]
    assert found.frame["label"].tolist() == [0, 1]
    assert found.frame["label"].dtype == "int32"
    assert any("2 rows with an empty text or label" in note.message for note in found.notes)
    with pytest.raises(DataError, match="no row with both"):
        read(tmp_path, "text,label\nWhy?,\n")


@pytest.mark.parametrize(
    ("labels", "written"),
    [
        ((0, 1), ("0.0", "1.0")),
        ((False, True), ("FALSE", "true")),
        (("01", "1"), ("01", "1")),
        ((0.5, 2), ("0.50", "2")),
    ],
)
def test_a_label_is_known_by_its_value(
    tmp_path: Path, labels: tuple[object, ...], written: tuple[str, str]
) -> None:
    found = read(tmp_path, f"text,label\na,{written[1]}\nb,{written[0]}\n", labels)
    assert found.frame["label"].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("labels", "written"), [((0, 1), "spam"), (("ham", "spam"), "Ham"), ((0, 1), "true")]
)
def test_a_label_of_another_kind_is_an_error_that_names_both(
    tmp_path: Path, labels: tuple[object, ...], written: str
) -> None:
    with pytest.raises(DataError, match=f"'label' holds '{written}'"):
        read(tmp_path, f"text,label\na,{written}\n", labels)
