"""Data and encoder → a file that validates, says why, and reads the data it was made for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import bertsweep
from bertsweep.draft import Drafted, choices
from bertsweep.draft.writing import duration, name_for, yaml
from bertsweep.errors import InputError
from bertsweep.paths import cache_root
from bertsweep.spec import SweepSpec, load
from bertsweep.sweep.materials import load_materials
from tests.support.datafiles import questions, written


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def drafted(source: object, **options: Any) -> tuple[Drafted, SweepSpec]:
    done = bertsweep.init(source, encoder="builtin:tiny", **options)  # type: ignore[arg-type]
    spec = load(done.path)
    assert spec.warnings == ()
    # What `run` checks before it begins: the data are as they were, the encoder serves the space.
    materials = load_materials(
        spec,
        cache=cache_root(),
        base=done.path.absolute().parent,
        progress=None,
        notify=lambda _: None,
    )
    assert materials.dataset.hash == done.facts.dataset.hash
    return done, spec


def test_two_classes_of_unequal_size(tmp_path: Path) -> None:
    frame = questions(1200, classes=["ham"] * 9 + ["spam"]).rename(columns={"text": "mail"})
    done, spec = drafted(Path(written(tmp_path, frame, "my mails.csv")).name)
    assert done.path == Path("my-mails.yaml")
    assert (spec.name, spec.data.source) == ("my-mails", "my mails.csv")
    assert (spec.data.text, spec.data.label, spec.data.positive) == (("mail",), "label", "spam")
    assert spec.objective.metric == "val_average_precision"
    assert str(spec.space["class_weight"].domain) == "[none, balanced]"
    # `Is number 7 a good one?` has six words and a mark, in few pieces each, and [CLS] and [SEP].
    assert done.facts.lengths.measured
    assert done.facts.lengths.values.max() <= spec.baseline.max_seq_length <= 40
    text = done.path.read_text()
    assert "ham 90.0%, spam 10.0%" in text
    assert "cuts none of the rows" in text
    assert done.estimate in text
    assert max(map(len, text.splitlines())) <= 100


def test_of_very_many_rows_some_are_searched_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, count in {"_MANY": 500, "_VERY_MANY": 800, "_HELD_OUT": 60}.items():
        monkeypatch.setattr(choices, name, count)
    monkeypatch.setattr(choices, "_SEARCHED_ON", 300)
    done, _ = drafted(written(tmp_path, questions(1000)))
    rows = {name: len(frame) for name, frame in done.facts.dataset.splits.items()}
    assert rows == {"train": 300, "validation": 60, "test": 60}


def test_a_positive_class_that_is_the_frequent_one_gives_way_to_the_rarer(tmp_path: Path) -> None:
    source = written(tmp_path, questions(500, classes=[1, 1, 1, 1, 0]))
    _, spec = drafted(source)
    assert spec.data.positive == 0


def test_no_header_labels_like_booleans_and_a_tab(tmp_path: Path) -> None:
    path = tmp_path / "data" / "train.tsv"
    path.parent.mkdir()
    frame = questions(400, classes=["yes", "no", "on"])
    path.write_text(frame[["label", "text"]].to_csv(index=False, header=False, sep="\t"))
    done, spec = drafted("data/train.tsv")
    assert done.path == Path("data.yaml")
    assert (spec.data.text, spec.data.label, spec.data.table.header) == ((2,), 1, False)
    assert done.facts.dataset.labels == ("no", "on", "yes")
    assert spec.objective.metric == "val_accuracy"
    assert (spec.data.split.validation, spec.data.split.test) == (0.2, 0.2)
    assert any("no header" in note for note in done.notes)


def test_how_the_data_are_written_is_stated_and_stands_in_the_file(tmp_path: Path) -> None:
    frame = questions(400, classes=["no", "yes"])
    text = frame.to_csv(index=False, sep="^").encode("utf-16")
    (tmp_path / "odd.dat").write_bytes(text)
    settings = ["data.format=csv", "data.table.separator=^", "data.table.encoding=utf-16"]
    _, spec = drafted("odd.dat", settings=settings)
    assert (spec.data.format, spec.data.table.separator) == ("csv", "^")
    with pytest.raises(InputError, match="Type --text COLUMN"):
        drafted("odd.dat", out="other.yaml", settings=[*settings, "data.text=label"])


def test_files_beside_the_training_rows_are_their_splits_unless_they_have_no_labels(
    tmp_path: Path,
) -> None:
    frame = questions(1300)
    written(tmp_path, frame[:1100], "train.csv")
    written(tmp_path, frame[1100:1200], "dev.csv")
    written(tmp_path, frame[1200:].assign(label=""), "test.csv")
    done, spec = drafted("train.csv", out="sweep.yaml")
    assert spec.data.files() == {"train": ("train.csv",), "validation": ("dev.csv",)}
    assert spec.data.split.test == 0.1
    said = " ".join(done.notes)
    assert "validation: dev.csv" in said
    assert "test.csv lies beside the training rows, but" in said


def test_a_file_elsewhere_names_the_data_from_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, questions(300))
    (tmp_path / "sweeps").mkdir()
    drafted("rows.csv", out="sweeps/mine.yaml")
    monkeypatch.chdir("/")
    assert load(tmp_path / "sweeps" / "mine.yaml").data.source == str(tmp_path / "rows.csv")


def test_an_encoder_that_is_not_here_is_not_downloaded_and_lengths_are_estimates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    source = written(tmp_path, questions(300))
    done = bertsweep.init(source, encoder="hf://google-bert/bert-base-uncased")
    assert not done.facts.lengths.measured
    assert "Estimated from words" in done.path.read_text()
    assert "is downloaded when the sweep runs" in " ".join(done.advice)
    assert load(done.path).warnings == ()


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    source = written(tmp_path, questions(300))
    (tmp_path / "rows.yaml").write_text("mine")
    with pytest.raises(InputError, match=r"rows\.yaml exists.*--force"):
        bertsweep.init(source, encoder="builtin:tiny")
    assert (tmp_path / "rows.yaml").read_text() == "mine"
    drafted(source, force=True)


def test_names_come_from_the_data() -> None:
    assert name_for("reviews.csv.zip") == "reviews"
    assert name_for("trec6/train.csv") == "trec6"
    assert name_for("https://host.org/some%20data.csv?token=1") == "some-20data"
    assert name_for("builtin:questions") == "questions"


@pytest.mark.parametrize(
    "value",
    ["plain text", "yes", "1e5", "-", "a: b", "# no", 'q"uote', "", " x", "é", "0x1f", True],
)
def test_values_are_read_as_they_were(value: object) -> None:
    assert YAML(typ="safe", pure=True).load(f"key: {yaml(value)}\n") == {"key": value}


def test_spans_of_time_are_said_in_their_unit() -> None:
    assert [duration(seconds) for seconds in (0.01, 40, 600, 5400, 200_000)] == [
        "0.1 seconds",
        "40 seconds",
        "10 minutes",
        "1.5 hours",
        "2.3 days",
    ]
