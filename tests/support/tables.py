"""Tables for the tests of data: rows written in every format, and read without a sweep."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet

from bertsweep.data.tables.columns import Column, Columns
from bertsweep.data.tables.compressed import PackedFile, Unpacked
from bertsweep.data.tables.read import read_table, table_format
from bertsweep.data.tables.rows import TableRows
from bertsweep.spec.data_models import Table

Row = Mapping[str, str]


def packed(path: Path, *, format: str = "auto", member: str | None = None) -> PackedFile:  # noqa: A002
    return PackedFile(path, path.name, format, member, 1.0)


def read(
    path: Path,
    text: Column | Sequence[Column] = "text",
    label: Column | None = "label",
    *,
    tick: Callable[[Unpacked], None] = lambda opened: None,
    **table: object,
) -> TableRows:
    """The rows of a table as the readers return them."""
    columns = Columns((text,) if isinstance(text, (str, int)) else tuple(text), label)
    file = packed(path)
    return read_table(file, columns, Table(**table), table_format(file), tick=tick)  # type: ignore[arg-type]


def csv_bytes(rows: Sequence[Row]) -> bytes:
    return _delimited(rows, delimiter=",")


def tsv_bytes(rows: Sequence[Row]) -> bytes:
    return _delimited(rows, delimiter="\t")


def jsonl_bytes(rows: Sequence[Row]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def json_bytes(rows: Sequence[Row]) -> bytes:
    return json.dumps(list(rows), indent=1, ensure_ascii=False).encode()


def parquet_bytes(rows: Sequence[Row]) -> bytes:
    sink = io.BytesIO()
    pyarrow.parquet.write_table(_arrow(rows), sink)
    return sink.getvalue()


def arrow_stream_bytes(rows: Sequence[Row]) -> bytes:
    sink = io.BytesIO()
    table = _arrow(rows)
    with pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=25_000)
    return sink.getvalue()


def arrow_file_bytes(rows: Sequence[Row]) -> bytes:
    sink = io.BytesIO()
    pyarrow.feather.write_feather(_arrow(rows), sink)
    return sink.getvalue()


def xlsx_bytes(rows: Sequence[Row]) -> bytes:
    sink = io.BytesIO()
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("rows")
    sheet.append(list(rows[0]) if rows else ["text", "label"])
    for row in rows:
        sheet.append(list(row.values()))
    book.save(sink)
    return sink.getvalue()


def _arrow(rows: Sequence[Row]) -> pa.Table:
    names = list(rows[0]) if rows else ["text", "label"]
    return pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in names})


def _delimited(rows: Sequence[Row], *, delimiter: str) -> bytes:
    sink = io.StringIO(newline="")
    writer = csv.writer(sink, delimiter=delimiter)
    writer.writerow(list(rows[0]) if rows else ["text", "label"])
    writer.writerows(row.values() for row in rows)
    return sink.getvalue().encode()


WRITERS = {
    "a.csv": csv_bytes,
    "a.tsv": tsv_bytes,
    "a.jsonl": jsonl_bytes,
    "a.json": json_bytes,
    "a.parquet": parquet_bytes,
    "a.arrow": arrow_stream_bytes,
    "a.feather": arrow_file_bytes,
    "a.xlsx": xlsx_bytes,
}
"""What writes a file of a name."""
