"""Labelled rows as csv, JSON lines and parquet: columns, types, files that are whole or absent."""

from __future__ import annotations

import csv
import datetime
import json
import tracemalloc
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bertsweep.data import ABSENT, Chunk, open_rows
from bertsweep.errors import InputError
from bertsweep.predict import Answers, check_target, open_output
from bertsweep.spec.data_models import Data

LABELS = ("no", "yes")
NAMES = ["predicted_label", "predicted_probability", "probability_no", "probability_yes"]


def answers(rows: int) -> Answers:
    told = np.tile([0.25, 0.75], (rows, 1))
    return Answers(np.ones(rows, np.int64), told)


def chunk(columns: Mapping[str, Sequence[Any]]) -> Chunk:
    rows = len(next(iter(columns.values())))
    return Chunk((["a"] * rows,), columns)


def write(path: Path, *chunks: Chunk, labels: Sequence[Any] = LABELS, force: bool = False) -> Path:
    with open_output(str(path), labels, force=force) as output:
        for each in chunks:
            output.write(each, answers(len(each)))
    return path


JSON_ROWS = {"text": ["a", None], "n": [1, ABSENT], "tags": [["x", "é"], {"k": 2.5}]}


def test_json_lines_keep_values_and_absent_keys(tmp_path: Path) -> None:
    path = write(tmp_path / "o.jsonl", chunk(JSON_ROWS), chunk({"text": ["\ud800"], "new": [True]}))
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    added = dict(zip(NAMES, ["yes", 0.75, 0.25, 0.75], strict=True))
    assert lines == [
        {"text": "a", "n": 1, "tags": ["x", "é"], **added},
        {"text": None, "tags": {"k": 2.5}, **added},
        {"text": "\ufffd", "new": True, **added},
    ]


def test_csv_has_a_header_and_what_is_absent_is_empty(tmp_path: Path) -> None:
    path = write(
        tmp_path / "o.csv", chunk(JSON_ROWS), chunk({"text": ['say "no"\n'], "n": [False]})
    )
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["text", "n", "tags", *NAMES]
    assert [row[:3] for row in rows[1:]] == [
        ["a", "1", '["x", "é"]'],
        ["", "", '{"k": 2.5}'],
        ['say "no"\n', "false", ""],
    ]
    assert rows[1][3:] == ["yes", "0.75", "0.25", "0.75"]


def test_parquet_keeps_arrow_types_and_makes_the_others_text(tmp_path: Path) -> None:
    day = datetime.date(2026, 11, 25)
    typed = {
        "day": pa.array([day, None]),
        "many": pa.array([[1], []]),
        "code": pa.array([b"a", b""]),
    }
    table = pq.read_table(write(tmp_path / "o.parquet", chunk(typed)))
    assert table.schema.types[:3] == [pa.date32(), pa.list_(pa.int64()), pa.binary()]
    assert table.column("day").to_pylist() == [day, None]
    assert table.column("predicted_label").to_pylist() == ["yes", "yes"]
    table = pq.read_table(write(tmp_path / "p.parquet", chunk(JSON_ROWS), labels=(0, 1)))
    assert table.column("n").to_pylist() == ["1", None]
    assert table.schema.field("predicted_label").type == pa.int64()
    assert table.column_names[-2:] == ["probability_0", "probability_1"]
    (first, _) = map(json.loads, write(tmp_path / "o.jsonl", chunk(typed)).read_text().splitlines())
    assert (first["day"], first["many"], first["code"]) == ("2026-11-25", [1], "YQ==")


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_no_rows_make_a_file_that_can_be_read(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"o{suffix}", Chunk(([],), {"text": []}))
    if suffix == ".parquet":
        assert pq.read_table(path).column_names == ["text", *NAMES]
    else:
        assert path.read_text() == ("" if suffix == ".jsonl" else ",".join(["text", *NAMES]) + "\n")


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, InputError])
def test_a_file_is_whole_or_as_it_was(
    tmp_path: Path, suffix: str, error: type[BaseException]
) -> None:
    def broken_off(force: bool) -> None:
        with open_output(str(path), LABELS, force=force) as output:
            output.write(chunk({"text": ["a"]}), answers(1))
            raise error("now")

    path = tmp_path / f"o{suffix}"
    with pytest.raises(error):
        broken_off(False)
    assert list(tmp_path.iterdir()) == []
    path.write_bytes(b"before")
    with pytest.raises(error):
        broken_off(True)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]
    write(path, chunk({"text": ["a"]}), force=True)
    assert path.read_bytes() != b"before"


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "there.csv").touch()
    for target, said in (
        (tmp_path / "o.xlsx", "must end in .csv, .jsonl, .parquet"),
        (tmp_path / "gone" / "o.csv", "there is no folder"),
        (tmp_path / "there.csv", "exists already. Give another name, or --force"),
    ):
        with pytest.raises(InputError, match=said):
            check_target(str(target), force=False)
    for name in ("predicted_label", "probability_yes"):
        with pytest.raises(InputError, match=f"must not have a column '{name}'"):
            write(tmp_path / "o.csv", chunk({name: ["a"]}))
    with pytest.raises(InputError, match=r"'b' occurs in later ones only.*JSON lines"):
        write(tmp_path / "o.parquet", chunk({"a": ["x"]}), chunk({"a": ["x"], "b": ["y"]}))


@pytest.mark.slow
@pytest.mark.parametrize(("source", "suffix"), [("csv", ".csv"), ("jsonl", ".parquet")])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, source: str, suffix: str) -> None:
    def peak(rows: int) -> int:
        path = tmp_path / f"{rows}.{source}"
        filler = "x" * 200
        with path.open("w") as file:
            file.write("text,more\n" if source == "csv" else "")
            row = f"a,{filler}\n" if source == "csv" else f'{{"text": "a", "more": "{filler}"}}\n'
            file.writelines(row for _ in range(rows))
        tracemalloc.start()
        with (
            open_rows(str(path), Data(source=str(path)), cache=tmp_path) as stream,
            open_output(str(tmp_path / f"out{rows}{suffix}"), LABELS, force=False) as output,
        ):
            for each in stream:
                output.write(each, answers(len(each)))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(10_000)  # what is imported and made once
    assert peak(60_000) < 1.2 * peak(20_000)
