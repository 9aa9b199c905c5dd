"""Which columns are taken for text and label."""

from __future__ import annotations

import random
from pathlib import Path

import pandas as pd
import pytest

from bertsweep.data import peek
from bertsweep.draft.columns import Guess, guess
from bertsweep.errors import DataError, InputError
from bertsweep.spec import load_data
from tests.support.datafiles import questions, written


def table(rows: int = 60) -> pd.DataFrame:
    """An id, a text, a category of five and a class of two, none called what is looked for."""
    chance = random.Random(1)
    frame = questions(rows)
    return pd.DataFrame(
        {
            "qid": [f"{chance.getrandbits(300):x}" for _ in range(rows)],
            "question": frame["text"],
            "kind": [f"kind {index % 5}" for index in range(rows)],
            "spam": frame["label"],
        }
    )


def guessed(folder: Path, frame: pd.DataFrame, **named: object) -> Guess:
    source = written(folder, frame)
    seen = peek(load_data({"source": source}), base=folder, cache=folder / "cache")
    return guess(seen, source, **named)  # type: ignore[arg-type]


def test_the_longest_text_and_the_fewest_values_are_taken_and_said(tmp_path: Path) -> None:
    found = guessed(tmp_path, table())
    assert (found.text, found.label) == (("question",), "spam")
    said = " ".join(found.notes)
    assert "'question', which has the longest values" in said
    assert "--text" in said
    assert "'spam' (2 different values; 'kind' has 5" in said
    assert "--label" in said


def test_a_name_counts_more_than_the_number_of_values(tmp_path: Path) -> None:
    frame = table().rename(columns={"kind": "category"})
    assert guessed(tmp_path, frame).label == "category"
    frame = table().rename(columns={"spam": "is_test_split"})
    assert guessed(tmp_path, frame).label == "kind"


def test_what_is_named_is_not_guessed(tmp_path: Path) -> None:
    found = guessed(tmp_path, table(), text=["kind"], label="spam")
    assert (found.text, found.label, found.notes) == (("kind",), "spam", ())


def test_two_columns_that_are_called_a_pair_are_one(tmp_path: Path) -> None:
    frame = table().rename(columns={"question": "Sentence1"})
    frame["sentence2"] = frame["Sentence1"] + " Really so?"
    assert guessed(tmp_path, frame).text == ("Sentence1", "sentence2")


def test_a_table_without_a_header_has_numbers(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(table().to_csv(index=False, header=False))
    seen = peek(load_data({"source": str(path)}), base=tmp_path, cache=tmp_path / "cache")
    assert not seen.header
    assert seen.rows == 60
    found = guess(seen, "rows.csv")
    assert (found.text, found.label) == (("2",), "4")


def test_where_none_fits_the_option_is_named(tmp_path: Path) -> None:
    frame = table()
    with pytest.raises(InputError, match=r"looks like a label.*--label COLUMN.*'qid'"):
        guessed(tmp_path, frame[["qid", "question"]])
    with pytest.raises(DataError, match=r"--text names the column 'qestion'.*'question'"):
        guessed(tmp_path, frame, text=["qestion"])


def test_json_with_lists_in_it_is_looked_at_too(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    frame = table().assign(spam=[[index] for index in range(60)])
    frame.to_json(path, orient="records", lines=True)
    seen = peek(load_data({"source": str(path)}), base=tmp_path, cache=tmp_path / "cache")
    assert set(seen.columns["spam"]) == {None}
    assert guess(seen, "rows.jsonl").label == "kind"
