"""`predict` over a real checkpoint: the built-in encoder under an untrained head."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from bertsweep.checkpoints import Checkpoint
from bertsweep.cli._texts import read_texts
from bertsweep.ledger import Ledger
from tests.cli.test_json import example, shape
from tests.support import clisweeps
from tests.support.checkpoints import flipped_bits, record, write_checkpoint
from tests.support.clisweeps import METRIC, cli


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep whose best trial has a checkpoint that can be opened."""
    from bertsweep import checkpoints
    from bertsweep.checkpoints import EncoderRecord
    from bertsweep.encoders import native, prepare_encoder
    from bertsweep.model.classifier import Classifier
    from bertsweep.paths import cache_root
    from bertsweep.spec.models import Encoder

    root = tmp_path_factory.mktemp("runs")
    folder = clisweeps.finished_sweep(root)
    encoder = prepare_encoder(Encoder(source="builtin:tiny"), cache=cache_root(), base=root)
    classifier = Classifier(native.build(encoder), encoder.config, classes=2)
    classifier.reset(seed=7, dropout=0.0)
    checkpoints.write_best(
        folder / "trials" / "t0001",
        record(
            params={"max_seq_length": 16}, encoder=EncoderRecord(encoder.config, encoder.lowercase)
        ),
        arrays={name: np.array(v.numpy()) for name, v in classifier.weights.items()},
        vocabulary=encoder.vocabulary.read_bytes(),
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


def test_a_damaged_checkpoint_is_refused_in_one_sentence_that_names_the_file(storage: Path) -> None:
    folder = storage / "demo" / "trials" / "t0001" / "best-0001"
    for name in ("weights.safetensors", "vocab.txt", "checkpoint.json"):
        for _ in flipped_bits(folder / name, count=3):
            done = cli("predict", folder, TEXTS[0])
            assert done.code == 2
            assert name in done.err
            assert "unexpected" not in done.err


def test_a_sweep_whose_best_checkpoint_is_damaged_takes_the_next_best_and_says_so(
    storage: Path,
) -> None:
    folder = storage / "demo" / "trials" / "t0001" / "best-0001"
    for _ in flipped_bits(folder / "weights.safetensors", count=1):
        done = cli("best", "demo", "--storage", storage, "--json")
        assert done.code == 0
        assert done.json["trial"] == "t0003"
        assert done.json["checkpoint"].endswith("t0003/best-0001")
        assert "t0001/best-0001 cannot be used: weights.safetensors is damaged" in done.err
        assert "the best trial with a checkpoint that can be read is t0003" in done.err


def test_an_older_checkpoint_of_the_trial_stands_in_and_tells_its_own_score(
    storage: Path, tmp_path: Path
) -> None:
    copied = tmp_path / "demo"
    shutil.copytree(storage / "demo", copied)
    trial = copied / "trials" / "t0001"
    write_checkpoint(trial, 2, metrics={METRIC: 0.7})
    (trial / "best-0001" / "vocab.txt").unlink()
    done = cli("best", copied, "--json")
    assert done.json["checkpoint"] == str(trial / "best-0002")
    assert done.json["objective"]["value"] == done.json["metrics"][METRIC] == 0.7
    assert "vocab.txt is missing" in done.err
    assert f"{trial / 'best-0002'} is used instead: report 2, epoch 1." in done.err


def test_no_checkpoint_left_is_an_error_that_says_so(storage: Path, tmp_path: Path) -> None:
    copied = tmp_path / "demo"
    shutil.copytree(storage / "demo", copied)
    for folder in copied.glob("trials/*/best-*"):
        shutil.rmtree(folder)
    for verb in (["best"], ["predict", "a text"]):
        done = cli(verb[0], copied, *verb[1:])
        assert done.code == 1
        assert "no checkpoint of sweep demo can be read any more" in done.err
    assert cli("show", copied).code == 0


def test_a_checkpoint_that_goes_while_it_is_read_is_looked_for_again(
    storage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = tmp_path / "demo"
    shutil.copytree(storage / "demo", copied)
    trial = copied / "trials" / "t0001"
    read = Checkpoint.arrays

    def superseded(checkpoint: Checkpoint) -> Any:
        if checkpoint.folder.name == "best-0001":
            checkpoint.folder.rename(trial / "best-0002")
            with contextlib.closing(Ledger(copied / "ledger.jsonl")) as ledger:
                path = "trials/t0001/best-0002"
                ledger.append("checkpoint_saved", trial="t0001", report=2, path=path, metrics={})
        return read(checkpoint)

    before = cli("predict", copied, TEXTS[0], "--json")
    monkeypatch.setattr(Checkpoint, "arrays", superseded)
    after = cli("predict", copied, TEXTS[0], "--json")
    assert after.json == before.json
    assert after.err == before.err


def test_text_columns_come_from_the_checkpoint_wherever_it_lies(
    storage: Path, tmp_path: Path
) -> None:
    shutil.copytree(storage / "demo" / "trials" / "t0001" / "best-0001", tmp_path / "mine")
    file = tmp_path / "texts.csv"
    file.write_text("id,question\n1,Why is the sky blue?\n")
    (answer,) = cli("predict", tmp_path / "mine", "--file", file, "--json").json
    assert answer["text"] == "Why is the sky blue?"


def test_the_table_shows_label_probability_and_text_as_it_is(storage: Path) -> None:
    out = cli("predict", "demo", "is [bold]this[/bold] so?", "--storage", storage).out
    assert "is [bold]this[/bold] so?" in out


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
