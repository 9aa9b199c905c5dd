"""Labelled text: reads files and addresses into clean, labelled, split frames with statistics."""

from __future__ import annotations

from bertsweep.data.dataset import Dataset, Note
from bertsweep.data.labelled import LabelledRows, read_labelled
from bertsweep.data.prepare import prepare
from bertsweep.data.sources import absolute
from bertsweep.data.statistics import statistics
from bertsweep.data.texts import Texts, read_texts

__all__ = [
    "Dataset",
    "LabelledRows",
    "Note",
    "Texts",
    "absolute",
    "prepare",
    "read_labelled",
    "read_texts",
    "statistics",
]
