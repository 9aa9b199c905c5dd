"""What every reader of tables returns, and how it says that it goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertsweep.data.dataset import Note
from bertsweep.data.tables.compressed import Unpacked

if TYPE_CHECKING:
    import pandas as pd

Tick = Callable[[Unpacked], None]
"""Called now and then while a table is read."""

TICK_ROWS = 20_000
"""Rows between two calls of a `Tick`."""


@dataclass(frozen=True)
class TableRows:
    """The rows of a table in their order.

    `frame` has the text columns `text`, `text_b` (pairs only) and `label` (where labels are read).
    `notes` say what was recognised or had to be made up. `class_names` are the names behind label
    numbers 0, 1, …, where the file itself says them.
    """

    frame: pd.DataFrame
    notes: tuple[Note, ...] = ()
    class_names: tuple[str, ...] = ()
