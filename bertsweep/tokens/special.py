"""What a tokenizer puts around texts, and what every tokenizer can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Special:
    """Ids of the special tokens, and how they frame a row.

    A text becomes `cls` text `sep`. Between the two texts of a pair stand as many `sep` as
    `between` says: one for BERT, two for RoBERTa. `types` says whether the second text has a token
    type of its own, as BERT's has.
    """

    pad: int
    unk: int
    cls: int
    sep: int
    between: int = 1
    types: bool = True

    def framing(self, *, pair: bool) -> int:
        """How many special tokens a row has."""
        return 2 + self.between if pair else 2


class Tokenizer(Protocol):
    """Texts → token ids without special tokens; not safe for several threads.

    `lowercase` says whether texts are lower-cased before anything else.
    """

    special: Special
    lowercase: bool

    def encode(self, texts: Sequence[str]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Returns ids [all] and offsets [rows + 1]: row i has ids[offsets[i]:offsets[i + 1]]."""
