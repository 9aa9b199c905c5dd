"""`predict` over a real checkpoint: the built-in encoder under an untrained head."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from bertsweep.cli._texts import read_texts
from tests.cli.test_json import example, shape
from tests.support import clisweeps
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


ROWS = [("a, b", "x"), ('say "no"', "y"), ("", "z")]


def written(folder: Path, ending: str) -> str:
    file = folder / f"texts{ending}"
    left, right = [row[0] for row in ROWS], [row[1] for row in ROWS]
    if ending == ".csv":
        file.write_text('q1,q2\r\n"a, b",x\r\n"say ""no""",y\r\n"",z\r\n', newline="")
    elif ending == ".tsv":
        file.write_text('q1\tq2\na, b\tx\nsay "no"\ty\n\tz\n')
    elif ending == ".jsonl":
        file.write_text("".join(json.dumps({"q1": a, "q2": b}) + "\n" for a, b in ROWS))
    else:
        pyarrow.parquet.write_table(pyarrow.table({"q1": left, "q2": right}), file)
    return str(file)


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_every_format_gives_every_row(tmp_path: Path, ending: str) -> None:
    left, right = [row[0] for row in ROWS], [row[1] for row in ROWS]
    assert read_texts(written(tmp_path, ending), ("q1", "q2")) == (left, right)
    assert read_texts(written(tmp_path, ending), ("q2",)) == (right,)


def test_a_plain_file_has_one_text_a_line_empty_ones_too(tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    file.write_bytes("\ufeffone\r\n\r\nthr\u2028ee\n".encode())
    assert read_texts(str(file), ("text",)) == (["one", "", "thr\u2028ee"],)


def test_standard_input_is_a_plain_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"one\ntwo")))
    assert read_texts("-", ("text",)) == (["one", "two"],)
