"""A labelled file of one's own: read as the sweep's data were, scored, and recorded nowhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import bertsweep
from bertsweep import checkpoints
from bertsweep.errors import DataError, InputError
from tests.support import trainedsweep
from tests.support.checkpoints import VOCABULARY, arrays, record
from tests.support.clisweeps import cli
from tests.support.trials import small_prepared

Written = Callable[..., Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Writes validation rows, whose scores the sweep knows, with other labels where asked."""

    def write(labels: tuple[str, str] = ("0", "1"), column: str = "label") -> Path:
        rows = small_prepared(*trainedsweep.OVERRIDES).dataset.splits["validation"]
        frame = pd.DataFrame({"text": rows["text"], column: rows["label"].map(labels.__getitem__)})
        path = tmp_path / "rows.csv"
        frame.to_csv(path, index=False)
        return path

    return write


def test_the_sweeps_own_validation_rows_score_what_it_reported(
    trained: Path, written: Written
) -> None:
    before = (trained / "ledger.jsonl").read_bytes()
    done = cli("evaluate", trained, "--data", written(), "--json")
    assert done.code == 0, done.err
    best = bertsweep.open_sweep(trained).best()
    assert best.best is not None
    for name in ("average_precision", "roc_auc", "f1", "loss"):
        reported = best.best["metrics"][f"val_{name}"]
        assert done.json["metrics"][name] == pytest.approx(reported, rel=1e-5), name
    assert done.json["metrics"]["f1_at_threshold"] == pytest.approx(done.json["metrics"]["f1"])
    assert done.json["opened"] is None
    assert done.json["against_baseline"]["trial"] == "t0000"
    assert (trained / "ledger.jsonl").read_bytes() == before


def test_a_checkpoint_alone_is_scored_without_a_baseline(trained: Path, written: Written) -> None:
    folder = bertsweep.open_sweep(trained).checkpoint()
    path = written(("0.0", "1.0"), column="target")
    found = bertsweep.evaluate(folder, data=path, settings=["data.label=target"], aim="f1")
    assert found.result["against_baseline"] is None
    assert found.metrics["f1_at_threshold"] == pytest.approx(found.metrics["f1"])
    assert found.temperature is not None


def test_labels_that_the_checkpoint_does_not_know_are_named(
    trained: Path, written: Written
) -> None:
    with pytest.raises(DataError, match=r"must be those of the checkpoint, 0, 1, but .*'spam'"):
        bertsweep.evaluate(trained, data=written(("0", "spam")))


def test_pairs_are_refused_by_a_checkpoint_of_single_texts(trained: Path, written: Written) -> None:
    path = written()
    frame = pd.read_csv(path)
    frame.assign(other=frame["text"]).to_csv(path, index=False)
    with pytest.raises(InputError, match=r"single texts, but data\.text names 2"):
        bertsweep.evaluate(trained, data=path, settings=["data.text=[text, other]"])


def test_more_than_two_classes_are_scored_and_have_no_aim(tmp_path: Path) -> None:
    labels = ("ham", "spam", "other")
    folder = checkpoints.write_best(
        tmp_path / "t0000",
        record(labels=labels, threshold=None, text=("text",)),
        arrays=arrays(0.5, units=3),
        vocabulary=VOCABULARY,
    )
    path = tmp_path / "rows.csv"
    path.write_text("text,label\na,ham\nb,spam\na b,ham\nab,other\n")
    found = bertsweep.evaluate(folder, data=path)
    assert [one["label"] for one in found.result["classes"]] == list(labels)
    assert found.metrics["accuracy"] == 0.5, "all rows are given the first class"
    assert (found.threshold, found.temperature, found.positive) == (None, None, None)
    with pytest.raises(InputError, match="two classes, but there are 3"):
        bertsweep.evaluate(folder, data=path, aim="f1")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--set", "data.label=x"], "no --data"),
        (["--data", "x.csv", "--again"], "leave one out"),
        (["--aim", "best"], "an aim must be"),
        (["--data", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_options_that_make_no_sense_are_errors(
    trained: Path, options: list[str], said: str
) -> None:
    done = cli("evaluate", trained, *options)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err
