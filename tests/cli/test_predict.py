"""`predict` over a real checkpoint: the built-in encoder under an untrained head."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertsweep.cli._texts import read_file
from bertsweep.errors import SpecError
from tests.cli.test_json import example, shape
from tests.support import clisweeps, tables
from tests.support.clisweeps import cli


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep whose best trial has a checkpoint that can be opened."""
    from bertsweep import checkpoints
    from bertsweep.encoders import native, prepare_encoder
    from bertsweep.model.classifier import Classifier
    from bertsweep.paths import cache_root
    from bertsweep.spec.models import Encoder

    root = tmp_path_factory.mktemp("runs")
    folder = clisweeps.finished_sweep(root)
    encoder = prepare_encoder(Encoder(source="builtin:tiny"), cache=cache_root(), base=root)
    classifier = Classifier(native.build(encoder), encoder.config, classes=2)
    classifier.reset(seed=7, dropout=0.0)
    arrays = {name: np.array(v.numpy()) for name, v in classifier.weights.items()}
    record = {
        "labels": [0, 1],
        "text_columns": 1,
        "positive": 1,
        "threshold": 0.5,
        "threshold_rule": 0.5,
        "compute": {"precision": "float32", "jit": False},
        "params": {"max_seq_length": 16},
        "encoder": {"config": asdict(encoder.config), "lowercase": encoder.lowercase},
    }
    checkpoints.write(
        folder / "trials" / "t0001",
        "best",
        1,
        record=record,
        arrays=arrays,
        vocabulary=encoder.vocabulary,
    )
    return root


TEXTS = ["Why is the sky blue?", "What is \u2028 a line [red]?"]


def test_the_document_is_as_described(storage: Path) -> None:
    done = cli("predict", "demo", *TEXTS, "--storage", storage, "--json")
    assert done.code == 0, done.err
    assert shape(done.json) == shape(example("predict"))
    assert [entry["text"] for entry in done.json] == TEXTS
    for entry in done.json:
        assert sum(entry["probabilities"].values()) == pytest.approx(1)
        assert entry["probability"] == entry["probabilities"][str(entry["label"])]
        assert entry["label"] == int(entry["probabilities"]["1"] >= 0.5)


def test_a_file_gives_what_the_command_line_gives(storage: Path, tmp_path: Path) -> None:
    file = tmp_path / "texts.csv"
    file.write_text('id,question\n1,Why is the sky blue?\n2,"a, b"\n')
    target = ["predict", storage / "demo", "--json"]
    assert cli(*target, "--file", file).json == cli(*target, TEXTS[0], "a, b").json


def test_a_checkpoint_is_taken_as_well_as_a_sweep(storage: Path) -> None:
    folder = storage / "demo" / "trials" / "t0001" / "best-0001"
    of_folder = cli("predict", folder, TEXTS[0], "--json").json
    assert of_folder == cli("predict", "demo", TEXTS[0], "--json", "--storage", storage).json


def test_the_table_shows_label_probability_and_text_as_it_is(storage: Path) -> None:
    out = cli("predict", "demo", "is [bold]this[/bold] so?", "--storage", storage).out
    assert "is [bold]this[/bold] so?" in out
    assert "positive: 1, from a probability of 0.5\n" in out


def test_a_second_text_for_a_model_of_single_texts_is_refused(storage: Path) -> None:
    done = cli("predict", "demo", "a", "--text-b", "b", "--storage", storage)
    assert done.code == 2
    assert "single texts" in done.err


ROWS = [
    {"q1": "a, b", "q2": "x"},
    {"q1": 'say "no"', "q2": "y"},
    {"q1": "", "q2": "z"},
    {"q1": "NA", "q2": "null"},
]
WRITERS = {
    "a.csv": tables.csv_bytes,
    "a.tsv": tables.tsv_bytes,
    "a.jsonl": tables.jsonl_bytes,
    "a.json": tables.json_bytes,
    "a.parquet": tables.parquet_bytes,
    "a.arrow": tables.arrow_stream_bytes,
    "a.feather": tables.arrow_file_bytes,
    "a.xlsx": tables.xlsx_bytes,
}


def texts(
    checkpoint: Path, file: Path | str, *, column: Sequence[str] = (), **settings: str
) -> Any:
    """The texts of a file, and what is said of how it was read."""
    made = [f"data.{key.replace('_', '.')}={value}" for key, value in settings.items()]
    return read_file(str(file), checkpoint, column=column, settings=made)


@pytest.mark.parametrize("pack", ["", ".gz", ".zip"])
@pytest.mark.parametrize("name", WRITERS)
def test_every_format_returns_every_row_in_order(tmp_path: Path, name: str, pack: str) -> None:
    content = WRITERS[name](ROWS)
    file = tmp_path / f"{name}{pack}"
    if pack == ".zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(name, content)
    else:
        file.write_bytes(gzip.compress(content) if pack else content)
    expected = [row["q1"] for row in ROWS], [row["q2"] for row in ROWS]
    assert texts(tmp_path, file, column=["q1", "q2"]) == (expected, [])
    assert texts(tmp_path, file, column=["q2"])[0] == (expected[1],)


def test_a_plain_file_has_one_text_a_line_empty_ones_too(tmp_path: Path) -> None:
    for name in ("texts.txt", "texts", "texts.log"):
        file = tmp_path / name
        file.write_bytes("\ufeffone\r\n\r\nthr\u2028ee\n".encode())
        assert texts(tmp_path, file)[0] == (["one", "", "thr\u2028ee"],)


def test_standard_input_is_a_plain_file_unless_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"one\ntwo")))
    assert texts(tmp_path, "-")[0] == (["one", "two"],)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'text,id\n"a, b",1\n')))
    assert texts(tmp_path, "-", format="csv")[0] == (["a, b"],)


def test_a_file_is_read_as_the_data_of_the_sweep_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = {"source": "sms.tsv", "text": [2], "label": 1, "table": {"header": False}}
    monkeypatch.setitem(clisweeps.SPEC, "data", data)
    checkpoint = clisweeps.finished_sweep(tmp_path / "runs") / "trials" / "t0001" / "best-0001"
    file = tmp_path / "more.tsv"
    file.write_text("ham\tone\nspam\ttwo\n")
    found, notes = texts(checkpoint, file)
    assert found == (["one", "two"],)
    assert notes == [f"{file} is read as data.table of the sweep says: {{header: false}}."]
    assert texts(checkpoint, file, column=["1"])[0] == (["ham", "spam"],)
    file.write_text("kind\tbody\nham\tone\n")
    other = texts(checkpoint, file, column=["body"], table_header="true")
    assert other == ((["one"],), [])
    with pytest.raises(SpecError, match=r"a column has a number only where there is no header"):
        texts(checkpoint, file, table_header="true")


def test_what_was_recognised_is_told(storage: Path, tmp_path: Path) -> None:
    file = tmp_path / "texts.csv"
    file.write_bytes("id;question\n1;Où est-il ?\n2\n".encode("cp1252"))
    done = cli("predict", "demo", "--storage", storage, "--file", file, "--json")
    assert [entry["text"] for entry in done.json] == ["Où est-il ?", ""]
    for said in ("Windows-1252", "semicolons", "1 row with fewer fields"):
        assert said in done.err


def test_a_short_row_is_labelled_too(tmp_path: Path) -> None:
    file = tmp_path / "texts.csv"
    file.write_text("id,text\n1,one\n2\n3,three\n")
    found, notes = texts(tmp_path, file)
    assert found == (["one", "", "three"],)
    assert "line 3" in notes[0]
