"""Labelled text: files or addresses → clean, labelled, split frames, and statistics of them."""

from __future__ import annotations

from bertsweep.data.dataset import Dataset, Note
from bertsweep.data.prepare import prepare
from bertsweep.data.statistics import statistics

__all__ = ["Dataset", "Note", "prepare", "statistics"]
