"""What is known of data, encoder and machine when a search space file is written."""

from __future__ import annotations

from dataclasses import dataclass

from bertsweep.data import Dataset, Peek
from bertsweep.draft.choices import Classes, Split, Training
from bertsweep.draft.columns import Guess
from bertsweep.draft.effort import Effort, Machine, Sizes
from bertsweep.draft.lengths import Lengths
from bertsweep.spec.data_models import Data


@dataclass(frozen=True)
class Looked:
    """A source, its first rows, and the columns that were named or are likely meant.

    `data` is the section of the file so far, in which `settings` were made; `notes` say what was
    guessed.
    """

    source: str
    data: Data
    seen: Peek
    columns: Guess
    notes: tuple[str, ...]
    settings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Facts:
    """Everything that the file is decided by.

    `lengths_tried` are the sequence lengths of the space, `cost` what the sweep takes on `machine`.
    """

    looked: Looked
    data: Data
    dataset: Dataset
    classes: Classes
    split: Split
    encoder: str
    sizes: Sizes
    lengths: Lengths
    lengths_tried: tuple[int, ...]
    training: Training
    report_every: float
    trials: int
    finalists: int
    seeds: int
    machine: Machine
    cost: Effort
