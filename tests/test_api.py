"""The public Python API: its names, what importing it costs, and a sweep through it."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import bertsweep
from bertsweep import ledger
from tests.support import clisweeps
from tests.support.sweeps import write_small

NAMES = {
    *("init", "explore", "run", "resume", "confirm", "Confirm", "evaluate", "export_model"),
    *("load_spec", "open_sweep", "reproduce", "ReproductionError"),
    "Evaluation",
    *("Sweep", "SweepSpec", "Predictor", "Prediction", "Problem", "__version__"),
    *("BertsweepError", "InputError", "SpecError", "DataError", "EncoderError"),
    *("SweepNotFoundError", "MissingPackageError", "NoUsableTrialError", "EnvironmentFault"),
    *("DownloadError", "LedgerError", "ClusterError", "TrialError", "NonFiniteLossError"),
    *("InterruptedSweep", "ExportError"),
}


def test_the_public_names_are_these_and_no_others() -> None:
    assert set(bertsweep.__all__) == NAMES
    assert set(dir(bertsweep)) >= NAMES


@pytest.mark.parametrize("name", sorted(NAMES - {"__version__"}))
def test_every_public_name_says_what_it_is(name: str) -> None:
    assert inspect.getdoc(getattr(bertsweep, name))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'rum'"):
        bertsweep.rum  # noqa: B018


def test_importing_it_imports_nothing_else() -> None:
    code = "import sys; old = set(sys.modules); import bertsweep; print(*(set(sys.modules) - old))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ours = {"bertsweep", "bertsweep.version"}
    new = set(done.stdout.split()) - set(sys.stdlib_module_names)
    assert {name for name in new if name.partition(".")[0] not in sys.stdlib_module_names} <= ours


def test_a_sweep_tells_what_its_folder_holds(tmp_path: Path) -> None:
    folder = clisweeps.finished_sweep(tmp_path)
    for sweep in (bertsweep.open_sweep(folder), bertsweep.open_sweep("demo", storage=tmp_path)):
        assert (sweep.name, sweep.status, sweep.metric) == ("demo", "finished", clisweeps.METRIC)
        assert sweep.best().id == "t0001"
        assert sweep.baseline is not None
        assert sweep.baseline.id == "t0000"
        assert [trial.id for trial in sweep.ranking()][:2] == ["t0001", "t0003"]
        assert sweep.counts == {"finished": 2, "stopped": 1, "failed": 1, "running": 0}
        assert sweep.checkpoint() == folder / "trials" / "t0001" / "best-0001"
    with pytest.raises(bertsweep.SweepNotFoundError, match="Did you mean demo"):
        bertsweep.open_sweep("dem", storage=tmp_path)


@pytest.mark.slow
def test_a_sweep_is_run_from_python(tmp_path: Path) -> None:
    file = write_small(tmp_path, ["tracking: {wandb: disabled}"])
    chosen = ["budget.trials=1", "space.epochs=1", "precision=mixed_bfloat16", "jit=false"]
    spec = bertsweep.load_spec(file, overrides=chosen)
    seen: list[ledger.Update] = []
    said: list[str] = []
    sweep = bertsweep.run(
        spec, storage=tmp_path, subscribers=[seen.append], notify=said.append, name="api"
    )
    assert (sweep.folder, sweep.status, len(sweep.trials)) == (tmp_path / "api", "finished", 1)
    assert seen[0].event.kind == "sweep_started"
    assert any("api" in sentence for sentence in said)
    compute = ledger.load(tmp_path / "api" / "ledger.jsonl").compute
    assert compute is not None
    assert compute["precision"] == "mixed_bfloat16"
    assert "examples_per_second" not in compute, "what the file says needs no probe"
    predictor = bertsweep.Predictor.open(sweep.checkpoint())
    (prediction,) = predictor.predict(["Why is the sky blue?"])
    assert prediction.label in predictor.labels
