"""`predict` over a real checkpoint: the built-in encoder under an untrained head."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bertsweep import checksums
from bertsweep.checkpoints import Checkpoint
from bertsweep.cli._texts import read_file
from bertsweep.errors import SpecError
from bertsweep.ledger import Ledger
from bertsweep.ledger.events import CheckpointSaved
from tests.cli.test_json import example, shape
from tests.support import clisweeps, tables
from tests.support.checkpoints import flipped_bits, write_checkpoint, write_real
from tests.support.clisweeps import METRIC, cli


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep whose best trial has a checkpoint that can be opened."""
    root = tmp_path_factory.mktemp("runs")
    folder = clisweeps.finished_sweep(root)
    write_real(folder / "trials" / "t0001")
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


def test_a_checkpoint_from_before_checksums_predicts_as_it_did(
    storage: Path, tmp_path: Path
) -> None:
    shutil.copytree(storage / "demo" / "trials" / "t0001" / "best-0001", tmp_path / "old")
    plain = checksums.read_sealed(tmp_path / "old" / "checkpoint.json")
    new = ("files", "text", "positive", "threshold_rule")
    plain = {key: value for key, value in plain.items() if key not in new}
    old = {**plain, "format": 1, "text_columns": 1}
    (tmp_path / "old" / "checkpoint.json").write_text(json.dumps(old, indent=1))
    before = cli("predict", "demo", *TEXTS, "--storage", storage, "--json").json
    assert cli("predict", tmp_path / "old", *TEXTS, "--json").json == before


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
                ledger.append(CheckpointSaved(trial="t0001", report=2, path=path))
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


def texts(
    checkpoint: Path, file: Path | str, *, column: Sequence[str] = (), **settings: str
) -> Any:
    """The texts of a file, and what is said of how it was read."""
    made = [f"data.{key.replace('_', '.')}={value}" for key, value in settings.items()]
    return read_file(str(file), checkpoint, column=column, settings=made)


@pytest.mark.parametrize("pack", ["", ".gz", ".zip"])
@pytest.mark.parametrize("name", tables.WRITERS)
def test_every_format_returns_every_row_in_order(tmp_path: Path, name: str, pack: str) -> None:
    content = tables.WRITERS[name](ROWS)
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
    lines = tmp_path / "more.txt"
    lines.write_text("ham\tone\n")
    assert texts(checkpoint, lines) == ((["ham\tone"],), [])  # nothing there has a header
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
