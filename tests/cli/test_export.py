"""`export` from a sweep and from a checkpoint folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from bertsweep import checkpoints
from bertsweep.ledger.events import CheckpointSaved, SweepEnded, TrialFinished
from bertsweep.results import Sweep
from tests.cli.test_json import example, shape
from tests.support import clisweeps, wandbfile
from tests.support.checkpoints import CONFIG, VOCABULARY, record
from tests.support.clisweeps import cli


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep with a checkpoint of random weights; its data cannot be read again."""
    import numpy as np

    from bertsweep.encoders import variables

    root = tmp_path_factory.mktemp("runs")
    rng = np.random.default_rng(0)
    shapes = {f"encoder/{name}": shape for name, shape in variables.shapes(CONFIG).items()}
    shapes |= {"head/kernel": (CONFIG.hidden_size, 1), "head/bias": (1,)}
    arrays = {name: rng.normal(size=size).astype(np.float32) for name, size in shapes.items()}
    told = record(trial="t0000", positive=1, threshold_rule="f1")
    with clisweeps.sweep(root) as ledger:
        clisweeps.propose(ledger, "t0000", {"learning_rate": 2e-5}, origin="baseline")
        clisweeps.report(ledger, "t0000", 1, 0.5)
        folder = root / "demo"
        path = checkpoints.write_best(
            folder / "trials" / "t0000", told, arrays=arrays, vocabulary=VOCABULARY
        )
        ledger.append(
            CheckpointSaved(
                trial="t0000",
                report=1,
                path=str(path.relative_to(folder)),
                metrics={},
                threshold=0.5,
            )
        )
        ledger.append(TrialFinished(trial="t0000"))
        ledger.append(SweepEnded(status="finished", reason=None))
    return root


def test_a_sweep_is_exported_and_says_where_and_how_close(storage: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    done = cli("export", "demo", "--to", out, "--format", "onnx", "--storage", storage)
    assert done.code == 0, done.err
    assert "onnx: loaded again and compared on" in done.err
    assert "built-in texts stand in" in done.err
    assert str(out / "README.md") in done.out
    card = (out / "README.md").read_text()
    assert "1 trials** of the sweep `demo`" in card
    assert "hash of rows, labels and splits: `d`" in card
    (path,) = wandbfile.run_files(storage / "demo")
    assert wandbfile.run_info(path)["job_type"] == "save"
    (model,) = wandbfile.artifacts(path, "model")
    files = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert (model["name"], set(model["files"])) == ("demo-model", files)
    assert model["aliases"] == {"best", "latest"}
    assert (model["metadata"]["trial"], model["metadata"]["score"]) == ("t0000", 0.5)


def test_the_document_is_as_described(
    storage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    out = tmp_path / "model"
    given = ("--to", out, "--format", "onnx", "--json", "--storage", storage)
    printed: Any = cli("export", "demo", *given).json
    described = example("export")
    assert printed["path"] == str(out)
    assert {"path": str(out), **json.loads((out / "metrics.json").read_text())} == printed
    for key in ("params", "validation", "versions", "evidence"):
        assert isinstance(printed[key], dict)
        printed.pop(key), described.pop(key)
    assert shape(printed) == shape(described)


def test_a_copied_checkpoint_is_exported_without_its_sweep(storage: Path, tmp_path: Path) -> None:
    (trial,) = Sweep.open(storage / "demo").trials
    copied = shutil.copytree(storage / "demo" / str(trial.checkpoint), tmp_path / "mine")
    done = cli("export", copied, "--to", tmp_path / "model", "--format", "onnx", "--json")
    assert done.code == 0, done.err
    assert done.json["sweep"] is None
    assert (
        "exported from a checkpoint without its sweep"
        in (tmp_path / "model" / "README.md").read_text()
    )


def test_mistakes_are_told_before_anything_is_loaded(storage: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.tex").write_text("x")
    for arguments, told in (
        (("demo", "--to", tmp_path / "m", "--format", "onxx"), "one or more of savedmodel,keras"),
        (("demo", "--to", mine), "holds other things (thesis.tex)"),
        (("dem", "--to", tmp_path / "m"), "Did you mean demo"),
    ):
        done = cli("export", *arguments, "--storage", storage)
        assert (done.code, done.out) == (2, "")
        assert told in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
