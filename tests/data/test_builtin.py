"""The built-in questions: the same everywhere, plain words, learnable but not wholly."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

from bertsweep.data import builtin
from bertsweep.errors import DataError
from tests.support.datafiles import odd, prepared

DIGEST = "e2014051071ff5bad9bcea9a490bdc234be850d941723976030c7c573802f201"


def test_the_questions_are_the_same_in_every_version() -> None:
    texts, labels = builtin.questions()
    written = "\n".join(f"{text}\t{label}" for text, label in zip(texts, labels, strict=True))
    assert hashlib.sha256(written.encode()).hexdigest() == DIGEST


def test_they_make_a_dataset_without_anything_odd(tmp_path: Path) -> None:
    dataset = prepared(tmp_path, "builtin:questions")
    assert sum(map(len, dataset.splits.values())) == 3_000
    assert dataset.labels == (0, 1)
    assert odd(dataset) == []
    assert 0.2 < dataset.splits["train"]["label"].mean() < 0.3
    assert not list(tmp_path.iterdir())


def test_words_are_all_words_of_the_questions() -> None:
    words = builtin.words()
    assert list(words) == sorted(set(words))
    assert len(words) < 400
    assert all(re.fullmatch(r"[a-z]+", word) for word in words)
    texts, _ = builtin.questions()
    assert set(re.findall(r"\w+", " ".join(texts).lower())) == set(words)


def test_words_tell_much_but_not_all() -> None:
    texts, labels = builtin.questions()
    counts = CountVectorizer().fit_transform(texts)
    classes = [int(label) for label in labels]
    model = LogisticRegression(max_iter=300).fit(counts[:2400], classes[:2400])
    scores = model.predict_proba(counts[2400:])[:, 1]
    assert 0.75 < average_precision_score(classes[2400:], scores) < 0.95


def test_other_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no built-in data called 'builtin:question'.*Set data"):
        prepared(tmp_path, "builtin:question")
    with pytest.raises(DataError, match=r"'target', but builtin:questions has .* 'text', 'label'"):
        prepared(tmp_path, "builtin:questions", label="target")
