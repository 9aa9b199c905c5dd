"""Converts Arrow columns to text; reads class names from the metadata of Hugging Face files."""

from __future__ import annotations

import json
import shutil
from typing import IO, Any

from bertsweep.data.tables.columns import Columns
from bertsweep.data.tables.compressed import Unpacked
from bertsweep.errors import DataError


def texts_of(values: Any, name: str, shown: str) -> list[str]:
    """Returns a column's strings, numbers and booleans as text; null and NaN become "".

    Raises `DataError` for a column of another type, and for bytes that are not UTF-8.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        values.validate(full=True)  # offsets come from the file and may point anywhere
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        kind = values.type
        if pa.types.is_floating(kind):
            values = pc.if_else(pc.is_nan(values), pa.scalar(None, kind), values)
        texts = values.cast(pa.large_string())
        texts.validate(full=True)
    except pa.ArrowNotImplementedError as error:
        raise DataError(
            f"{name!r} in {shown} must hold texts, numbers or booleans, but its type is "
            f"{values.type}. Write one value a row."
        ) from error
    except pa.ArrowInvalid as error:
        raise DataError(
            f"text must be UTF-8, but {name!r} in {shown} is not ({error}). Write it as UTF-8."
        ) from error
    return [value or "" for value in texts.to_pylist()]


def class_names(schema: Any, columns: Columns) -> tuple[str, ...]:
    """Returns the names of the classes of the label column, if the metadata states them."""
    metadata = (schema.metadata or {}).get(b"huggingface")
    if metadata is None or columns.label is None:
        return ()
    try:
        feature = json.loads(metadata)["info"]["features"][columns.label]
        names = feature["names"] if feature["_type"] == "ClassLabel" else ()
    except (ValueError, KeyError, TypeError):  # other programs may write anything there
        return ()
    return tuple(names) if all(isinstance(name, str) for name in names or ()) else ()


def seekable(opened: Unpacked, spool: IO[bytes]) -> Any:
    """Returns the file itself, or, if it is being unpacked, a copy of it in `spool`."""
    if opened.stream is opened.raw:
        return opened.raw
    shutil.copyfileobj(opened.stream, spool)
    spool.seek(0)
    return spool
