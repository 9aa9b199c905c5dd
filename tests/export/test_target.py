"""The folder of an export: whole or absent, and nothing but an earlier export is replaced."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bertsweep.errors import ExportError, InputError
from bertsweep.export.target import KIND, METRICS, check, draft_of


def exported(to: Path, content: str) -> None:
    with draft_of(to) as draft:
        (draft / METRICS).write_text(json.dumps({"kind": KIND}))
        (draft / "onnx").mkdir()
        (draft / "onnx" / "model.onnx").write_text(content)


def interrupted(to: Path) -> None:
    with draft_of(to) as draft:
        (draft / "half").touch()
        raise ExportError("it differs")


def test_an_earlier_export_is_replaced_as_a_whole(tmp_path: Path) -> None:
    for content in ("one", "two"):
        exported(tmp_path / "out", content)
        assert (tmp_path / "out" / "onnx" / "model.onnx").read_text() == content
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    exported(tmp_path / "out", "one")
    assert (tmp_path / "out" / METRICS).is_file()


def test_an_error_leaves_everything_as_it_was(tmp_path: Path) -> None:
    exported(tmp_path / "out", "one")
    for name in ("out", "new"):
        with pytest.raises(ExportError):
            interrupted(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "onnx" / "model.onnx").read_text() == "one"


def test_what_is_no_export_is_refused_with_a_remedy(tmp_path: Path) -> None:
    exported(tmp_path / "added", "one")
    (tmp_path / "added" / "notes.txt").touch()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").touch()
    (tmp_path / "another").mkdir()
    (tmp_path / "another" / METRICS).write_text('{"f1": 0.5}')
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name, told in (
        ("added", "also has notes.txt, which would be lost"),
        ("other", "holds other things (thesis.tex)"),
        ("another", "holds other things (metrics.json)"),
        ("file", "is something else"),
        ("link", "is something else"),
    ):
        with pytest.raises(InputError) as raised:
            check(tmp_path / name)
        assert told in str(raised.value)
        assert "Give --to another folder" in str(raised.value)
