"""Writes labelled rows as text: JSON lines and csv."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterator, Sequence
from typing import IO, Any

from bertsweep.data import ABSENT, Chunk
from bertsweep.predict.added import added_names, added_values, check_columns, fitted
from bertsweep.predict.cells import as_cell, plain
from bertsweep.predict.predictor import Answers
from bertsweep.space import Scalar


class JsonLines:
    """One JSON object a line; a key that a row did not have stays absent."""

    def __init__(self, file: IO[str], labels: Sequence[Scalar]) -> None:
        self._file = file
        self._labels = labels
        self._added = added_names(labels)

    def write(self, chunk: Chunk, answers: Answers) -> None:
        check_columns(list(chunk.columns), self._added)
        names = list(chunk.columns)
        columns = [plain(values) for values in chunk.columns.values()]
        # Standard output may have an encoding that lacks a character.
        escape = codecs.lookup(getattr(self._file, "encoding", None) or "utf-8").name != "utf-8"
        for row, added in zip(
            _rows(columns, len(chunk)), added_values(answers, self._labels), strict=True
        ):
            document = {n: v for n, v in zip(names, row, strict=True) if v is not ABSENT}
            document.update(zip(self._added, added, strict=True))
            self._file.write(json.dumps(document, ensure_ascii=escape) + "\n")
        self._file.flush()


class Csv:
    """A csv file in UTF-8 with a header; the first chunk decides the columns."""

    def __init__(self, file: IO[str], labels: Sequence[Scalar]) -> None:
        self._writer = csv.writer(file, lineterminator="\n")
        self._labels = labels
        self._added = added_names(labels)
        self._names: list[str] | None = None

    def write(self, chunk: Chunk, answers: Answers) -> None:
        if self._names is None:
            check_columns(list(chunk.columns), self._added)
            self._names = list(chunk.columns)
            self._writer.writerow([*self._names, *self._added])
        columns = fitted(chunk.columns, self._names, len(chunk))
        cells = [[as_cell(value) for value in plain(values)] for values in columns]
        added = added_values(answers, self._labels)
        for row, more in zip(_rows(cells, len(chunk)), added, strict=True):
            self._writer.writerow([*row, *map(as_cell, more)])


def _rows(columns: Sequence[Sequence[Any]], count: int) -> Iterator[Sequence[Any]]:
    return zip(*columns, strict=True) if columns else iter([()] * count)
