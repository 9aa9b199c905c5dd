"""Labelled text: files or addresses → clean, labelled, split frames, and statistics of them."""

from __future__ import annotations

from bertsweep.data.dataset import Dataset, Note
from bertsweep.data.figures import statistics
from bertsweep.data.preparing import prepare
from bertsweep.data.transfer import Progress

__all__ = ["Dataset", "Note", "Progress", "prepare", "statistics"]
