"""The launch recipes under `sweeps/`: plain files that run the ordinary command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bertsweep import ledger
from tests.support.sweeps import REPOSITORY, events, write_small

RECIPES = sorted((REPOSITORY / "sweeps").glob("*.sh"))


def recipe(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", str(REPOSITORY / "sweeps" / name), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": path, **environment},
    )


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name)
def test_a_recipe_is_valid_named_in_the_readme_and_says_how_to_use_it(path: Path) -> None:
    assert subprocess.run(["bash", "-n", str(path)]).returncode == 0
    assert path.name in (REPOSITORY / "sweeps" / "README.md").read_text()
    assert "usage:" in recipe(path.name).stderr


def test_the_cluster_recipe_asks_for_shared_folders() -> None:
    done = recipe("ray_cluster.sh", "small.yaml", BERTSWEEP_STORAGE="", BERTSWEEP_CACHE="/tmp")
    assert done.returncode != 0
    assert "BERTSWEEP_STORAGE: a folder that every node sees" in done.stderr


@pytest.mark.slow
def test_one_machine_runs_a_sweep(tmp_path: Path) -> None:
    spec = str(write_small(tmp_path))
    done = recipe(
        "one_machine.sh", spec, "--set", "budget.trials=1", BERTSWEEP_STORAGE=str(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    assert ledger.fold(events(tmp_path / "small")).status == "finished"
