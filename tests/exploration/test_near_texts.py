"""Which texts are near, and which labels are therefore doubtful."""

from __future__ import annotations

import pandas as pd
import pytest

from bertsweep.data import Dataset
from bertsweep.exploration.near_texts import NearTexts, near_texts

LONG = "what is the best way to learn a language"


def compared(*rows: tuple[str, str, int]) -> NearTexts:
    """Rows of (split, text, label)."""
    frame = pd.DataFrame(rows, columns=["split", "text", "label"])
    splits = {
        name: frame[frame["split"] == name].drop(columns="split").reset_index(drop=True)
        for name in ("train", "validation", "test")
    }
    return near_texts(Dataset(splits, ("no", "yes"), "", ()))


@pytest.mark.parametrize(
    ("text", "nearness"),
    [
        (f"{LONG.upper()}??", "same words"),
        (LONG.replace(" to ", ", to "), "same words"),
        (f"{LONG} quickly", "one word more"),
        (LONG.replace("best ", ""), "one word more"),
        (LONG.replace("best", "worst"), "one word exchanged"),
        (LONG.replace("best", "very worst"), None),
        (LONG.replace("learn", "teach").replace("best", "worst"), None),
    ],
)
def test_texts_are_near_by_their_words(text: str, nearness: str | None) -> None:
    found = compared(("train", LONG, 0), ("validation", text, 1)).conflicts
    assert [one.nearness for one in found] == ([nearness] if nearness else [])
    if nearness:
        assert {
            (found[0].one.split, found[0].one.label),
            (found[0].other.split, found[0].other.label),
        } == {
            ("train", "no"),
            ("validation", "yes"),
        }


def test_equal_labels_are_no_conflict_and_a_word_counts_in_short_texts() -> None:
    assert not compared(("train", LONG, 1), ("test", f"{LONG}!", 1)).conflicts
    assert not compared(("train", "who is this man", 0), ("test", "who is that man", 1)).conflicts
    assert not compared(("train", "?", 0), ("test", "!", 1)).conflicts


def test_the_nearest_come_first_and_no_pair_twice() -> None:
    found = compared(
        ("train", LONG.replace("best", "worst"), 1),
        ("train", LONG, 0),
        ("train", f"{LONG}?", 1),
    )
    assert [one.nearness for one in found.conflicts] == ["same words", "one word exchanged"]
    assert (found.compared, found.repeated) == (3, {"train": 1, "validation": 0, "test": 0})
