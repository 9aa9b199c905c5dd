"""The classes behind a label column: their type, their order, and which of two is positive."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bertsweep.data.dataset import Label
from bertsweep.errors import DataError

Reason = Literal["stated", "name", "rarer", "last"]
"""Why a class is the positive one: `data.positive`, its name, its rarity, or its place."""

_NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]*)?(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?")
_BOOLEANS = {"false": False, "true": True}
_POSITIVE_NAMES = ("1", "true", "yes", "y", "t", "positive", "pos")
_NAMED = 5


@dataclass(frozen=True)
class Classes:
    """The classes in order, and for each label text passed in the index of its class.

    Of two classes the second, index 1, is the positive one once `choose_positive` returned them;
    `reason` says why it is. `odd` are the texts that are not numbers where most are.
    """

    labels: tuple[Label, ...]
    index: tuple[int, ...]
    odd: tuple[str, ...] = ()
    reason: Reason | None = None

    def swapped(self) -> Classes:
        """The same two classes in the other order."""
        first, second = self.labels
        return replace(self, labels=(second, first), index=tuple(1 - index for index in self.index))


def find_classes(texts: Sequence[str]) -> Classes:
    """The classes behind different label texts (each passed once, stripped).

    All numbers: numbers in order of size, 1 and 1.0 being one class. All true or false in any
    casing: booleans, false first. Otherwise text in order of its code points. A number with leading
    zeros, NaN and infinity are text.
    """
    numbers = [_number(text) for text in texts]
    odd = [text for text, number in zip(texts, numbers, strict=True) if number is None]
    values: Sequence[Label]
    if not odd:
        values = [number for number in numbers if number is not None]
    elif all(text.lower() in _BOOLEANS for text in texts):
        values = [_BOOLEANS[text.lower()] for text in texts]
    else:
        values = texts
    labels = tuple(sorted(set(values)))
    where = {label: index for index, label in enumerate(labels)}
    few = tuple(sorted(odd)) if 0 < len(odd) < len(texts) / 2 and values is texts else ()
    return Classes(labels, tuple(where[value] for value in values), few)


def choose_positive(
    classes: Classes, texts: Sequence[str], rows: Sequence[int], stated: Label | None, column: str
) -> Classes:
    """The classes in the order that makes index 1 of two the positive class.

    `texts` are those that `classes` was made of, `rows` says how many rows have each, `stated` is
    `data.positive` and `column` the name of the label column. The positive class is the stated one;
    else the one that is called 1, true, yes, y, t, positive or pos (in any casing) where the other
    is not; else the rarer one; of equally frequent ones the second as it was. More than two
    classes stay as they are.

    Raises `DataError` when `stated` is none of two labels, or there are more than two.
    """
    if len(classes.labels) != 2:
        if stated is not None:
            raise _not_two(classes, column)
        return classes
    index, reason = _positive(classes, texts, rows, stated, column)
    return replace(classes if index == 1 else classes.swapped(), reason=reason)


def typed(label: Label) -> str:
    """A label as it can be typed in a search space file: text in quotes."""
    return json.dumps(label, ensure_ascii=False)


def _positive(
    classes: Classes, texts: Sequence[str], rows: Sequence[int], stated: Label | None, column: str
) -> tuple[int, Reason]:
    """Index and reason of the positive one of two classes."""
    if stated is not None:
        return _stated(classes, texts, stated, column), "stated"
    called = {
        index
        for text, index in zip(texts, classes.index, strict=True)
        if str(_value(text)).casefold() in _POSITIVE_NAMES
    }
    if len(called) == 1:
        return called.pop(), "name"
    counts = [0, 0]
    for index, count in zip(classes.index, rows, strict=True):
        counts[index] += count
    return (1, "last") if counts[0] == counts[1] else (counts.index(min(counts)), "rarer")


def _stated(classes: Classes, texts: Sequence[str], stated: Label, column: str) -> int:
    """Index of the class that `data.positive` names as the data writes it, or by its value."""
    name = str(stated).strip()
    indices = dict(zip(texts, classes.index, strict=True))
    if name in indices:  # the text itself comes first: `01` may stand beside `1`
        return indices[name]
    for text, index in indices.items():
        if repr(_value(text)) == repr(_value(name)):  # unlike 1 == True
            return index
    first, second = map(typed, classes.labels)
    raise DataError(
        f"data.positive must be one of the two labels in column {column!r}, {first} or {second}, "
        f"but got {typed(stated)}. Type data.positive: {first} or data.positive: {second}."
    )


def _not_two(classes: Classes, column: str) -> DataError:
    named = ", ".join(repr(label) for label in classes.labels[:_NAMED])
    more = ", …" if len(classes.labels) > _NAMED else ""
    return DataError(
        "data.positive chooses between two classes, but the label column "
        f"{column!r} has {len(classes.labels)} ({named}{more}). Leave data.positive out."
    )


def _value(text: str) -> Label:
    """The label that a text stands for by itself: a number, a boolean or the text."""
    number = _number(text)
    return _BOOLEANS.get(text.lower(), text) if number is None else number


def _number(text: str) -> int | float | None:
    """An int where the value is whole, else a float; None for what is no plain decimal number."""
    if not _NUMBER.fullmatch(text) or not re.search(r"[0-9]", text.lower().partition("e")[0]):
        return None
    if re.fullmatch(r"[+-]?[0-9]{1,1000}", text):
        return int(text)
    number = float(text)
    if number in (float("inf"), float("-inf")):
        return None
    return int(number) if number.is_integer() else number
