"""Where a classifier errs: rows by length, by class, and the words that its errors share."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest

from bertsweep.evaluation.resampling import LEVEL, Interval, resampled
from bertsweep.evaluation.rows import Answers, Bools, Rows, plain_number
from bertsweep.evaluation.scores import scores_of

WORDS = 20
"""Words of errors that are named at most."""

_FEWEST_ERRORS = 3
"""A word that stands in fewer errors says nothing."""

_LARGEST_BUCKET = 512
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Slice:
    """Some of the rows: how many, how many of them are labelled wrongly, and a score.

    `metric` names the score. Its interval is the bootstrap's over the rows of the slice, for an
    accuracy or recall that of Wilson 1927, which also holds for few rows.
    """

    name: str
    rows: int
    errors: int
    metric: str
    score: float
    interval: Interval

    def to_plain(self) -> dict[str, Any]:
        return {
            "slice": self.name,
            "rows": self.rows,
            "errors": self.errors,
            "metric": self.metric,
            "score": plain_number(self.score),
            **self.interval.to_plain(),
        }


@dataclass(frozen=True)
class Word:
    """A word that stands in more errors than its share.

    `slice` are the rows that hold it. `log_odds` is the logarithm of the odds to find it in an
    error over those in a row that is right, 0.5 added to each count; `z` that over its standard
    error, by which words are ranked, since rare ones have large odds by chance.
    """

    slice: Slice
    log_odds: float
    z: float

    def to_plain(self) -> dict[str, Any]:
        return {**self.slice.to_plain(), "log_odds": self.log_odds, "z": self.z}


@dataclass(frozen=True)
class Slices:
    """Rows by their number of word pieces, by their class, and by the words of the errors."""

    length: tuple[Slice, ...]
    label: tuple[Slice, ...]
    words: tuple[Word, ...]

    def to_plain(self) -> dict[str, Any]:
        return {
            "length": [one.to_plain() for one in self.length],
            "class": [one.to_plain() for one in self.label],
            "words": [one.to_plain() for one in self.words],
        }


def slices(rows: Rows, answers: Answers, *, metric: str, seed: int) -> Slices:
    """All slices; those by length are scored by `metric`."""
    right = answers.predicted == rows.labels
    return Slices(
        length=tuple(_by_length(rows, answers, right, metric=metric, seed=seed)),
        label=tuple(
            _share(str(name), right[rows.labels == index], "recall")
            for index, name in enumerate(rows.names)
            if (rows.labels == index).any()
        ),
        words=tuple(error_words(rows, right)),
    )


def error_words(rows: Rows, right: Bools) -> list[Word]:
    """The words over-represented among the rows that are not `right`, the surest first.

    Words are runs of letters and digits in lower case; each counts once a row. Log-odds with
    standard error: Monroe, Colaresi and Quinn 2008, "Fightin' Words", section 3.2.
    """
    counts: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    where: dict[str, list[int]] = {}
    for row, text in enumerate(rows.texts):
        found = set(_WORD.findall(text.lower()))
        counts[int(right[row])].update(found)
        for word in found:
            where.setdefault(word, []).append(row)
    total = (int(np.sum(~right)), int(np.sum(right)))
    scored = []
    for word, errors in counts[0].items():
        if errors < _FEWEST_ERRORS:
            continue
        inside = (errors + 0.5, counts[1][word] + 0.5)
        outside = (total[0] - errors + 0.5, total[1] - counts[1][word] + 0.5)
        log_odds = float(np.log(inside[0] / outside[0]) - np.log(inside[1] / outside[1]))
        error = float(np.sqrt(sum(1 / count for count in (*inside, *outside))))
        if log_odds > 0:
            scored.append((log_odds / error, word, log_odds))
    scored.sort(key=lambda one: (-one[0], one[1]))
    return [
        Word(_share(word, right[where[word]], "accuracy"), log_odds, z)
        for z, word, log_odds in scored[:WORDS]
    ]


def _by_length(
    rows: Rows, answers: Answers, right: Bools, *, metric: str, seed: int
) -> list[Slice]:
    """Buckets that double: up to 8 word pieces, 9 to 16, and so on."""
    made, low, high = [], 0, 8
    while low < max(int(rows.lengths.max()), 1):
        top = high if high < _LARGEST_BUCKET else int(rows.lengths.max())
        inside = (rows.lengths > low) & (rows.lengths <= top)
        if inside.any():
            name = f"{low + 1} to {high}" if high < _LARGEST_BUCKET else f"{low + 1} or more"
            score, interval = _scored(rows, answers, inside, metric=metric, seed=seed)
            errors = int(np.sum(~right[inside]))
            made.append(Slice(name, int(inside.sum()), errors, metric, score, interval))
        low, high = top, 2 * high
    return made


def _scored(
    rows: Rows, answers: Answers, inside: Bools, *, metric: str, seed: int
) -> tuple[float, Interval]:
    some = Answers(answers.probabilities[inside], answers.threshold)
    labels = rows.labels[inside]
    score = scores_of(labels, some)[metric]
    (found,) = resampled(labels, [some], classes=len(rows.names), seed=seed, only=metric)
    return score, Interval.of(found[metric])


def _share(name: str, right: Bools, metric: str) -> Slice:
    """A slice scored by the share of its rows that is right."""
    count, total = int(np.sum(right)), len(right)
    bounds = binomtest(count, total).proportion_ci(LEVEL, method="wilson")
    interval = Interval(float(bounds.low), float(bounds.high))
    return Slice(name, total, total - count, metric, count / total, interval)
