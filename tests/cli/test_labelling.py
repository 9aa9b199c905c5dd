"""`predict --out`: every row of a file with its columns and prediction, in constant memory."""

from __future__ import annotations

import csv
import gzip
import io
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from bertsweep.cli._row_progress import rows_said
from tests.cli.test_json import example, shape
from tests.support import tables
from tests.support.checkpoints import write_real
from tests.support.clisweeps import cli

TEXTS = ["Why is the sky blue?", 'What, "a" line?', "", "How is it made by hand?"]
ROWS = [{"id": str(n), "question": text, "target": "?"} for n, text in enumerate(TEXTS)]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_real(tmp_path_factory.mktemp("trial"))


@pytest.fixture(scope="module")
def told(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What `predict --json` says of the rows."""
    file = tmp_path_factory.mktemp("told") / "a.csv"
    file.write_bytes(tables.csv_bytes(ROWS))
    documents: list[dict[str, Any]] = cli("predict", checkpoint, "--file", file, "--json").json
    return documents


def read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_every_row_keeps_its_columns_and_gets_what_predict_says(
    checkpoint: Path, told: list[dict[str, Any]], tmp_path: Path, suffix: str
) -> None:
    file, out = tmp_path / "a.csv.gz", tmp_path / f"o{suffix}"
    file.write_bytes(gzip.compress(tables.csv_bytes(ROWS)))
    done = cli("predict", checkpoint, "--file", file, "--out", out)
    assert (done.code, done.out) == (0, ""), done.err
    found = read(out)
    assert [{name: row[name] for name in ROWS[0]} for row in found] == ROWS
    for row, document in zip(found, told, strict=True):
        assert str(row["predicted_label"]) == str(document["label"])
        assert float(row["predicted_probability"]) == document["probability"]
        for label, probability in document["probabilities"].items():
            assert float(row[f"probability_{label}"]) == probability
    assert "4 rows written to" in done.err
    assert "1 row has no text (the first is row 3): labelled as an empty text" in done.err


def test_the_document_is_as_described(checkpoint: Path, tmp_path: Path) -> None:
    file, out = tmp_path / "a.jsonl", tmp_path / "o.csv"
    file.write_bytes(tables.jsonl_bytes(ROWS))
    done = cli("predict", checkpoint, "--file", file, "--out", out, "--json")
    described = example("predict SWEEP_OR_CHECKPOINT --file FILE --out")
    assert shape(done.json) == shape(described)
    assert (done.json["rows"], done.json["empty"]) == (4, 1)
    assert sum(done.json["labels"].values()) == 4
    assert done.json["out"] == str(out)


def test_typed_texts_and_the_names_of_labels(tmp_path: Path) -> None:
    named = write_real(tmp_path / "named", labels=("good", "so so", "bad"), threshold=None)
    done = cli("predict", named, *TEXTS[:2], "--out", tmp_path / "o.jsonl")
    assert done.code == 0, done.err
    for row, text in zip(read(tmp_path / "o.jsonl"), TEXTS, strict=False):
        each = {name: row[f"probability_{name}"] for name in ("good", "so so", "bad")}
        assert row["text"] == text
        assert row["predicted_label"] == max(each, key=each.__getitem__)
        assert row["predicted_probability"] == max(each.values())
        assert sum(each.values()) == pytest.approx(1)


def test_mistakes_are_told_before_anything_is_computed(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bertsweep.predict.Predictor.__init__", lambda *_: pytest.fail("computed"))
    file = tmp_path / "a.csv"
    file.write_bytes(tables.csv_bytes(ROWS))
    target = ["predict", checkpoint, "--file", file]
    for arguments, said in (
        ([*target, "--out", tmp_path / "o.xlsx"], "must end in .csv, .jsonl, .parquet"),
        ([*target, "--out", file], "exists already"),
        ([*target, "--out", "-", "--json"], "give one of them"),
        ([*target, "--force"], "there is no --out"),
        ([*target, "--out", tmp_path / "o.csv", "--column", "questio"], "Did you mean --column"),
        (["predict", checkpoint, "--out", tmp_path / "o.csv"], "nothing to label"),
    ):
        done = cli(*arguments)
        assert done.code == 2
        assert said in done.err
    assert list(tmp_path.iterdir()) == [file]


def test_an_existing_file_is_replaced_by_force_its_own_input_too(
    checkpoint: Path, tmp_path: Path
) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(tables.csv_bytes(ROWS))
    done = cli("predict", checkpoint, "--file", file, "--out", file, "--force")
    assert done.code == 0, done.err
    assert [row["question"] for row in read(file)] == TEXTS


def test_a_fault_late_in_the_file_leaves_no_file(checkpoint: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(tables.jsonl_bytes(ROWS) * 2500 + b'{"question": ["a"]}\n')
    done = cli("predict", checkpoint, "--file", file, "--out", tmp_path / "o.csv")
    assert done.code == 2
    assert "a.jsonl, line 10,001: 'question' must be a text" in done.err
    assert list(tmp_path.iterdir()) == [file]


def test_json_lines_go_to_standard_output(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = "".join(f"{text}\n" for text in TEXTS).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    done = cli("predict", checkpoint, "--file", "-", "--out", "-")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [line["text"] for line in lines] == TEXTS
    assert "4 rows written to standard output" in done.err


def test_progress_tells_rate_and_time_left() -> None:
    assert rows_said(500, 2000, 10.0) == "500 of 2,000 rows, 50 rows/s, 30 s left"
    assert rows_said(2000, 2000, 10.0) == "2,000 of 2,000 rows, 200 rows/s"
    assert rows_said(500, None, 10.0) == "500 rows, 50 rows/s"


# In a process of its own

MEASURED = """
import resource, sys
from bertsweep.cli import main
for name in sys.argv[2:]:
    code = main(["predict", sys.argv[1], "--file", name, "--out", name + ".csv"])
    assert code == 0, code
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(checkpoint: Path, tmp_path: Path) -> None:
    names = []
    for rows in (6_000, 24_000):
        path = tmp_path / f"{rows}.jsonl"
        # Together the rows take 190 MB.
        row = json.dumps({"question": "why is it so?", "more": "x" * 8000}) + "\n"
        with path.open("w") as file:
            file.writelines(row for _ in range(rows))
        names.append(str(path))
    command = [sys.executable, "-c", MEASURED, str(checkpoint), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    quarter, whole = map(int, done.stdout.split())
    assert whole < 1.08 * quarter


def test_an_open_pipe_gives_first_answers_and_ctrl_c_ends_it(checkpoint: Path) -> None:
    command = [sys.executable, "-m", "bertsweep", "predict", str(checkpoint)]
    command += ["--file", "-", "--out", "-"]
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, text=True, **pipes) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write("one\ntwo\n")
        process.stdin.flush()
        assert [json.loads(process.stdout.readline())["text"] for _ in "12"] == ["one", "two"]
        assert process.stderr
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stderr.read().endswith("interrupted\n")
