"""The word pieces of one split, and padded batches of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bertsweep.checksums import DamageError
from bertsweep.errors import EnvironmentFault
from bertsweep.tokens.folder import read_meta
from bertsweep.tokens.ragged import Ids, Offsets, Ragged, open_array
from bertsweep.tokens.special import Special, Tokenizer

RowNumbers = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Tokens:
    """Word pieces and labels of one split, uncut: any sequence length can be batched from them.

    `labels` are class indices (int32 [rows]; -1 where there is no label), `classes` how many
    there are. `second` holds the other text of sentence pairs.
    """

    first: Ragged
    second: Ragged | None
    labels: npt.NDArray[np.int32]
    classes: int
    special: Special

    @classmethod
    def open(cls, folder: Path, split: str) -> Tokens:
        """One split of a tokens folder, verified and memory-mapped. Raises `EnvironmentFault`."""
        try:
            meta = read_meta(folder, split)
            return cls(
                first=Ragged.open(folder, f"{split}.first"),
                second=Ragged.open(folder, f"{split}.second") if meta["pair"] else None,
                labels=open_array(folder / f"{split}.labels.npy"),
                classes=meta["classes"],
                special=Special(**meta["special"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            what = error if isinstance(error, DamageError) else f"{type(error).__name__}: {error}"
            raise EnvironmentFault(
                f"{folder} must hold the tokens of the split {split!r}, but they cannot be read "
                f"({what}). Remove the folder; it will be made again."
            ) from error

    @classmethod
    def from_texts(
        cls, tokenizer: Tokenizer, texts: Sequence[str], texts_b: Sequence[str] | None = None
    ) -> Tokens:
        """Texts, or pairs of texts, without labels, in memory."""
        return cls(
            first=Ragged(*tokenizer.encode(texts)),
            second=None if texts_b is None else Ragged(*tokenizer.encode(texts_b)),
            labels=np.full(len(texts), -1, np.int32),
            classes=0,
            special=tokenizer.special,
        )

    @classmethod
    def joined(cls, one: Tokens, other: Tokens) -> Tokens:
        """The rows of one, then those of the other, of the same data."""
        second = None
        if one.second is not None and other.second is not None:
            second = Ragged.joined(one.second, other.second)
        return replace(
            one,
            first=Ragged.joined(one.first, other.first),
            second=second,
            labels=np.append(one.labels, other.labels),
        )

    def take(self, rows: RowNumbers) -> Tokens:
        """These rows, in this order."""
        return replace(
            self,
            first=self.first.take(rows),
            second=None if self.second is None else self.second.take(rows),
            labels=self.labels[rows],
        )

    @property
    def rows(self) -> int:
        return len(self.first)

    def lengths(self, max_seq_length: int) -> Ids:
        """Word pieces of every row once cut, [CLS] and [SEP] included; int32 [rows]."""
        return self._total(*self._cut(slice(None), max_seq_length)).astype(np.int32)

    def batch(
        self, rows: RowNumbers, *, max_seq_length: int, width: int | None = None
    ) -> tuple[Ids, Ids, Ids]:
        """Word ids, mask and type ids of these rows, each int32 [rows, width].

        A single text is cut to max_seq_length - 2 pieces; of a pair the longer text is cut first,
        piece by piece, as BERT's `_truncate_seq_pair` does. The width is that of the longest row
        unless given. Raises `ValueError` when a given width is too narrow.
        """
        first, second = self._cut(rows, max_seq_length)
        length = self._total(first, second)
        longest = int(length.max(initial=2))
        if width is None:
            width = longest
        elif width < longest:
            raise ValueError(f"width must be at least the longest row, {longest}, but got {width}")
        column = np.arange(width)
        each = np.arange(len(first))
        ids = self.first.padded(rows, np.ones_like(first), width)
        mask = column < length[:, None]
        types = np.zeros(ids.shape, np.int32)
        if self.second is not None and second is not None:
            between = first + 1 + self.special.between
            in_second = column >= between[:, None]
            np.copyto(ids, self.second.padded(rows, between, width), where=in_second)
            if self.special.types:
                np.copyto(types, 1, where=in_second & mask)
        np.copyto(ids, self.special.pad, where=~mask)
        ids[:, 0] = self.special.cls
        for place in range(1 if second is None else self.special.between):
            ids[each, first + 1 + place] = self.special.sep
        ids[each, length - 1] = self.special.sep
        return ids, mask.astype(np.int32), types

    def _total(self, first: Offsets, second: Offsets | None) -> Offsets:
        """Word pieces of rows with these of the first and of the second text."""
        framing = self.special.framing(pair=second is not None)
        return first + framing if second is None else first + second + framing

    def _cut(self, rows: RowNumbers | slice, max_seq_length: int) -> tuple[Offsets, Offsets | None]:
        """Pieces that are left of the first and of the second text."""
        least = self.special.framing(pair=self.second is not None)
        if max_seq_length < max(3, least):
            raise ValueError(
                f"max_seq_length must be at least {max(3, least)}, but got {max_seq_length}"
            )
        first = self.first.lengths(rows)
        if self.second is None:
            return np.minimum(first, max_seq_length - 2), None
        second = self.second.lengths(rows)
        room = max_seq_length - least
        # Where the pair is too long, the longer loses pieces until both are equal, then the second
        # goes first: the first keeps the larger half, or what a short second leaves.
        kept = np.minimum(first, np.maximum(-(-room // 2), room - second))
        return kept, np.minimum(second, room - kept)
