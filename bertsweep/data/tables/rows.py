"""The result of every reader of tables, and its progress callback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertsweep.data.dataset import Note
from bertsweep.data.tables.compressed import Unpacked

if TYPE_CHECKING:
    import pandas as pd

Tick = Callable[[Unpacked], None]
"""Called at intervals while a table is read."""

TICK_ROWS = 20_000
"""Rows between two calls of a `Tick`."""


@dataclass(frozen=True)
class TableRows:
    """The rows of a table in file order.

    `frame` has the text columns `text`, `text_b` (pairs only) and `label` (if labels are read).
    `notes` report what was recognised or filled in. `class_names` are the names of the labels 0, 1,
    …, if the file states them. `formats` are those of the files that were read.
    """

    frame: pd.DataFrame
    notes: tuple[Note, ...] = ()
    class_names: tuple[str, ...] = ()
    formats: frozenset[str] = frozenset()
