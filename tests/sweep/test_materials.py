"""What is said of data and encoder before a sweep runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bertsweep.sweep.materials import load_materials
from tests.support.datafiles import questions, written
from tests.support.trials import small_spec


def said(folder: Path, *overrides: str, classes: tuple[str, ...]) -> list[str]:
    """The sentences for the user about rows of these classes."""
    source = written(folder, questions(900, classes=classes))
    spec = small_spec(f"data.source={source}", *overrides)
    cache, sentences = Path(os.environ["BERTSWEEP_CACHE"]), list[str]()
    load_materials(spec, cache=cache, base=folder, progress=None, notify=sentences.append)
    return sentences


def test_the_positive_class_is_said(tmp_path: Path) -> None:
    sentences = said(tmp_path, classes=("ham", "ham", "spam"))
    assert any(each.startswith("positive is 'spam' (300 of 900 rows") for each in sentences)


@pytest.mark.parametrize(("rule", "classes", "count"), [("f1", 3, 1), ("auto", 3, 0), ("f1", 2, 0)])
def test_a_stated_threshold_has_no_effect_with_more_than_two_classes(
    tmp_path: Path, rule: str, classes: int, count: int
) -> None:
    sentences = said(tmp_path, f"objective.threshold={rule}", classes=("a", "b", "c")[:classes])
    told = "objective.threshold has no effect with 3 classes: the likeliest one is predicted."
    assert sentences.count(told) == count
