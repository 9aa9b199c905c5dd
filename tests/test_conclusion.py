"""What a command was killed before it wrote to W&B, the next one writes."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bertsweep.conclusion import conclude
from bertsweep.results import Sweep
from tests.support import trainedsweep, wandbfile

pytestmark = pytest.mark.slow

KILLED = """
import os, signal, sys
import bertsweep
from bertsweep import exporting
from bertsweep.system import import_tensorflow_lightly

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

import_tensorflow_lightly()
what, folder, to = sys.argv[1:]
if what == "evaluate":
    bertsweep.evaluate(folder, subscribers=[lambda u: u.event.kind == "test_scored" and die()])
exporting.save_export = die
bertsweep.export_model(folder, to, formats=["onnx"])
"""


def test_a_reading_and_an_export_that_a_kill_kept_from_wandb_are_written_by_the_next_command(
    tmp_path: Path,
) -> None:
    folder, to = trainedsweep.write_sweep(tmp_path), tmp_path / "model"
    done = subprocess.run(
        [sys.executable, "-c", KILLED, "evaluate", str(folder), str(to)], capture_output=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    reading = Sweep.open(folder).state.test
    assert reading is not None
    assert reading.result is not None
    assert wandbfile.run_files(folder) == []

    done = subprocess.run(
        [sys.executable, "-c", KILLED, "export", str(folder), str(to)], capture_output=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (to / "README.md").is_file()
    # This command did what the first could not, before it was killed itself.
    (evaluated,) = wandbfile.run_files(folder)
    summary = wandbfile.run_info(evaluated)["summary"]
    assert wandbfile.run_info(evaluated)["job_type"] == "evaluate"
    for name, value in reading.result["metrics"].items():
        assert summary.get(f"test_{name}") == (value if value is None else pytest.approx(value))

    said: list[str] = []
    conclude(Sweep.open(folder), notify=said.append)
    assert said == ["an export was not saved in W&B, since its command was cut off: it is now"]
    (path,) = set(wandbfile.run_files(folder)) - {evaluated}
    info, (model,) = wandbfile.run_info(path), wandbfile.artifacts(path, "model")
    assert (info["job_type"], info["exit_code"]) == ("save", 0)
    assert model["aliases"] == {"best", "latest"}
    assert {"README.md", "metrics.json", "onnx/model.onnx"} <= set(model["files"])

    conclude(Sweep.open(folder), notify=said.append)
    assert len(said) == 1
    assert len(wandbfile.run_files(folder)) == 2
