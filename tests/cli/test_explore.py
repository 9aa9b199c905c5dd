"""`bertsweep explore`: in a terminal, as a file, as a document, in W&B."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

import bertsweep
from bertsweep.cli._exploring import tell
from bertsweep.cli._histograms import log_bars
from tests.cli.test_errors import complains
from tests.cli.test_json import example, shape
from tests.exploration.conftest import sweep_folder  # noqa: F401 (a fixture)
from tests.support import wandbfile
from tests.support.clisweeps import cli
from tests.support.datafiles import questions, written


@pytest.fixture
def folder(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue("sweep_folder")
    return found


def test_it_fits_a_terminal_of_80_columns_and_says_all(folder: Path) -> None:
    out = Console(file=io.StringIO(), width=80, markup=False, highlight=False)
    tell(bertsweep.explore(folder), out)
    text = out.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, text.splitlines())) <= 80
    for heading in (
        "labels",
        "words of a row",
        "word pieces of a row",
        "do the splits look alike?",
        "what a max_seq_length cuts",
        "repeated rows and leaks",
        "likely label errors",
        "10 of 100 validation rows",
        "word pieces of an example",
        "[CLS]",
        "2 encoder layers of 49,984",
    ):
        assert heading in text
    assert "estimated" not in text


def test_the_document_is_as_described(folder: Path) -> None:
    printed, described = cli("explore", folder, "--json").json, example("explore")
    for free in ("notes", "guessed", "leaks", "conflicts"):  # empty here
        assert isinstance(printed.pop(free), type(described.pop(free)))
    for one in printed["splits"], described["splits"]:
        one["train"]["words"]["quantiles"] = one["train"]["words"]["quantiles"].keys()
        for name in ("validation", "test"):
            one.pop(name, None)
    assert shape(printed) == shape(described)


def test_it_is_written_as_one_page_or_as_plots(tmp_path: Path) -> None:
    rows = written(tmp_path, questions(120))
    page = tmp_path / "explore.html"
    done = cli("explore", rows, "--out", page)
    assert done.code == 0, done.err
    assert f"wrote {page}" in done.err
    assert "Exploration of rows" in page.read_text()
    assert cli("explore", rows, "--out", tmp_path / "plots", "--format", "png").code == 0
    assert {path.stem for path in (tmp_path / "plots").iterdir()} == {
        *("labels", "words", "characters", "word_pieces", "truncation"),
    }


def test_what_cannot_be_written_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    complains(cli("explore", "none.csv", "--out", tmp_path / "space.yaml"), "must end in .html")
    complains(cli("explore", "none.csv", "--format", "png"), "--out FOLDER")
    complains(cli("explore", "none.csv", "--out", tmp_path / "no" / "x.html"), "does not exist")


def test_tables_of_it_are_in_a_run_of_wandb(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "offline")
    done = cli("explore", folder, "--track")
    assert done.code == 0, done.err
    assert "offline run small-explore" in done.err
    (path,) = wandbfile.run_files(tmp_path)
    info = wandbfile.run_info(path)
    assert (info["job_type"], info["name"], info["exit_code"]) == ("explore", "small-explore", 0)
    missed = info["tables"]["data/missed"]
    assert missed["columns"] == ["text", "label", "predicted", "probability"]
    assert len(missed["data"]) == info["summary"]["missed"] == 10
    assert "data/word_pieces" in info["tables"]
    assert "data/word_pieces_plot" in info["plots"]
    assert "cut_train" in info["tables"]["data/truncation"]["columns"]


def test_bars_are_logarithmic_and_count_every_row() -> None:
    edges, counts = list(range(0, 50, 2)), [0, 0, 1, 9, 99, 999, *[0] * 17, 5]
    lines = list(log_bars(edges, counts, lines=12, width=60))
    assert all(len(line) == 60 for line in lines)
    numbers = [int(line.split()[-1].replace(",", "")) for line in lines]
    assert sum(numbers) == sum(counts)
    assert lines[-1].startswith("44 or more")
    bars = {number: line.count("█") for number, line in zip(numbers, lines, strict=True)}
    assert bars[10] < bars[1098]
    assert bars[10] == pytest.approx(bars[1098] / 3, abs=1.5)
