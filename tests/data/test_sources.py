"""What `data.source` may be: one file or several, patterns, here and elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bertsweep.data import absolute
from bertsweep.data.sources import find_sources
from bertsweep.errors import DataError
from bertsweep.spec.data_models import Data
from tests.support.datafiles import prepared, questions, rows_of, written


def parts(folder: Path, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    frame = questions(20 * len(names))
    for index, name in enumerate(names):
        written(folder, frame.iloc[20 * index : 20 * index + 20], name)


def names(data: Data, base: Path) -> dict[str, list[str]]:
    sources = find_sources(data, base=base)
    return {split: [Path(f.place).name for f in files] for split, files in sources.files.items()}


def test_several_files_are_one_table(tmp_path: Path) -> None:
    parts(tmp_path, "a.csv", "b.csv", "c.jsonl")
    frame = questions(20).assign(text=lambda rows: rows["text"] + " c")
    frame.to_json(tmp_path / "c.jsonl", orient="records", lines=True)
    dataset = prepared(tmp_path, ["a.csv", "b.csv", "c.jsonl"])
    assert len(rows_of(dataset)) == 60


def test_a_pattern_means_every_file_in_order(tmp_path: Path) -> None:
    parts(tmp_path, "part-10.csv", "part-9.csv", "part-1.csv", "test.csv")
    (tmp_path / "part-7.csv").mkdir()
    data = Data.model_validate({"source": {"train": ["part-*.csv"], "test": "t*.csv"}})
    assert names(data, tmp_path) == {
        "train": ["part-1.csv", "part-9.csv", "part-10.csv"],
        "test": ["test.csv"],
    }
    assert len(rows_of(prepared(tmp_path, "part-*.csv"))) == 60
    with pytest.raises(DataError, match=r"no file matches 'part-\?\.tsv' in .* Check data\.source"):
        prepared(tmp_path, "part-?.tsv")


def test_a_name_that_exists_is_no_pattern(tmp_path: Path) -> None:
    parts(tmp_path, "a[1].csv", "a1.csv")
    assert names(Data(source="a[1].csv"), tmp_path) == {"train": ["a[1].csv"]}


def test_an_error_in_one_of_many_names_it(tmp_path: Path) -> None:
    parts(tmp_path, "part-1.csv", "part-2.csv")
    (tmp_path / "part-2.csv").write_text("text,label\na,b,c\n")
    with pytest.raises(DataError, match=r"part-2\.csv, line 2"):
        prepared(tmp_path, "part-*.csv")


def test_addresses_hold_no_patterns(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"must name one, but data\.source is 's3://b/x-\*\.csv'"):
        prepared(tmp_path, "s3://b/x-*.csv")


def test_a_folder_of_tables_is_no_dataset(tmp_path: Path) -> None:
    parts(tmp_path / "folder", "a.csv")
    with pytest.raises(
        DataError, match=r"folder without one\. Give a file in it, such as .*a\.csv"
    ):
        prepared(tmp_path, "folder")


def test_absolute_paths_hold_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, base, away = (tmp_path / name for name in ("here [x]", "base", "away"))
    parts(here, "a.csv", "part-1.csv")
    parts(base, "b.csv", "part-1.csv", "labels.txt")
    away.mkdir()
    monkeypatch.chdir(here)
    data = Data.model_validate(
        {
            "source": {"train": ["a.csv", "part-*.csv"], "test": "b.csv"},
            "labels": {"train": ["labels.txt", "labels.txt"], "test": "labels.txt"},
        }
    )
    settled = absolute(data, base)
    before = find_sources(data, base=base)
    monkeypatch.chdir(away)
    after = find_sources(settled, base=Path("nowhere"))
    assert [[f.place for f in files] for files in after.files.values()] == [
        [f.place for f in files] for files in before.files.values()
    ]
    assert after.labels["test"][0].place == base / "labels.txt"
    assert absolute(settled, Path("nowhere")) == settled
    with pytest.raises(DataError, match=r"there is no file 'a\.csv'"):
        absolute(data, base)


@pytest.mark.parametrize(
    "source",
    [
        "builtin:questions",
        "https://host/rows.csv?x=*",
        {"train": "s3://b/a.csv", "test": "gs://b/c"},
    ],
)
def test_what_is_not_on_this_machine_stays_as_it_is(tmp_path: Path, source: Any) -> None:
    data = Data.model_validate({"source": source})
    assert absolute(data, tmp_path) == data


def test_a_home_folder_is_written_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    parts(tmp_path, "a.csv")
    assert absolute(Data(source="~/a.csv"), tmp_path).source == str(tmp_path / "a.csv")
