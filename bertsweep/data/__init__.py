"""Labelled text: reads files and addresses into clean, labelled, split frames with statistics."""

from __future__ import annotations

from bertsweep.data.dataset import Dataset, Note
from bertsweep.data.labelled import LabelledRows, read_labelled
from bertsweep.data.peeking import Peek, peek
from bertsweep.data.prepare import prepare
from bertsweep.data.sources import absolute
from bertsweep.data.statistics import statistics
from bertsweep.data.streams import RowStream, open_rows, single_chunk
from bertsweep.data.tables.chunks import ABSENT, Chunk
from bertsweep.data.texts import Texts, read_texts

__all__ = [
    "ABSENT",
    "Chunk",
    "Dataset",
    "LabelledRows",
    "Note",
    "Peek",
    "RowStream",
    "Texts",
    "absolute",
    "open_rows",
    "peek",
    "prepare",
    "read_labelled",
    "read_texts",
    "single_chunk",
    "statistics",
]
