"""What a sweep needs is checked and recorded before its first trial."""

from __future__ import annotations

from pathlib import Path

import pytest

from bertsweep.errors import InputError
from bertsweep.spec import from_plain, parse
from bertsweep.sweep.materials import check_length, with_absolute_paths
from tests.support.hfmodel import write_folder
from tests.support.trials import small_prepared, small_spec

SPEC = """
name: demo
data: {source: rows.csv}
encoder: {source: model}
space: {learning_rate: [1e-3]}
search: {storage: "sqlite:///study.db"}
"""


def test_what_the_ledger_records_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    elsewhere.mkdir()
    write_folder(here / "model")
    (here / "rows.csv").write_text("text,label\na,0\n")
    monkeypatch.chdir(here)
    stored = with_absolute_paths(parse(SPEC, source="demo.yaml"), Path()).to_plain()
    monkeypatch.chdir(elsewhere)
    spec = from_plain(stored)
    assert spec.data.source == str(here / "rows.csv")
    assert spec.encoder.source == str(here / "model")
    assert spec.search.storage == f"sqlite:///{here}/study.db"
    assert with_absolute_paths(spec, elsewhere) == spec


@pytest.mark.parametrize(
    ("overrides", "epochs", "batch_size", "advice"),
    [
        (["space.epochs=[2, 9999999]"], "9,999,999", "32", r"Use 12,500 epochs at most, or"),
        (
            ["space.epochs={low: 1, high: 500000}", "space.batch_size=[1, 64]"],
            "500,000",
            "1",
            "Use 390",
        ),
        (["baseline.epochs=2000000", "space.epochs=[2, 3]"], "2,000,000", "32", "Use 12,500"),
    ],
)
def test_a_trial_of_more_steps_than_there_is_room_for_is_refused(
    overrides: list[str], epochs: str, batch_size: str, advice: str
) -> None:
    spec = small_spec(*overrides)
    with pytest.raises(InputError) as caught:
        check_length(spec, rows=25_600)
    text = str(caught.value)
    assert "10,000,000 optimizer steps at most" in text
    assert f"epochs {epochs} of 25,600 training rows in batches of batch_size {batch_size}" in text
    assert advice in text


def test_the_longest_that_fits_and_the_warm_starts_are_let_through_or_named() -> None:
    check_length(small_spec("space.epochs=[2, 12500]"), rows=25_600)
    warm = small_spec("space.epochs={low: 2, high: 12500}", "search.warm_start=[{epochs: 2}]")
    check_length(warm, rows=25_600)
    with pytest.raises(InputError, match="Use a batch_size of 3 at least"):
        check_length(small_spec("space.batch_size=[1, 16]"), rows=25_600_000)


def test_the_validation_rows_that_a_refit_adds_count_too() -> None:
    spec = small_spec("space.epochs=[2, 12500]", "confirm.refit=train+validation")
    with pytest.raises(InputError, match=r"of 25,700 training and validation rows, for `confirm: "):
        check_length(spec, rows=25_600, added=100)


def test_the_training_rows_of_the_data_are_what_counts() -> None:
    with pytest.raises(InputError, match=r"of 350 training rows in batches of batch_size 32\)"):
        small_prepared("space.epochs=[2, 9999999]")


def test_what_the_encoder_lacks_is_named() -> None:
    with pytest.raises(InputError, match=r"has 128 positions, but .* asks for 200. Use 128"):
        small_prepared("space.max_seq_length=[32, 200]")
    with pytest.raises(InputError, match=r"has 2 layers, but .* asks for 3"):
        small_prepared("space.trainable_layers=[1, 3]")
