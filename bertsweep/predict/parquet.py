"""Writes labelled rows to a parquet file, one group of rows a chunk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bertsweep.data import ABSENT, Chunk
from bertsweep.predict.added import added_names, added_values, check_columns, fitted
from bertsweep.predict.cells import as_cell, plain
from bertsweep.predict.predictor import Answers
from bertsweep.space import Scalar


class ParquetOutput:
    """A parquet file, complete when its block ends. The first chunk decides the columns.

    Arrow columns keep their types, all others are text. The label has the type that it had in the
    data where all labels share one, else it is text.
    """

    def __init__(self, path: Path, labels: Sequence[Scalar]) -> None:
        self._path = path
        self._labels = labels
        self._added = added_names(labels)
        self._writer: Any = None
        self._schema: Any = None

    def __enter__(self) -> ParquetOutput:
        return self

    def __exit__(self, *error: object) -> None:
        if self._writer is not None:
            self._writer.close()

    def write(self, chunk: Chunk, answers: Answers) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if self._writer is None:
            check_columns(list(chunk.columns), self._added)
            self._schema = self._schema_of(chunk)
            self._writer = pq.ParquetWriter(self._path, self._schema)
        names = self._schema.names[: -len(self._added)]
        columns = fitted(chunk.columns, names, len(chunk))
        arrays = [
            _array(values, self._schema.field(position).type)
            for position, values in enumerate(columns)
        ]
        rows = list(added_values(answers, self._labels))
        for position, field in enumerate(list(self._schema)[len(names) :]):
            values = [row[position] for row in rows]
            text = pa.types.is_string(field.type)
            arrays.append(pa.array(list(map(as_cell, values)) if text else values, field.type))
        self._writer.write_batch(pa.record_batch(arrays, schema=self._schema))

    def _schema_of(self, chunk: Chunk) -> Any:
        import pyarrow as pa

        kinds = {bool: pa.bool_(), int: pa.int64(), float: pa.float64()}
        of_labels = {kinds.get(type(label), pa.string()) for label in self._labels}
        label = of_labels.pop() if len(of_labels) == 1 else pa.string()
        fields = [
            pa.field(name, values.type if isinstance(values, pa.Array) else pa.string())
            for name, values in chunk.columns.items()
        ]
        added = [label, *[pa.float64()] * (len(self._added) - 1)]
        return pa.schema([*fields, *map(pa.field, self._added, added)])


def _array(values: Sequence[Any], kind: Any) -> Any:
    import pyarrow as pa

    if isinstance(values, pa.Array):
        return values
    cells = [
        None if value is None or value is ABSENT else as_cell(value) for value in plain(values)
    ]
    return pa.array(cells, pa.string()).cast(kind)
