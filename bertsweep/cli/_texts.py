"""The texts of a file that `predict --file` labels: one a line, or a column of a table."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bertsweep.errors import DataError, InputError

STDIN = "-"
_COMMA = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
_JSON = {".jsonl", ".ndjson", ".json"}
_PARQUET = {".parquet", ".pq"}
_LONGEST_FIELD = 1 << 25

Columns = tuple[list[str], ...]
"""The texts, and for pairs the second texts."""


def read_texts(file: str, names: Sequence[str]) -> Columns:
    """The values of the columns `names` (one, or two for pairs), a row each, none left out.

    csv, tsv, jsonl and parquet go by the file's ending; any other file, and `-` for standard
    input, holds one text a line. Raises `InputError` for a file that cannot be opened and
    `DataError` for one that cannot be read as what it is called.
    """
    suffix = Path(file).suffix.lower() if file != STDIN else ""
    if suffix in _PARQUET:
        return _parquet(file, names)
    text = _decode(_bytes(file), file)
    if suffix in _COMMA:
        return _delimited(text, _COMMA[suffix], names, file)
    if suffix in _JSON:
        return _json_lines(text, names, file)
    if len(names) != 1:
        raise DataError(
            f"this model labels pairs of texts, but {file} has one text a line. "
            f"Give a .csv, .tsv, .jsonl or .parquet with the columns {' and '.join(names)}."
        )
    # Not splitlines(): a text may hold U+2028 and its kind.
    lines = text.replace("\r\n", "\n").split("\n")
    return (lines[:-1] if lines[-1] == "" else lines,)


def _bytes(file: str) -> bytes:
    if file == STDIN:
        return sys.stdin.buffer.read()
    try:
        return Path(file).expanduser().read_bytes()
    except OSError as error:
        raise _unopened(file, error) from error


def _decode(data: bytes, file: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{file}, line {line}: text must be UTF-8, but got byte 0x{data[error.start]:02x}. "
            f"Convert it: iconv -f WINDOWS-1252 -t UTF-8 {file}."
        ) from error


def _delimited(text: str, comma: str, names: Sequence[str], file: str) -> Columns:
    csv.field_size_limit(_LONGEST_FIELD)
    rows = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=comma,
        quoting=csv.QUOTE_MINIMAL if comma == "," else csv.QUOTE_NONE,
        strict=True,
    )
    try:
        header = next(rows, [])
        places = _places(header, names, file)
        values = [
            [_cell(row, place, rows.line_num, file) for place in places] for row in rows if row
        ]
    except csv.Error as error:
        raise DataError(f"{file}, line {rows.line_num}: {error}. Mend the quotes there.") from error
    return _turned(values, len(names))


def _cell(row: Sequence[str], place: int, line: int, file: str) -> str:
    if place >= len(row):
        raise DataError(
            f"{file}, line {line}: the row has {len(row)} fields, but the text is in field "
            f"{place + 1} of the header. Mend the row."
        )
    return row[place]


def _json_lines(text: str, names: Sequence[str], file: str) -> Columns:
    values = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise DataError(
                f"{file}, line {number}: each line is one JSON object, but {error}"
            ) from error
        if not isinstance(record, dict):
            raise DataError(
                f"{file}, line {number}: each line is one JSON object, but got {line[:40]}"
            )
        _places(list(record), names, f"{file}, line {number}")
        values.append([_text(record[name]) for name in names])
    return _turned(values, len(names))


def _parquet(file: str, names: Sequence[str]) -> Columns:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.ParquetFile(Path(file).expanduser())
        _places(table.schema_arrow.names, names, file)
        columns = table.read(columns=list(names)).to_pydict()
    except pyarrow.ArrowException as error:
        raise DataError(
            f"{file} cannot be read as parquet: {error}. Is it a whole file?"
        ) from error
    except OSError as error:
        raise _unopened(file, error) from error
    return tuple([_text(value) for value in columns[name]] for name in names)


def _places(header: Sequence[str], names: Sequence[str], file: str) -> list[int]:
    """Where the columns stand. Raises `DataError` naming those there are."""
    missing = [name for name in names if name not in header]
    if missing:
        there = ", ".join(repr(name) for name in header[:20]) or "(none)"
        raise DataError(
            f"{file}: the text is looked for in column {missing[0]!r}, but the columns are "
            f"{there}. Say which one it is: --column NAME."
        )
    return [header.index(name) for name in names]


def _turned(rows: Sequence[Sequence[str]], columns: int) -> Columns:
    return tuple([row[index] for row in rows] for index in range(columns))


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _unopened(file: str, error: OSError) -> InputError:
    return InputError(
        f"{file} cannot be read: {error.strerror or error}. "
        "Give --file a file that is there and that you may read."
    )
