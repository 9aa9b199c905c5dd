"""Which rows an export of a sweep is compared on: its validation rows, if still there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from bertsweep.export import hard_rows, validation_rows
from bertsweep.ledger import Ledger
from bertsweep.ledger.events import SweepStarted
from bertsweep.results import Sweep
from bertsweep.tokens import Tokens, WordPieces, resplit
from tests.support.trials import small_prepared, small_spec


def begun(folder: Path, *overrides: str, **data: Any) -> Sweep:
    """A sweep that has begun on the small built-in data."""
    prepared = small_prepared()
    facts = prepared.facts()
    ledger = Ledger(folder / "small" / "ledger.jsonl")
    ledger.append(
        SweepStarted(
            sweep="uid",
            name="small",
            spec=small_spec(*overrides).to_plain(),
            base=str(folder),
            objective={"metric": "val_f1", "mode": "max", "threshold": "f1"},
            data={**facts["data"], **data},
            encoder=facts["encoder"],
        )
    )
    ledger.close()
    return Sweep.open(folder / "small")


def rows(sweep: Sweep, said: list[str]) -> Any:
    cache = Path(os.environ["BERTSWEEP_CACHE"])
    return validation_rows(sweep, cache=cache, notify=said.append)


def test_they_are_the_rows_that_the_sweep_was_scored_on(tmp_path: Path) -> None:
    said: list[str] = []
    found = rows(begun(tmp_path), said)
    assert found == small_prepared().dataset.splits["validation"]["text"].tolist()
    assert said == []


def test_those_of_a_split_of_its_own_are_the_rows_that_its_repeat_was_scored_on(
    tmp_path: Path,
) -> None:
    prepared = small_prepared()
    found = validation_rows(begun(tmp_path), split=7, cache=Path(os.environ["BERTSWEEP_CACHE"]))
    train, validation = (Tokens.open(prepared.tokens, name) for name in ("train", "validation"))
    _, own = resplit(train, validation, seed=7)
    assert found is not None
    assert found != prepared.dataset.splits["validation"]["text"].tolist()
    pieces = WordPieces(prepared.encoder.vocabulary, lowercase=prepared.encoder.lowercase)
    everything = slice(None)
    wanted = own.batch(everything, max_seq_length=32)
    for array, other in zip(
        wanted, Tokens.from_texts(pieces, found).batch(everything, max_seq_length=32), strict=True
    ):
        assert array.tolist() == other.tolist()


@pytest.mark.parametrize(
    ("overrides", "data", "why"),
    [
        ((), {"hash": "another"}, "has changed since it began"),
        (("data.source=gone.csv", "data.text=t", "data.label=l"), {}, "cannot be read again"),
    ],
)
def test_others_are_not_taken_and_that_is_said(
    tmp_path: Path, overrides: tuple[str, ...], data: dict[str, Any], why: str
) -> None:
    said: list[str] = []
    assert rows(begun(tmp_path, *overrides, **data), said) is None
    assert len(said) == 1
    assert why in said[0]


def test_each_hard_text_stands_in_a_pair_twice() -> None:
    pairs = hard_rows(pair=True)
    assert sorted(one for one, _ in pairs) == sorted(other for _, other in pairs)
