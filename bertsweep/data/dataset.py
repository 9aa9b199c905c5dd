"""Clean, labelled, split text: the data as every other part of bertsweep receives it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

Label = int | float | str | bool

SPLITS = ("train", "validation", "test")

_FORMAT = b"bertsweep dataset 1"
_ROWS_AT_ONCE = 100_000


@dataclass(frozen=True)
class Note:
    """Something the user should know about the data: its kind, how many it concerns, in words."""

    kind: str
    count: int
    message: str


@dataclass(frozen=True)
class Dataset:
    """Labelled text in three splits.

    `splits` maps "train", "validation" and "test" to frames with the columns `text` (str), `text_b`
    (str, only for pairs) and `label` (int32, the index of the class). `labels` are the classes as
    the file writes them, in the order of their index: numbers by size, text by code point, but of
    two classes the positive one is always the second, index 1. `hash` is the same for the same
    rows, labels and splits. `notes` say which class is positive, what was dropped, what looks odd.
    """

    splits: Mapping[str, pd.DataFrame]
    labels: tuple[Label, ...]
    hash: str
    notes: tuple[Note, ...]

    @property
    def positive(self) -> Label | None:
        """The label of the positive class; None with more than two classes."""
        return self.labels[1] if len(self.labels) == 2 else None

    @property
    def pairs(self) -> bool:
        """Whether a row is two texts."""
        return "text_b" in self.splits["train"]


def content_hash(splits: Mapping[str, pd.DataFrame], labels: Sequence[Label]) -> str:
    """SHA-256 over the labels and, split by split in order, the rows in theirs."""
    digest = hashlib.sha256(_FORMAT)
    digest.update(json.dumps(list(labels)).encode())
    for name in SPLITS:
        frame = splits[name]
        texts = [column for column in ("text", "text_b") if column in frame]
        digest.update(json.dumps([name, len(frame), texts]).encode())
        digest.update(frame["label"].to_numpy().astype("<i4").tobytes())
        for column in texts:
            _hash_texts(digest, frame[column])
    return digest.hexdigest()


def _hash_texts(digest: hashlib._Hash, texts: pd.Series[str]) -> None:
    """Lengths beside the joined text, so that no two lists of texts hash alike."""
    import numpy as np

    for start in range(0, len(texts), _ROWS_AT_ONCE):
        some = texts.iloc[start : start + _ROWS_AT_ONCE].tolist()
        digest.update(np.fromiter(map(len, some), "<i8", len(some)).tobytes())
        digest.update("".join(some).encode())
