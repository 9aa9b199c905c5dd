"""The quickstart sweep, run once as a user would, and everything it leaves behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest

from bertsweep import cpu, ledger, metrics, open_sweep
from bertsweep.ledger.events import TrialStopped
from tests.support import wandbfile
from tests.support.sweeps import QUICKSTART, bertsweep, document, events, reported


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("storage")


@pytest.fixture(scope="module")
def output(storage: Path) -> str:
    done = bertsweep("run", str(QUICKSTART), "--storage", str(storage))
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def sweep(output: str, storage: Path) -> Path:
    return storage / "quickstart"


@pytest.fixture(scope="module")
def shown(sweep: Path) -> Any:
    return document("show", str(sweep))


def test_at_least_eight_trials_run_and_some_are_stopped_early(shown: Any) -> None:
    statuses = [trial["status"] for trial in shown["trials"]]
    assert shown["status"] == "finished"
    assert len(statuses) >= 8
    assert statuses.count("stopped") >= 1
    assert set(statuses) <= {"finished", "stopped"}


def test_what_trials_compute_in_is_found_by_a_probe_recorded_and_said(
    sweep: Path, output: str
) -> None:
    compute = ledger.load(sweep / "ledger.jsonl").compute
    assert compute is not None
    assert set(compute["examples_per_second"]) == {"float32", "mixed_bfloat16"}
    said = f"trials compute in {compute['precision']}; examples/s in a probe on {cpu.name()}: "
    assert said in output


def test_a_stopped_trial_says_so_in_the_ledger_with_a_reason(sweep: Path) -> None:
    reasons = [e.reason or "" for e in events(sweep) if isinstance(e, TrialStopped)]
    assert reasons
    assert all("place" in reason for reason in reasons)


def test_the_baseline_is_the_first_trial_and_trains_to_its_end(shown: Any) -> None:
    first = shown["trials"][0]
    assert (first["id"], first["status"], first["params"]["learning_rate"]) == (
        "t0000",
        "finished",
        3e-4,
    )
    assert len(first["reports"]) == 12


def test_the_best_trial_has_its_checkpoint_and_its_luck_is_told(sweep: Path, shown: Any) -> None:
    best = document("best", str(sweep))
    assert Path(best["checkpoint"]).is_dir()
    assert best["objective"]["metric"] == "val_average_precision"
    assert best["baseline"]["metrics"]["val_average_precision"] > 0.7
    values = {t["id"]: t["metrics"]["val_average_precision"] for t in shown["trials"]}
    first = best["selection"]["trials"][0]
    assert first["score"] == pytest.approx(max(values.values()), abs=1e-6)
    assert best["selection"]["corrected_score"] < first["score"]


def test_no_more_checkpoints_are_kept_than_asked_for(sweep: Path) -> None:
    kept = {path.parent.name for path in sweep.glob("trials/*/best-*")}
    assert "t0000" in kept
    repeats = {name for name in kept if "-r" in name}
    assert len({name.partition("-")[0] for name in repeats}) == len(repeats) <= 3
    assert len(kept - repeats) <= 3 + 1
    assert list(sweep.glob("trials/*/state-*")) == []


def test_predictions_are_kept_of_every_trial_and_score_what_it_reported(sweep: Path) -> None:
    opened = open_sweep(sweep)
    for trial in opened.trials:
        found = opened.predictions(trial)
        assert found is not None
        scores = metrics.scores(found.labels, found.probabilities, loss=0.0)
        assert scores["average_precision"] == pytest.approx(trial.value, abs=1e-6)
    assert any(trial.checkpoint is None for trial in opened.trials)


def test_predict_answers_from_the_winner(sweep: Path) -> None:
    texts = ["Where can I learn to cook simple soup?", "Why do all bakers hate honest writers?"]
    answers = document("predict", str(sweep), *texts)
    found = answers["predictions"] if isinstance(answers, dict) else answers
    assert len(found) == 2
    assert all(0 <= answer["probability"] <= 1 for answer in found)


def test_the_end_names_winner_checkpoint_and_next_commands(output: str, sweep: Path) -> None:
    best = document("best", str(sweep))
    assert best["checkpoint"] in output.replace("\n", "")
    assert "the winner against the baseline" in output
    assert "bertsweep predict" in output


def test_the_winner_is_confirmed_tested_and_exported(output: str, sweep: Path) -> None:
    best = document("best", str(sweep))
    told = best["confirmation"]
    assert told["baseline"] is None or told["baseline"]["trial"] == "t0000"
    assert told["verdict"]["text"] in output.replace("\n", " ")
    assert best["test"]["opened"] == 1
    assert best["test"]["rows"] == 270
    assert best["test"]["trial"] == told["repeat"]
    card = (sweep / "export" / "README.md").read_text()
    assert told["verdict"]["text"] in card
    assert (sweep / "export" / "huggingface" / "model.safetensors").is_file()
    jobs = [wandbfile.run_info(path)["job_type"] for path in wandbfile.run_files(sweep)]
    repeats = ledger.load(sweep / "ledger.jsonl").repeats
    assert jobs.count("confirm") == len(repeats) > 2
    assert [jobs.count(job) for job in ("sweep", "evaluate", "save")] == [1, 1, 1]


def test_finalists_and_baseline_are_repeated_with_the_same_fresh_seeds(sweep: Path) -> None:
    state = ledger.load(sweep / "ledger.jsonl")
    assert state.confirmation is not None
    assert state.confirmation.finalists[-1] == "t0000"
    seeds = {
        tuple(r.seed for r in state.repeats.values() if r.repeats == name)
        for name in state.confirmation.finalists
        if name not in state.confirmation.dropped
    }
    assert len(seeds) == 1
    assert len({*seeds.pop(), 42}) == 4, "three, and no seed of the search"


def test_offline_wandb_runs_hold_every_report_of_every_trial(sweep: Path, shown: Any) -> None:
    runs = {}
    for path in wandbfile.run_files(sweep):
        info = wandbfile.run_info(path)
        if info["job_type"] == "train":
            assert info["group"] == "quickstart"
            runs[info["run_id"].rsplit("-", 1)[1]] = (info, wandbfile.history(path))
    assert set(runs) == {trial["id"] for trial in shown["trials"]}
    for trial, (info, rows) in runs.items():
        told = [e.metrics["val_average_precision"] for e in reported(sweep) if e.trial == trial]
        assert [row["val_average_precision"] for row in rows] == told
        assert info["config"]["learning_rate"] > 0


def test_a_wandb_run_shows_the_data(sweep: Path) -> None:
    infos = [wandbfile.run_info(path) for path in wandbfile.run_files(sweep)]
    (data,) = [info for info in infos if info["job_type"] == "data"]
    assert len(data["tables"]) >= 2


def test_the_study_can_be_opened_by_optuna(sweep: Path, shown: Any) -> None:
    url = f"sqlite:///{sweep / 'study.db'}"
    (name,) = optuna.study.get_all_study_names(url)
    trials = optuna.load_study(study_name=name, storage=url).trials
    states = {"finished": "COMPLETE", "stopped": "PRUNED", "failed": "FAIL"}
    assert [t.state.name for t in trials] == [states[t["status"]] for t in shown["trials"]]
    assert all(trial.intermediate_values for trial in trials)


def test_ls_lists_the_sweep(storage: Path, sweep: Path) -> None:
    (entry,) = document("ls", "--storage", str(storage))
    assert (entry["name"], entry["status"]) == ("quickstart", "finished")
