"""What a sweep needs before its first trial."""

from __future__ import annotations

from pathlib import Path

import pytest

from bertsweep.spec import from_plain, parse
from bertsweep.sweep.materials import with_absolute_paths
from tests.support.hfmodel import write_folder

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
