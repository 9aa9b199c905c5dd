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
from bertsweep.tokens.wordpieces import Special, WordPieces

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
        cls, word_pieces: WordPieces, texts: Sequence[str], texts_b: Sequence[str] | None = None
    ) -> Tokens:
        """Texts, or pairs of texts, without labels, in memory."""
        return cls(
            first=Ragged(*word_pieces.encode(texts)),
            second=None if texts_b is None else Ragged(*word_pieces.encode(texts_b)),
            labels=np.full(len(texts), -1, np.int32),
            classes=0,
            special=word_pieces.special,
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
        first, second = self._cut(slice(None), max_seq_length)
        return (first + 2 if second is None else first + second + 3).astype(np.int32)

    def batch(
        self, rows: RowNumbers, *, max_seq_length: int, width: int | None = None
    ) -> tuple[Ids, Ids, Ids]:
        """Word ids, mask and type ids of these rows, each int32 [rows, width].

        A single text is cut to max_seq_length - 2 pieces; of a pair the longer text is cut first,
        piece by piece, as BERT's `_truncate_seq_pair` does. The width is that of the longest row
        unless given. Raises `ValueError` when a given width is too narrow.
        """
        first, second = self._cut(rows, max_seq_length)
        length = first + 2 if second is None else first + second + 3
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
            in_second = column >= (first + 2)[:, None]
            np.copyto(ids, self.second.padded(rows, first + 2, width), where=in_second)
            np.copyto(types, 1, where=in_second & mask)
        np.copyto(ids, self.special.pad, where=~mask)
        ids[:, 0] = self.special.cls
        ids[each, first + 1] = self.special.sep
        ids[each, length - 1] = self.special.sep
        return ids, mask.astype(np.int32), types

    def _cut(self, rows: RowNumbers | slice, max_seq_length: int) -> tuple[Offsets, Offsets | None]:
        """Pieces that are left of the first and of the second text."""
        if max_seq_length < 3:
            raise ValueError(f"max_seq_length must be at least 3, but got {max_seq_length}")
        first = self.first.lengths(rows)
        if self.second is None:
            return np.minimum(first, max_seq_length - 2), None
        second = self.second.lengths(rows)
        room = max_seq_length - 3
        # Where the pair is too long, the longer loses pieces until both are equal, then the second
        # goes first: the first keeps the larger half, or what a short second leaves.
        kept = np.minimum(first, np.maximum(-(-room // 2), room - second))
        return kept, np.minimum(second, room - kept)
