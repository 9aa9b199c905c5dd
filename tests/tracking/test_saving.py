"""The W&B run of an export, read back from disk: the files that a later sync sends, and aliases."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from bertsweep.ledger import Ledger
from bertsweep.paths import SweepPaths
from bertsweep.tracking.owed import Owed
from bertsweep.tracking.saving import SaveRun
from tests.support import wandbfile
from tests.support.trackedsweep import UID, begin, tracker

DOCUMENT: dict[str, Any] = {
    "trial": "t0004-r1",
    "labels": [0, 1],
    "positive": 1,
    "threshold": 0.4,
    "params": {"learning_rate": 1e-5},
    "validation": {"val_f1": 0.7},
    "evidence": {"score": 0.65, "interval": [0.6, 0.7]},
    "exports": {"onnx": {"max_difference": 1e-7}},
}


def write_export(folder: Path) -> None:
    (folder / "onnx").mkdir(parents=True)
    (folder / "onnx" / "model.onnx").write_bytes(bytes(range(256)) * 999)
    (folder / "metrics.json").write_text(json.dumps(DOCUMENT))


def saved(sweep: Path, export: Path, warnings: list[str], **changes: Any) -> None:
    """Saves an export of a sweep that has begun, as was promised."""
    tracking = tracker(sweep, warnings=warnings)
    with_evidence = {**DOCUMENT, **changes}
    ledger = Ledger(sweep / "ledger.jsonl")
    if not ledger.begun:
        begin(ledger)
    tracking.promise("save-1", folder=str(export))
    run = SaveRun(ledger.state.started, export, with_evidence, best=not changes, last="save-1")
    tracking.write(run, promised="save-1")
    tracking.close()
    ledger.close()


def test_an_export_is_a_version_of_the_model_with_its_files_and_aliases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WANDB_DATA_DIR", raising=False)
    sweep, export, warnings = tmp_path / "sweep", tmp_path / "export", list[str]()
    write_export(export)
    saved(sweep, export, warnings)
    assert warnings == []
    (path,) = wandbfile.run_files(sweep)
    info = wandbfile.run_info(path)
    assert (info["run_id"], info["job_type"], info["exit_code"]) == (f"{UID}-save-1", "save", 0)
    assert info["config"]["formats"] == ["onnx"]
    assert info["summary"] == {
        "score": 0.65,
        "score_low": 0.6,
        "score_high": 0.7,
        "confirmed": True,
        "onnx_max_difference": 1e-7,
    }
    (model,) = wandbfile.artifacts(path, "model")
    assert (model["name"], model["aliases"]) == ("questions-model", {"best", "latest"})
    told = {
        "trial": "t0004-r1",
        "metric": "val_f1",
        "score": 0.65,
        "interval": [0.6, 0.7],
        "confirmed": True,
        "data_hash": "data-hash",
        "positive": 1,
        "threshold": 0.4,
    }
    assert model["metadata"].items() >= told.items()
    # What is sent later is a copy in the sweep's folder, whatever becomes of the export.
    (export / "metrics.json").write_text("changed")
    assert set(model["files"]) == {"metrics.json", "onnx/model.onnx"}
    for name, (digest, kept) in model["files"].items():
        assert kept.is_relative_to(sweep / "wandb")
        assert base64.b64encode(hashlib.md5(kept.read_bytes()).digest()).decode() == digest, name
    assert Owed(SweepPaths(sweep).owed).all() == {}


def test_a_score_that_was_not_confirmed_is_said_to_be_none(tmp_path: Path) -> None:
    export, warnings = tmp_path / "export", list[str]()
    write_export(export)
    saved(tmp_path, export, warnings, evidence={}, trial="t0001")
    (path,) = wandbfile.run_files(tmp_path)
    (model,) = wandbfile.artifacts(path, "model")
    told = {"score": 0.7, "interval": None, "confirmed": False}
    assert model["metadata"].items() >= told.items()
    assert model["aliases"] == {"latest"}


def test_an_export_that_cannot_be_saved_is_one_warning_and_stays_owed(tmp_path: Path) -> None:
    warnings: list[str] = []
    saved(tmp_path, tmp_path / "gone", warnings)
    (warning,) = warnings
    assert "W&B failed" in warning
    assert Owed(SweepPaths(tmp_path).owed).all() == {"save-1": {"folder": str(tmp_path / "gone")}}
