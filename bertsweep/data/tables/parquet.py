"""Reads parquet tables, and of these only the columns that are needed."""

from __future__ import annotations

import tempfile

from bertsweep.data.tables.arrow_columns import class_names, seekable, texts_of
from bertsweep.data.tables.columns import Columns
from bertsweep.data.tables.compressed import PackedFile
from bertsweep.data.tables.rows import TableRows, Tick
from bertsweep.errors import DataError
from bertsweep.spec.data_models import Table


def read_parquet(file: PackedFile, columns: Columns, table: Table, *, tick: Tick) -> TableRows:
    """Returns strings, numbers and booleans as text; null and NaN become "".

    Raises `DataError` for a damaged file, a column of another type, and bytes that are not UTF-8.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    values: list[list[str]] = [[] for _ in columns.wanted]
    with file.open() as opened, tempfile.TemporaryFile() as spool:
        try:
            source = pq.ParquetFile(seekable(opened, spool))
            schema = source.schema_arrow
            positions = columns.positions(list(schema.names), file.shown)
            names = [schema.names[position] for position in positions]
            for batch in source.iter_batches(columns=names):
                for each, name in zip(values, names, strict=True):
                    each.extend(texts_of(batch.column(name), name, file.shown))
                tick(opened)
        except (pa.ArrowException, OSError, UnicodeDecodeError, MemoryError) as error:
            raise DataError(
                f"{file.shown} is not a readable parquet file: {error}. Write or download it again."
            ) from error
    return TableRows(columns.frame(values), class_names=class_names(schema, columns))
