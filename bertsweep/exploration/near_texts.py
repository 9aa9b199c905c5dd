"""Rows that repeat, and near-identical texts with different labels: the likeliest label errors.

Texts are compared by their words, without casing, punctuation and white space. Two are near where
they have the same words; where one has a word more (both of `_SHORTEST_ADDED` words or more); or
where one word is exchanged (in `_SHORTEST_CHANGED` words or more, since in short texts one word may
be all that matters). Every text is filed under its words and under its words without each one in
turn, so that near texts meet in a file and not every pair must be compared.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bertsweep.data import Dataset

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 100_000
"""Rows that are compared; of more, a sample is."""

_SHORTEST_ADDED, _SHORTEST_CHANGED = 5, 8
_LONGEST = 100
_WORD = re.compile(r"\w+")
_NEARNESS = ("same words", "one word more", "one word exchanged")


@dataclass(frozen=True)
class Row:
    """A row: its split, its label as it stands in the data, its text."""

    split: str
    label: Any
    text: str

    def to_plain(self) -> dict[str, Any]:
        return {"split": self.split, "label": self.label, "text": self.text}


@dataclass(frozen=True)
class Conflict:
    """Two near texts with different labels; `nearness` says how near they are."""

    nearness: str
    one: Row
    other: Row

    def to_plain(self) -> dict[str, Any]:
        return {
            "nearness": self.nearness,
            "one": self.one.to_plain(),
            "other": self.other.to_plain(),
        }


@dataclass(frozen=True)
class NearTexts:
    """What was found among `compared` of all rows.

    `repeated` counts by split the rows whose words another row of the same split has before them.
    `conflicts` come nearest first.
    """

    compared: int
    repeated: dict[str, int]
    conflicts: tuple[Conflict, ...]


def near_texts(dataset: Dataset) -> NearTexts:
    """Compares the rows of all splits with one another."""
    rows = list(_rows(dataset))
    words = [tuple(_WORD.findall(row.text.casefold())) for row in rows]
    repeated = dict.fromkeys(dataset.splits, 0)
    seen = set()
    for row, each in zip(rows, words, strict=True):
        repeated[row.split] += (row.split, each) in seen
        seen.add((row.split, each))
    found = sorted(_conflicts(rows, words), key=lambda one: _NEARNESS.index(one.nearness))
    return NearTexts(len(rows), repeated, tuple(found))


def _rows(dataset: Dataset) -> Iterator[Row]:
    total = sum(map(len, dataset.splits.values()))
    for split, frame in dataset.splits.items():
        some: pd.DataFrame = frame
        if total > MOST_ROWS:
            some = frame.sample(max(1, len(frame) * MOST_ROWS // total), random_state=0)
        texts = [some[name].tolist() for name in ("text", "text_b") if name in some]
        for code, *parts in zip(some["label"].tolist(), *texts, strict=True):
            yield Row(split, dataset.labels[code], " | ".join(parts))


def _conflicts(rows: Sequence[Row], words: Sequence[tuple[str, ...]]) -> Iterator[Conflict]:
    """A conflict for each label that the first row of a file does not have."""
    whole: dict[int, list[int]] = defaultdict(list)
    without: dict[int, list[int]] = defaultdict(list)
    for index, each in enumerate(words):
        if not each:
            continue
        whole[hash(each)].append(index)
        if _SHORTEST_ADDED <= len(each) <= _LONGEST:
            shorter = {hash(each[:at] + each[at + 1 :]) for at in range(len(each))}
            for key in shorter:
                without[key].append(index)
    told: set[tuple[int, int]] = set()
    for file in whole.values():
        yield from _of_file(rows, file, _NEARNESS[0], told)
    for key, longer in without.items():
        if key in whole and len(words[whole[key][0]]) >= _SHORTEST_ADDED:
            yield from _of_file(rows, [whole[key][0], *longer], _NEARNESS[1], told)
    for file in without.values():
        changed = [index for index in file if len(words[index]) >= _SHORTEST_CHANGED]
        yield from _of_file(rows, changed, _NEARNESS[2], told)


def _of_file(
    rows: Sequence[Row], file: Sequence[int], nearness: str, told: set[tuple[int, int]]
) -> Iterator[Conflict]:
    if len(file) < 2:
        return
    first = file[0]
    labels = {rows[first].label}
    for index in file[1:]:
        pair = (min(first, index), max(first, index))
        if rows[index].label not in labels and pair not in told:
            labels.add(rows[index].label)
            told.add(pair)
            yield Conflict(nearness, rows[first], rows[index])
