"""Classes from the text of a label column: which there are, of which type, in which order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bertsweep.data.dataset import Label

_NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]*)?(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?")
_BOOLEANS = {"false": False, "true": True}


@dataclass(frozen=True)
class Classes:
    """The classes in order, and for each text given the index of its class.

    `odd` are the texts that are not numbers where most are.
    """

    labels: tuple[Label, ...]
    index: tuple[int, ...]
    odd: tuple[str, ...] = ()


def find_classes(texts: Sequence[str]) -> Classes:
    """The classes behind different label texts (each given once, stripped).

    All numbers: numbers, 1 and 1.0 being one class, in order of size. All true or false in any
    casing: booleans, false first. Otherwise text by code point. A number with leading zeros, NaN
    and infinity are text.
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
