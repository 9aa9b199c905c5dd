"""The folder of a new sweep belongs to one command, and nothing is left of one that never began."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bertsweep.errors import DataError, InputError
from bertsweep.ledger.events import SweepStarted
from bertsweep.sweep.folders import new_sweep
from tests.support.sweeps import REPOSITORY

BEGUN = SweepStarted(sweep="x", name="x", objective={"metric": "val_f1", "mode": "max"})


def test_two_commands_at_once_never_take_the_same_folder(tmp_path: Path) -> None:
    with new_sweep(tmp_path, "demo", None) as (first, _):
        with new_sweep(tmp_path, "demo", None) as (second, _):
            assert (first.folder.name, second.folder.name) == ("demo", "demo-2")
        with pytest.raises(InputError, match="is there already"), new_sweep(tmp_path, "x", "demo"):
            pass


def test_many_processes_that_ask_at_once_get_a_folder_each(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from bertsweep.sweep.folders import new_sweep\n"
        "with new_sweep(Path(sys.argv[1]), 'demo', None) as (paths, _):\n"
        "    print(paths.folder.name, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    commands = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "runs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
        )
        for _ in range(4)
    ]
    names = {command.stdout.readline().strip() for command in commands if command.stdout}
    for command in commands:
        command.communicate()
    assert names == {"demo", "demo-2", "demo-3", "demo-4"}


def test_a_preparation_that_fails_leaves_nothing(tmp_path: Path) -> None:
    storage = tmp_path / "runs"
    with pytest.raises(DataError), new_sweep(storage, "demo", None):
        raise DataError("no such file")
    assert not storage.exists()


def test_a_sweep_that_began_stays(tmp_path: Path) -> None:
    with new_sweep(tmp_path, "demo", None) as (paths, ledger):
        ledger.append(BEGUN)
    assert paths.ledger.is_file()


def test_what_a_killed_preparation_left_is_used_again(tmp_path: Path) -> None:
    left = tmp_path / "demo" / "ledger.jsonl"
    left.parent.mkdir()
    left.touch()
    with new_sweep(tmp_path, "other", "demo") as (paths, _):
        assert paths.ledger == left


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "notes.txt").touch()
    with new_sweep(tmp_path, "demo", None) as (paths, _):
        assert paths.folder.name == "demo-2"
