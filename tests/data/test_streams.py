"""Rows of files of every format, chunk by chunk: as the whole file reads, pipes too."""

from __future__ import annotations

import gzip
import io
import json
import os
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bertsweep.data import ABSENT, Chunk, Note, open_rows, read_texts
from bertsweep.data.tables import chunks, piped
from bertsweep.errors import DataError
from bertsweep.spec.data_models import Data
from tests.support import tables

ROWS = [
    {"id": "1", "text": "a, b", "note": "x"},
    {"id": "2", "text": 'say "no"', "note": ""},
    {"id": "3", "text": "", "note": "NA"},
    {"id": "4", "text": "Où est-il ?", "note": "null"},
]
ODD: Mapping[str, tuple[str, bytes]] = {
    "windows-1252, semicolons, a short row": (
        "a.csv",
        "id;text\n1;Où est-il ?\n2\n".encode("cp1252"),
    ),
    "utf-16": ("a.csv", "id,text\n1,Où\n".encode("utf-16")),
    "escaped quotes": ("a.csv", b'id,text\n1,"say \\"no\\", he said"\n2,"b"\n'),
    "escapes that are none": ("a.csv", b'id,text\n1,a \\" b\n2,"c ""d"""\n'),
    "a stray quote": ("a.csv", b'id,text\n1,"a" b\n2,"c"\n'),
    "quotes around a tab-separated column": ("a.tsv", b'id\ttext\n1\t"say ""no"""\n2\tb\n'),
    "escaped quotes between tabs": ("a.tsv", b'id\ttext\n1\t"say \\"no\\""\n2\tb\n'),
    "quotes that belong to the text": ("a.tsv", b'id\ttext\n1\t"no" he said\n2\tb\n'),
    "a tab inside quotes": ("a.tsv", b'id\ttext\n1\t"a\tb"\n2\tc\n'),
    "blank lines": ("a.csv", b"\nid,text\n\n1,a\n\n"),
}


def streamed(
    file: Path | str, text: tuple[str, ...] = ("text",), **data: Any
) -> tuple[list[Chunk], list[Note]]:
    described = Data(source=str(file), text=text, **data)
    with open_rows(str(file), described, cache=Path("unused")) as rows:
        known = rows.rows
        found = list(rows)
        assert known in (None, sum(map(len, found)))
        return found, rows.notes


def columns_of(found: list[Chunk]) -> dict[str, list[Any]]:
    return {name: [v for c in found for v in plain(c.columns[name])] for name in found[0].columns}


def plain(values: Any) -> list[Any]:
    return values if isinstance(values, list) else values.to_pylist()


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 3)


@pytest.mark.parametrize("pack", ["", ".gz", ".zip"])
@pytest.mark.parametrize("name", tables.WRITERS)
@pytest.mark.usefixtures("small_chunks")
def test_every_format_keeps_every_row_and_column(tmp_path: Path, name: str, pack: str) -> None:
    content = tables.WRITERS[name](ROWS)
    file = tmp_path / f"{name}{pack}"
    if pack == ".zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(name, content)
    else:
        file.write_bytes(gzip.compress(content) if pack else content)
    found, notes = streamed(file)
    assert [text for chunk in found for text in chunk.texts[0]] == [row["text"] for row in ROWS]
    kept = columns_of(found)
    blank = None if name == "a.xlsx" else ""
    assert kept == {n: [row[n] or blank for row in ROWS] for n in ROWS[0]}
    assert notes == []


@pytest.mark.parametrize("what", ODD)
@pytest.mark.parametrize("through", ["a file", "standard input"])
def test_what_is_recognised_is_what_is_recognised_in_the_whole_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, through: str
) -> None:
    name, content = ODD[what]
    file = tmp_path / name
    file.write_bytes(content)
    data: dict[str, Any] = {"format": name[2:]}
    whole = read_texts(str(file), Data(source=str(file), **data), cache=tmp_path)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    found, notes = streamed("-" if through == "standard input" else file, **data)
    assert [text for chunk in found for text in chunk.texts[0]] == whole.columns[0]
    shown = [note.message.replace("standard input", str(file)) for note in notes]
    assert shown == [note.message for note in whole.notes]


def test_a_key_that_a_row_lacks_stays_absent(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"text": "a", "n": 1}\n{"text": null, "tags": ["x"]}\n')
    (chunk,), _ = streamed(file)
    assert chunk.texts == (["a", ""],)
    assert chunk.columns == {"text": ["a", None], "n": [1, ABSENT], "tags": [ABSENT, ["x"]]}


