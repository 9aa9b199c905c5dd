"""Sweeps over several encoders: what is prepared, recorded, refused; one in real processes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bertsweep import lock
from bertsweep.checkpoints import Checkpoint
from bertsweep.errors import InputError
from bertsweep.ledger.events import SweepStarted
from bertsweep.paths import SweepPaths
from bertsweep.spec import from_plain
from bertsweep.sweep.begun import check_same
from bertsweep.sweep.confirmation import _cost
from bertsweep.sweep.experiment import job_of
from bertsweep.sweep.materials import Prepared, with_absolute_paths
from bertsweep.sweep.share import Share
from bertsweep.tokens import Tokens
from bertsweep.trial.job import TrialJob
from tests.support.encoders import two
from tests.support.robertas import write_model
from tests.support.sweeps import bertsweep, document
from tests.support.trials import small_prepared, small_spec


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    return two(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def prepared(settings: tuple[str, ...]) -> Prepared:
    return small_prepared(*settings)


def started(prepared: Prepared, spec: Any) -> SweepStarted:
    objective = {"metric": "val_f1", "mode": "max"}
    return SweepStarted(
        sweep="a", name="a", objective=objective, spec=spec.to_plain(), **prepared.facts()
    )


def test_each_has_its_tokens_and_the_job_knows_which(
    prepared: Prepared, settings: tuple[str, ...], tmp_path: Path
) -> None:
    rows = {n: Tokens.open(f, "train") for n, f in prepared.token_folders.items()}
    assert rows["tiny"].labels.tolist() == rows["xlmr"].labels.tolist()
    assert rows["tiny"].special.cls != rows["xlmr"].special.cls
    spec, share = small_spec(*settings, "resources.encoders_kept=1"), Share(1, 1, 0)
    paths, folders = SweepPaths(tmp_path), prepared.token_folders
    job = job_of(spec, paths, prepared, share, state=None, tokens=folders)
    job = TrialJob.from_plain(job.to_plain())
    assert job.encoders_kept == 1
    for name, encoder in prepared.encoders.items():
        own = job.of({"encoder": name})
        assert (own.encoder, own.tokens) == (str(encoder.folder), str(folders[name]))


def test_the_record_and_the_lock_have_the_hash_of_each(
    prepared: Prepared, settings: tuple[str, ...]
) -> None:
    begun = started(prepared, small_spec(*settings))
    locked = lock.lock_of(begun, cpus=1, gpus=0)["encoder"]
    for name, encoder in prepared.encoders.items():
        assert begun.encoder_of({"encoder": name})["hash"] == encoder.hash
        assert locked["named"][name]["hash"] == encoder.hash
    state: Any = SimpleNamespace(name="a", started=begun)
    facts = prepared.facts()["encoder"]
    check_same(state, "encoder", facts)
    changed = {**facts, "named": {**facts["named"], "xlmr": {"hash": "other"}}, "hash": "new"}
    with pytest.raises(InputError, match="encoder xlmr: the sweep a began with content"):
        check_same(state, "encoder", changed)


def test_paths_are_settled_for_each(settings: tuple[str, ...], tmp_path: Path) -> None:
    write_model("roberta", tmp_path / "other")
    spec = small_spec(*settings, "encoder.third.source=other")
    stored = from_plain(with_absolute_paths(spec, tmp_path).to_plain())
    assert stored.encoders["third"].source == str(tmp_path / "other")
    assert stored.encoders["tiny"].source == "builtin:tiny"


def test_a_space_that_one_of_them_cannot_serve_is_refused_by_its_name(
    settings: tuple[str, ...],
) -> None:
    long = "space.max_seq_length=[32, 64]"
    with pytest.raises(InputError, match=r"the encoder xlmr .*xlmr\) has 32 positions.* for 64"):
        small_prepared(*settings, long)
    with pytest.raises(InputError, match=r"has 32 positions, but .* asks for 128"):
        small_prepared(*settings, "space.max_seq_length={value: 64, when: {encoder: tiny}}")
    # What the space never proposes is no trial of its.
    small_prepared(*settings, long, "space.encoder=tiny")
    deep = "{choices: [0, 2], when: {encoder: tiny}}"
    small_prepared(*settings, f"space.reinit_layers={deep}")


def test_a_format_that_one_of_them_cannot_be_written_in_is_refused_at_once(
    settings: tuple[str, ...],
) -> None:
    with pytest.raises(InputError, match=r"savedmodel needs an encoder of word pieces.* xlmr"):
        small_prepared(*settings, "export=[onnx, savedmodel]")
    with pytest.raises(InputError, match=r"keras needs a layer_norm_eps of 1e-12.* xlmr"):
        small_prepared(*settings, "export=[keras]")
    small_prepared("export=[savedmodel, keras]")


def test_two_names_of_one_encoder_are_refused() -> None:
    same = "encoder={a: {source: 'builtin:tiny'}, b: {source: 'builtin:tiny'}}"
    with pytest.raises(InputError, match=r"encoders must differ, but b .* is the same as a"):
        small_prepared(same)


def test_of_ties_the_smaller_encoder_is_the_cheaper(
    prepared: Prepared, settings: tuple[str, ...]
) -> None:
    begun = started(prepared, small_spec(*settings))
    trials = {
        name: SimpleNamespace(params={"encoder": name, "max_seq_length": 16})
        for name in prepared.encoders
    }
    state: Any = SimpleNamespace(trials=trials, started=begun)
    folders = prepared.token_folders
    assert _cost(state, "xlmr", folders) < _cost(state, "tiny", folders)


SEARCHED = """
name: two
data: {{source: "builtin:questions", limit: 400, split: {{validation: 100, test: 50}}}}
encoder:
  tiny: {{source: "builtin:tiny"}}
  xlmr: {{source: {model}}}
space:
  encoder: [xlmr, tiny]
  learning_rate: 1e-3
  max_seq_length: 32
  dropout: {{choices: [0.1, 0.2], when: {{encoder: tiny}}}}
  epochs: 1
search: {{sampler: grid, scheduler: none}}
resources: {{concurrent: 1, encoders_kept: 1}}
precision: float32
budget: {{trials: 3}}
"""


@pytest.mark.slow
def test_a_sweep_runs_and_ranks_trials_of_several_encoders(tmp_path: Path) -> None:
    file = tmp_path / "two.yaml"
    file.write_text(SEARCHED.format(model=write_model("xlm-roberta", tmp_path / "xlmr")))
    done = bertsweep("run", str(file), "--storage", str(tmp_path))
    assert done.returncode == 0, done.stderr
    shown = document("show", str(tmp_path / "two"))
    encoders = [trial["params"]["encoder"] for trial in shown["trials"]]
    assert sorted(encoders) == ["tiny", "tiny", "xlmr"]
    assert all(trial["status"] == "finished" for trial in shown["trials"])
    best = document("best", str(tmp_path / "two"))
    named = (lock.read(tmp_path / "two") or {})["encoder"]["named"]
    used = Checkpoint.open(Path(best["checkpoint"])).record.encoder
    assert used.hash == named[best["params"]["encoder"]]["hash"]
