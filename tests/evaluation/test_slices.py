"""Slices say where the errors are; aims find the threshold that they ask for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from bertsweep.errors import InputError
from bertsweep.evaluation import Aim, Answers, Rows
from bertsweep.evaluation.slices import error_words, slices


def rows_with_a_cause() -> tuple[Rows, Answers]:
    """200 rows; the 20 with the word "bank" are all labelled wrongly, and 5 others."""
    labels = np.arange(200) % 2
    texts = [f"the river bank {i}" if i < 20 else f"the river runs {i}" for i in range(200)]
    wrong = np.arange(200) < 25
    probabilities = np.where(wrong, 1 - labels, labels) * 0.8 + 0.1
    lengths = np.where(np.arange(200) < 100, 8, 600)
    return Rows(labels, ("no", "yes"), texts, lengths), Answers(probabilities, 0.5)


def test_the_word_that_errors_share_comes_first() -> None:
    rows, said = rows_with_a_cause()
    first = error_words(rows, said.predicted == rows.labels)[0]
    assert (first.slice.name, first.slice.rows, first.slice.errors) == ("bank", 20, 20)
    inside, outside = math.log(20.5 / 5.5), math.log(0.5 / 175.5)
    assert first.log_odds == pytest.approx(inside - outside)
    assert first.z == pytest.approx(
        first.log_odds / math.sqrt(1 / 20.5 + 1 / 5.5 + 1 / 0.5 + 1 / 175.5)
    )
    named = [word.slice.name for word in error_words(rows, said.predicted == rows.labels)]
    assert "the" not in named, "it stands in every row"
    assert "7" not in named, "one error says nothing"


def test_slices_by_length_and_class_count_every_row_once() -> None:
    rows, said = rows_with_a_cause()
    found = slices(rows, said, metric="accuracy", seed=1)
    assert [(one.name, one.rows, one.errors) for one in found.length] == [
        ("1 to 8", 100, 25),
        ("257 or more", 100, 0),
    ]
    assert found.length[0].score == 0.75
    assert found.length[0].interval.low < 0.75 < found.length[0].interval.high
    assert [(one.name, one.rows, one.errors) for one in found.label] == [
        ("no", 100, 13),
        ("yes", 100, 12),
    ]
    z, share, n = 1.959964, 0.88, 100
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    assert found.label[1].interval.low == pytest.approx(centre - half, abs=1e-6)
    assert found.label[1].interval.high == pytest.approx(centre + half, abs=1e-6)


def brute(aim: str, labels: Any, probabilities: Any, threshold: float) -> float:
    given = probabilities >= threshold
    hits = int(np.sum(given & (labels == 1)))
    false, missed = int(np.sum(given)) - hits, int(np.sum(labels == 1)) - hits
    precision = hits / (hits + false) if hits + false else 0.0
    recall = hits / (hits + missed)
    return {
        "f1": 2 * hits / (2 * hits + false + missed),
        "precision_at_recall=0.8": precision if recall >= 0.8 else -1,
        "recall_at_precision=0.9": recall if precision >= 0.9 else -1,
        "cost=fp:1,fn:5": -(false + 5 * missed),
        "cost=fp:10,fn:0.5": -(10 * false + 0.5 * missed),
    }[aim]


@pytest.mark.parametrize(
    "aim",
    [
        *("f1", "precision_at_recall=0.8", "recall_at_precision=0.9"),
        *("cost=fp:1,fn:5", "cost=fp:10,fn:0.5"),
    ],
)
def test_no_threshold_serves_an_aim_better(aim: str) -> None:
    random = np.random.default_rng(7)
    labels = random.integers(0, 2, 200)
    probabilities = (random.normal(size=200) + 2 * labels).clip(-3, 5) / 8 + 3 / 8
    threshold = Aim.parse(aim).threshold(labels, probabilities)
    best = max(brute(aim, labels, probabilities, each) for each in [*probabilities, 1.1])
    assert brute(aim, labels, probabilities, threshold) == pytest.approx(best)
    assert best != -1


def test_an_aim_reads_as_it_is_typed() -> None:
    for text in ("f1", "precision_at_recall=0.8", "recall_at_precision=0.9", "cost=fp:1,fn:5"):
        assert str(Aim.parse(text)) == text
    assert str(Aim.parse("cost = fn:5, fp:1")) == "cost=fp:1,fn:5"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("best", "must be f1"),
        ("precision_at_recall", "must be f1"),
        ("precision_at_recall=1.5", "a share above 0"),
        ("recall_at_precision=x", "a share above 0"),
        ("cost=fp:1", "must be f1"),
        ("cost=fp:1,fn:-2", "from 0 up"),
        ("cost=fp:x,fn:2", "from 0 up"),
        ("f1=0.8", "must be f1"),
    ],
)
def test_an_aim_that_cannot_be_is_an_error(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Aim.parse(text)


def test_a_precision_that_nothing_reaches_is_an_error_that_names_the_highest() -> None:
    labels, probabilities = np.array([0, 1, 0]), np.array([0.9, 0.8, 0.1])
    with pytest.raises(InputError, match=r"the highest is 0\.5000"):
        Aim.parse("recall_at_precision=0.9").threshold(labels, probabilities)
