"""Rows of different lengths, stored end to end in one array."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int32]
Offsets = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Ragged:
    """Row i is ids[offsets[i]:offsets[i + 1]]."""

    ids: Ids
    offsets: Offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def lengths(self, rows: npt.NDArray[np.integer] | slice = slice(None)) -> Offsets:
        """Returns the number of ids in each of these rows."""
        return self.offsets[1:][rows] - self.offsets[:-1][rows]

    def padded(self, rows: npt.NDArray[np.integer], shift: Offsets, width: int) -> Ids:
        """Returns [rows, width], with the ids of each row from its column `shift` on.

        The other columns hold ids of neighbouring rows, which the caller must overwrite.
        """
        places = (self.offsets[:-1][rows] - shift)[:, None] + np.arange(width)
        return (
            self.ids.take(places, mode="clip") if self.ids.size else np.zeros_like(places, np.int32)
        )

    def take(self, rows: npt.NDArray[np.integer]) -> Ragged:
        """Returns these rows, in this order, in memory."""
        lengths = self.lengths(rows)
        ids = take_ranges(self.ids, self.offsets[:-1][rows], lengths)
        return Ragged(ids, np.append(0, np.cumsum(lengths)))

    @classmethod
    def joined(cls, one: Ragged, other: Ragged) -> Ragged:
        """The rows of one, then those of the other."""
        offsets = np.append(one.offsets, other.offsets[1:] - other.offsets[0] + one.offsets[-1])
        return cls(np.append(one.ids, other.ids), offsets)

    @classmethod
    def open(cls, folder: Path, name: str) -> Ragged:
        """Opens NAME.ids.npy and NAME.offsets.npy, memory-mapped."""
        return cls(
            ids=open_array(folder / f"{name}.ids.npy"),
            offsets=open_array(folder / f"{name}.offsets.npy"),
        )


def take_ranges(values: Ids, starts: Offsets, lengths: Offsets) -> Ids:
    """Returns `values[start:start + length]` of each pair, end to end."""
    total = int(lengths.sum())
    begins = np.cumsum(lengths) - lengths
    places = np.repeat(starts - begins, lengths) + np.arange(total)
    return values[places]


def open_array(path: Path) -> npt.NDArray[Any]:
    """Opens a .npy file, memory-mapped, as a plain ndarray, which indexes faster than np.memmap."""
    # An empty array cannot be mapped, and a small one need not be.
    if path.stat().st_size < 4096:
        return np.asarray(np.load(path, allow_pickle=False))
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