def test_a_second_column_of_a_name_gets_another(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("n,text,n\n1,a,2\n")
    (chunk,), _ = streamed(file)
    assert chunk.columns == {"n": ["1"], "text": ["a"], "n.2": ["2"]}


@pytest.mark.parametrize("name", ["a.csv", "a.txt", "a.parquet", "a.arrow", "a.xlsx"])
def test_a_table_without_rows_still_tells_its_columns(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(b"" if name == "a.txt" else tables.WRITERS[name]([]))
    (chunk,), _ = streamed(file)
    assert len(chunk) == 0
    assert next(iter(chunk.columns)) == "text"


def test_two_hundred_columns_stay_in_order(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    names = [f"c{number}" for number in range(199)] + ["text"]
    file.write_text(",".join(names) + "\n" + ",".join(names) + "\n")
    (chunk,), _ = streamed(file)
    assert list(chunk.columns.items()) == [(name, [name]) for name in names]


def test_a_missing_column_is_told_before_a_row_is_read(tmp_path: Path) -> None:
    for name in ("a.csv", "a.jsonl", "a.parquet"):
        file = tmp_path / name
        file.write_bytes(tables.WRITERS[name](ROWS))
        with pytest.raises(DataError, match="Did you mean --column text"):
            streamed(file, ("texte",))


def test_a_row_that_cannot_be_read_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("id,text\n1,a\n2,b,c\n")
    with pytest.raises(DataError, match="line 3: a row must not have more fields"):
        streamed(file)
    lines = tmp_path / "a.jsonl"
    lines.write_text('{"text": "a"}\n{"text": ["b"]}\n')
    with pytest.raises(DataError, match="line 2: 'text' must be a text"):
        streamed(lines)


# Pipes


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Callable[..., tuple[Path, threading.Event]]]:
    """Writes the first bytes into a named pipe, and the others once the event is set."""
    threads: list[threading.Thread] = []

    def make(first: bytes, second: bytes) -> tuple[Path, threading.Event]:
        path, go = tmp_path / "pipe", threading.Event()
        os.mkfifo(path)

        def write() -> None:
            with path.open("wb", buffering=0) as file:
                file.write(first)
                go.wait(30)
                file.write(second)

        threads.append(threading.Thread(target=write))
        threads[-1].start()
        return path, go

    yield make
    for thread in threads:
        thread.join(30)


@pytest.mark.parametrize("kind", ["txt", "jsonl", "csv"])
def test_rows_come_out_of_a_pipe_while_it_is_open(
    pipe: Callable[..., tuple[Path, threading.Event]], kind: str
) -> None:
    def lines(*texts: str) -> bytes:
        return "".join(
            (json.dumps({"text": text}) if kind == "jsonl" else text) + "\n" for text in texts
        ).encode()

    head = ("text",) if kind == "csv" else ()
    path, go = pipe(lines(*head, "one", "two"), lines("three"))
    stated = {"table": {"separator": ",", "quote": '"'}} if kind == "csv" else {}
    described = Data(source=str(path), text=("text",), format=kind, **stated)  # type: ignore[arg-type]
    with open_rows(str(path), described, cache=Path("unused")) as rows:
        found = iter(rows)
        seen = list(next(found).texts[0])
        while len(seen) < 2:
            seen += next(found).texts[0]
        assert seen == ["one", "two"]
        go.set()
        assert [text for chunk in found for text in chunk.texts[0]] == ["three"]
        assert rows.rows is None


def test_the_beginning_of_a_pipe_decides_and_what_contradicts_it_is_told_with_its_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(piped, "HEAD", 64)
    good = b"id;text\n" + b"".join(b'%d;"a; ""b"""\n' % number for number in range(40))

    def read(content: bytes, **data: Any) -> list[str]:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        return [text for chunk in streamed("-", **data)[0] for text in chunk.texts[0]]

    assert read(good, format="csv") == ['a; "b"'] * 40
    for bad, said in (
        (b"7;b;c\n", "standard input, line 42: a row must not have more fields"),
        (b'7;"b" c\n', "standard input, line 42: a quote stands where none may stand"),
        (b"7;\xe9t\xe9\n", "standard input, line 42: the text is not utf-8"),
        (b'7;"b\n', "begins at line 42 and never closed"),
    ):
        with pytest.raises(DataError, match=said):
            read(good + bad, format="csv")
    with pytest.raises(DataError, match="line 42: the text is not utf-8"):
        read(good + b"\xff\n")


@pytest.mark.parametrize("name", ["a.csv.gz", "a.parquet", "a.xlsx", "a.zip"])
def test_packed_and_binary_tables_come_through_standard_input(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    data: dict[str, Any] = {"format": "csv"} if name == "a.csv.gz" else {}
    if name == "a.zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("a.csv", tables.csv_bytes(ROWS))
        content = packed.getvalue()
    elif name == "a.csv.gz":
        content = gzip.compress(tables.csv_bytes(ROWS))
    else:
        content = tables.WRITERS[name](ROWS)
        data = {"format": name[2:]}
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    found, _ = streamed("-", **data)
    assert [text for chunk in found for text in chunk.texts[0]] == [row["text"] for row in ROWS]
