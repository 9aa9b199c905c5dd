"""parquet tables: only the columns that are wanted are read."""

from __future__ import annotations

import shutil
import tempfile
from typing import IO, TYPE_CHECKING, Any

from bertsweep.data.tables.columns import Columns
from bertsweep.data.tables.compressed import PackedFile, Unpacked
from bertsweep.data.tables.delimited import Tick
from bertsweep.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


def read_parquet(file: PackedFile, columns: Columns, *, tick: Tick) -> pd.DataFrame:
    """Strings, numbers and booleans as text; null and NaN are missing.

    Raises `DataError` for a damaged file, a column of lists or such, and bytes that are not UTF-8.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with file.open() as opened:
        try:
            with tempfile.TemporaryFile() as spool:
                table = pq.ParquetFile(_seekable(opened, spool))
                columns.positions(list(table.schema_arrow.names), file.shown)
                values: list[list[str]] = [[] for _ in columns.names]
                for batch in table.iter_batches(columns=list(columns.names)):
                    for each, name in zip(values, columns.names, strict=True):
                        each.extend(_texts(batch.column(name), name, file.shown))
                    tick(opened)
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"{file.shown} is not a readable parquet file: {error}. Write or download it again."
            ) from error
    return columns.frame(values)


def _seekable(opened: Unpacked, spool: IO[bytes]) -> Any:
    """A parquet file begins at its end: what is unpacked on the way is kept in a scratch file."""
    if opened.stream is opened.raw:
        return opened.raw
    shutil.copyfileobj(opened.stream, spool)
    spool.seek(0)
    return spool


def _texts(values: Any, name: str, shown: str) -> list[str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    kind = values.type
    if pa.types.is_floating(kind):
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, kind), values)
    try:
        texts = values.cast(pa.large_string())
        texts.validate(full=True)
    except pa.ArrowNotImplementedError as error:
        raise DataError(
            f"{name!r} in {shown} must hold texts, numbers or booleans, but its type is {kind}. "
            "Write one value a row."
        ) from error
    except pa.ArrowInvalid as error:
        raise DataError(
            f"text must be UTF-8, but {name!r} in {shown} is not ({error}). Write it as UTF-8."
        ) from error
    return [value or "" for value in texts.to_pylist()]
