"""Files and folders are whole or absent, and nothing of a dead writer stays."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bertsweep import atomic


def filled(parent: Path, name: str, text: str) -> bool:
    """Publishes a folder that holds `text`; whether it was the first of its name."""
    with atomic.draft_folder(parent, name) as draft:
        (draft / "file").write_text(text)
        return atomic.publish(draft, parent / name)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_whole_and_leaves_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    atomic.write_file(path, "one")
    atomic.write_file(path, b"two")
    assert path.read_text() == "two"
    assert names(tmp_path) == ["a.json"]


def test_the_first_writer_of_a_folder_wins(tmp_path: Path) -> None:
    assert filled(tmp_path, "made", "first")
    assert not filled(tmp_path, "made", "second")
    assert (tmp_path / "made" / "file").read_text() == "first"
    assert names(tmp_path) == ["made"]


def test_no_hard_links_are_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    assert filled(tmp_path, "made", "first")
    assert not filled(tmp_path, "made", "second")


def test_a_draft_that_fails_is_removed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="why"), atomic.draft_folder(tmp_path, "made"):
        raise ValueError("why")
    assert names(tmp_path) == []


def test_a_folder_that_is_not_empty_is_no_draft_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "~made~1~2").mkdir()
    (tmp_path / ".hidden").mkdir()
    atomic.remove_drafts(tmp_path, of_the_living=True)
    assert names(tmp_path) == [".hidden", "~made~1~2"]


def test_drafts_of_writers_that_died_are_removed_and_those_of_living_ones_stay(
    tmp_path: Path,
) -> None:
    code = (
        "import os, sys; from pathlib import Path; from bertsweep import atomic\n"
        "with atomic.draft_folder(Path(sys.argv[1]), 'made') as draft:\n"
        "    (draft / 'half').touch()\n"
        "    os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    (left,) = names(tmp_path)
    with atomic.draft_folder(tmp_path, "made") as draft, atomic.draft_folder(tmp_path, "made"):
        assert left not in names(tmp_path)
        assert draft.is_dir()
    assert names(tmp_path) == []


def test_drafts_of_another_host_stay_for_a_day(tmp_path: Path) -> None:
    fresh, old = (tmp_path / f".made~elsewhere~{number}~ab" for number in (1, 2))
    for draft in (fresh, old):
        draft.mkdir()
    os.utime(old, (time.time() - 25 * 3600,) * 2)
    atomic.remove_drafts(tmp_path)
    assert names(tmp_path) == [fresh.name]
    atomic.remove_drafts(tmp_path, of_the_living=True)
    assert names(tmp_path) == []


def test_a_removed_folder_is_gone_under_its_name_before_its_files_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path, "made", "text")
    seen = []
    monkeypatch.setattr("shutil.rmtree", lambda path, **_: seen.append(Path(path)))
    atomic.remove(tmp_path / "made")
    (aside,) = seen
    assert not (tmp_path / "made").exists()
    assert (aside / "file").read_text() == "text"
    atomic.remove(tmp_path / "never there")
