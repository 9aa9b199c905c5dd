"""Guesses which columns of a table hold the text and the label."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bertsweep.data.peeking import Peek
from bertsweep.data.tables.unknown_column import listed, unknown_column
from bertsweep.errors import InputError

MOST_CLASSES = 200
"""A column with more different values is not guessed to be a label."""

_PAIRS = (
    ("premise", "hypothesis"),
    ("sentence1", "sentence2"),
    ("sentence_1", "sentence_2"),
    ("sentence_a", "sentence_b"),
    ("question1", "question2"),
    ("text1", "text2"),
    ("text_1", "text_2"),
    ("text_a", "text_b"),
    ("query", "passage"),
)
_LABEL_NAMES = re.compile(
    r"(?:^|_)(?:label|target|class|category|sentiment|intent|topic|stars?|rating|polarity|gold|y)"
    r"(?:_|s?$)",
    re.IGNORECASE,
)
_OTHER_NAMES = re.compile(r"(?:^|_)(?:id|idx|index|split|fold|lang|language|date|year)$", re.I)
_MOST_LABEL_WORDS = 6
_ROWS_A_CLASS = 2


@dataclass(frozen=True)
class Guess:
    """The text columns (two for pairs) and the label column; `notes` say what was guessed and why.

    `labels` are the columns that could be the label too.
    """

    text: tuple[str, ...]
    label: str
    notes: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Profile:
    name: str
    rows: int
    distinct: int
    characters: float
    words: float


def guess(seen: Peek, shown: str, *, text: Sequence[str] = (), label: str | None = None) -> Guess:
    """Returns the columns that were named, and for those that were not the likeliest.

    The text is the column with the longest values, and its partner where the names say that two
    make a pair. The label is a column with few different values: one whose name says so, else the
    one with the fewest. Raises `InputError` that names the option where none fits, and `DataError`
    for a column that is not there.
    """
    there = list(seen.columns)
    for key, name in [("--text", each) for each in text] + ([("--label", label)] if label else []):
        if name not in there:
            raise unknown_column(key, name, there, shown, header=seen.header)
    profiles = [_profile(name, values) for name, values in seen.columns.items()]
    notes = []
    if not text:
        text, note = _text(profiles, shown, label)
        notes.append(note)
    candidates = _label_candidates([one for one in profiles if one.name not in text])
    if label is None:
        label = _label(candidates, shown, there).name
        notes.append(_label_note(candidates, label))
    return Guess(tuple(text), label, tuple(notes), tuple(one.name for one in candidates))


def _profile(name: str, values: Sequence[str | None]) -> _Profile:
    texts = [value.strip() for value in values if value is not None]
    texts = [value for value in texts if value]
    count = max(1, len(texts))
    return _Profile(
        name,
        len(texts),
        len(set(texts)),
        sum(map(len, texts)) / count,
        sum(len(value.split()) for value in texts) / count,
    )


def _text(
    profiles: Sequence[_Profile], shown: str, label: str | None
) -> tuple[tuple[str, ...], str]:
    free = [one for one in profiles if one.name != label and one.distinct > 1]
    # An id is long too, but it is one word.
    likely = [one for one in free if one.words >= 1.5] or free
    if not likely:
        names = listed([one.name for one in profiles])
        raise InputError(
            f"no column of {shown} looks like text. Name it: --text COLUMN. It has {names}."
        )
    best = max(likely, key=lambda one: one.characters)
    by_name = {one.name.casefold(): one.name for one in likely}
    for pair in _PAIRS:
        if best.name.casefold() in pair and all(part in by_name for part in pair):
            first, second = (by_name[part] for part in pair)
            said = f"text: the columns {first!r} and {second!r}, a pair by their names"
            return (first, second), f"{said} (--text, twice for a pair, names others)."
    said = f"text: the column {best.name!r}, which has the longest values"
    return (best.name,), (
        f"{said} ({best.words:.1f} words, {best.characters:.0f} characters on average; --text "
        "names another)."
    )


def _label_candidates(profiles: Sequence[_Profile]) -> list[_Profile]:
    """The columns that may be the label, the likeliest first."""
    fit = [
        one
        for one in profiles
        if 2 <= one.distinct <= min(MOST_CLASSES, one.rows / _ROWS_A_CLASS)
        and one.words <= _MOST_LABEL_WORDS
    ]
    return sorted(
        fit,
        key=lambda one: (
            _OTHER_NAMES.search(one.name) is not None,
            _LABEL_NAMES.search(one.name) is None,
            one.distinct,
        ),
    )


def _label(candidates: Sequence[_Profile], shown: str, there: Sequence[str]) -> _Profile:
    if candidates:
        return candidates[0]
    raise InputError(
        f"no column of {shown} looks like a label: none has 2 to {MOST_CLASSES} different values "
        f"that repeat. Name it: --label COLUMN. It has {listed(there)}."
    )


def _label_note(candidates: Sequence[_Profile], label: str) -> str:
    chosen, *others = candidates
    said = f"label: the column {label!r} ({chosen.distinct} different values"
    if others:
        also = ", ".join(f"{one.name!r} has {one.distinct}" for one in others[:3])
        said += f"; {also}"
    return f"{said}; --label names another)."
