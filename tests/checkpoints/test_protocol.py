"""Whoever dies, and when: the checkpoint that the ledger names is there, and nothing piles up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bertsweep import checkpoints
from tests.support.checkpoints import (
    PARAMS,
    VOCABULARY,
    arrays,
    flipped_bits,
    record,
    write_checkpoint,
    write_state,
)


@pytest.mark.parametrize("options", [["--every", "5"], ["--every", "3", "--states"]])
def test_no_crash_loses_a_checkpoint_that_the_ledger_names(
    tmp_path: Path, options: list[str]
) -> None:
    command = [sys.executable, "-m", "tests.support.crashes", str(tmp_path), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["wrong"] == []
    assert outcome["crashes"] > 10
    assert outcome["left"] == ["trials/t0000/best-0003"]


def there(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_worker_removes_no_checkpoint(tmp_path: Path) -> None:
    for report in (1, 2, 5):
        write_checkpoint(tmp_path, report)
    assert there(tmp_path) == ["best-0001", "best-0002", "best-0005"]


def test_the_last_two_recorded_and_all_newer_ones_stay(tmp_path: Path) -> None:
    for report in (1, 3, 4, 6, 7):
        write_checkpoint(tmp_path, report)
    checkpoints.remove_superseded(tmp_path, recorded="best-0001", before=None)
    assert len(there(tmp_path)) == 5
    before = "trials/t0000/best-0004"
    checkpoints.remove_superseded(tmp_path, recorded="best-0006", before=before)
    assert there(tmp_path) == ["best-0004", "best-0006", "best-0007"]


def test_a_recorded_one_older_than_that_before_stays_too(tmp_path: Path) -> None:
    for report in (1, 2, 3):
        write_checkpoint(tmp_path, report)
    checkpoints.remove_superseded(tmp_path, recorded="best-0002", before="best-0003")
    assert there(tmp_path) == ["best-0002", "best-0003"]


def test_nothing_is_removed_for_a_checkpoint_that_is_not_in_order(tmp_path: Path) -> None:
    for report in (1, 2, 3):
        write_checkpoint(tmp_path, report)
    (tmp_path / "best-0003" / "checkpoint.json").unlink()
    checkpoints.remove_superseded(tmp_path, recorded="best-0003", before="best-0002")
    checkpoints.keep_only(tmp_path, "best-0003")
    assert there(tmp_path) == ["best-0001", "best-0002", "best-0003"]
    checkpoints.keep_only(tmp_path, "best-0002")
    assert there(tmp_path) == ["best-0002"]


def test_a_whole_checkpoint_is_not_written_again_and_a_damaged_one_is(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, 2, fill=1.0)
    write_checkpoint(tmp_path, 2, fill=5.0)
    assert checkpoints.Checkpoint.open(folder).arrays()["head/bias"] == 1.0
    for _ in flipped_bits(folder / "weights.safetensors", count=1):
        write_checkpoint(tmp_path, 2, fill=5.0)
        assert checkpoints.Checkpoint.open(folder).arrays()["head/bias"] == 5.0


def test_one_that_was_made_under_other_conditions_is_written_again(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, 2, fill=1.0)
    half = {"precision": "mixed_bfloat16", "jit": False}
    write_checkpoint(tmp_path, 2, fill=5.0, compute=half)
    assert checkpoints.Checkpoint.open(folder).arrays()["head/bias"] == 5.0
    write_checkpoint(tmp_path, 2, fill=6.0, compute={**half, "device": "another"})
    assert checkpoints.Checkpoint.open(folder).arrays()["head/bias"] == 5.0


def test_the_recorded_one_is_read_and_where_it_is_damaged_the_newest_good_one(
    tmp_path: Path,
) -> None:
    for report in (1, 2, 3, 4):
        write_checkpoint(tmp_path, report)
    assert found(tmp_path, "best-0002") == ("best-0002", 0)
    for _ in flipped_bits(tmp_path / "best-0002" / "vocab.txt", count=1):
        assert found(tmp_path, "best-0002") == ("best-0004", 1)
        for _ in flipped_bits(tmp_path / "best-0004" / "weights.safetensors", count=1):
            assert found(tmp_path, "best-0002") == ("best-0003", 2)
    assert found(tmp_path, "best-0009") == ("best-0004", 1)
    assert checkpoints.find_best(tmp_path / "none").checkpoint is None


def found(folder: Path, recorded: str) -> tuple[str, int]:
    result = checkpoints.find_best(folder, recorded=recorded)
    assert result.checkpoint is not None
    assert all("cannot be used" in text for text in result.passed_over)
    return result.checkpoint.folder.name, len(result.passed_over)


def test_the_newest_good_state_is_taken_whatever_is_damaged(tmp_path: Path) -> None:
    second = write_state(tmp_path, 2)
    kept = tmp_path / "kept"
    second.rename(kept)
    third = write_state(tmp_path, 3)
    kept.rename(second)
    assert step(tmp_path) == 3
    for name in ("checkpoint.json", "weights.safetensors"):
        for _ in flipped_bits(third / name, count=20):
            assert step(tmp_path) in (2, 3)
        whole = (third / name).read_bytes()
        (third / name).write_bytes(whole[: len(whole) // 2])
        assert step(tmp_path) == 2
        (third / name).unlink()
        assert step(tmp_path) == 2
        (third / name).write_bytes(whole)
    assert checkpoints.newest_state(tmp_path, params=PARAMS, seed=2) is None
    assert checkpoints.newest_state(tmp_path, params={**PARAMS, "epochs": 9}, seed=1) is None


def step(folder: Path) -> int:
    state = checkpoints.newest_state(folder, params=PARAMS, seed=1)
    assert state is not None
    assert state.reports[-1]["report"] == state.arrays["step"][0]
    return int(state.arrays["step"][0])


def test_a_new_state_takes_the_place_of_the_old_ones_and_of_no_checkpoint(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, 1)
    write_state(tmp_path, 2)
    write_state(tmp_path, 3)
    assert there(tmp_path) == ["best-0001", "state-0003"]
    checkpoints.remove_states(tmp_path)
    assert there(tmp_path) == ["best-0001"]


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_checkpoint(tmp_path, 1)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bertsweep.atomic.to_disk", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoints.write_best(tmp_path, record(2), arrays=arrays(2.0), vocabulary=VOCABULARY)
    assert there(tmp_path) == ["best-0001"]
