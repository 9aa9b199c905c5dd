"""The programs under `benchmarks/`: what can be checked of them without their inputs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import _conducted, _curves, _ours, _reading, _tables, batches, recipes, sweep
from benchmarks.__main__ import PROGRAMS
from bertsweep.ledger.events import (
    CheckpointSaved,
    SweepEnded,
    SweepStarted,
    TrialProposed,
    TrialReported,
    TrialStarted,
)
from bertsweep.spec import load, parse
from bertsweep.trial.job import TrialJob
from tests.support.sweeps import REPOSITORY

ABSENT = 3


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    hidden = {"TRANSFORMERS_PYTHON", "KERASTUNER"}
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={**kept, **environment},
    )


# The programs


def test_every_program_is_in_the_one_command() -> None:
    files = {path.stem for path in (REPOSITORY / "benchmarks").glob("[a-z]*.py")}
    assert files == set(PROGRAMS)


@pytest.mark.parametrize("name", ["", *PROGRAMS])
def test_a_program_says_what_it_is_for(name: str) -> None:
    done = python("-m", f"benchmarks.{name}".rstrip("."), "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["recipe", "--questions", "gone.csv"],
            "the questions: absent, there is no gone.csv. Give",
        ),
        (["recipe", "--questions", "README.md", "--encoder", "gone"], "the encoder: absent"),
        (["sweep", "--sides", "bertsweep", "--questions", "gone.csv"], "the questions: absent"),
        (["sweep", "--sides", "kerastuner"], "pip install --no-deps --target"),
        (["search", "--curves", "gone"], "the curves: absent, there is no gone. Give"),
        (["huggingface"], "the environment of Transformers: absent"),
        (["huggingface", "--python", sys.executable], "torch and transformers: absent from"),
    ],
)
def test_a_program_says_what_it_lacks(arguments: list[str], said: str) -> None:
    done = python("-m", f"benchmarks.{arguments[0]}", *arguments[1:])
    assert done.returncode == ABSENT
    assert said in done.stderr


def test_the_one_command_leaves_out_what_lacks_its_inputs() -> None:
    done = python("-m", "benchmarks", "huggingface")
    assert done.returncode == 0
    assert "left out, see above: huggingface" in done.stderr
    refused = python("-m", "benchmarks", "huggingfaces")
    assert refused.returncode == 2
    assert "but got huggingfaces" in refused.stderr


def test_the_side_of_transformers_needs_the_standard_library_alone() -> None:
    done = python("-S", "-c", "import benchmarks.huggingface, sys; print('numpy' in sys.modules)")
    assert (done.stdout, done.stderr) == ("False\n", "")


# What they hand to bertsweep


def test_the_swept_space_is_that_of_the_real_questions() -> None:
    config = {
        "rows": "rows",
        "encoder": "encoder",
        "space": sweep.SPACE,
        "baseline": sweep.BASELINE,
        "epochs": 3,
        "batch_size": 32,
        "trials": 16,
        "report_every": 0.25,
        "seed": 7,
    }
    spec = parse(json.dumps(_conducted.document(config)), source="benchmark.yaml")
    quora = load(REPOSITORY / "search_spaces" / "quora.yaml")
    assert [spec.space[name] for name in sweep.SPACE] == list(quora.space.searched)
    assert {name: getattr(quora.baseline, name) for name in sweep.SPACE} == sweep.BASELINE
    assert (spec.baseline.epochs, spec.budget.trials, spec.seed) == (3, 16, 7)


def test_the_trials_of_a_comparison_are_a_sweeps() -> None:
    prepared: Any = SimpleNamespace(
        tokens=Path("tokens"),
        encoder=SimpleNamespace(folder=Path("encoder")),
        dataset=SimpleNamespace(labels=(0, 1)),
    )
    job = _ours.trial_job(prepared, Path("sweep"), threads=2)
    assert job.reports_per_epoch == 1
    assert TrialJob.from_plain(job.to_plain()) == job


# Arithmetic


def test_a_curve_holds_what_was_better_than_all_before() -> None:
    curve = _curves.best_so_far([(30, 0.5), (10, 0.2), (20, 0.1), (40, 0.5), (50, 0.6)])
    assert curve == [(10, 0.2), (30, 0.5), (50, 0.6)]
    assert [_curves.seconds_to(curve, value) for value in (0.1, 0.2, 0.3, 0.6)] == [10, 10, 30, 50]
    assert _curves.seconds_to(curve, 0.61) is None
    assert [_curves.best_at(curve, seconds) for seconds in (10, 49, 50)] == [0.2, 0.5, 0.6]
    assert _curves.best_at(curve, 9) is None


def test_a_journal_gives_back_its_reports(tmp_path: Path) -> None:
    journal = _curves.Journal(tmp_path / "reports.jsonl")
    assert journal.read() == []
    for trial, epoch in (("a", 1), ("a", 3), ("b", 0.5), ("a", 2)):
        journal.report(trial, epoch, 0.1)
    assert [report["epoch"] for report in journal.read()] == [1, 3, 0.5, 2]
    assert _curves.epochs_trained(journal.read()) == 3.5


def test_how_much_sooner_is_told_where_both_came_to_the_value() -> None:
    theirs = [[(100.0, 0.5), (400.0, 1.0)], [(200.0, 1.0)]]
    ours = [[(10.0, 0.6), (40.0, 1.0)], [(20.0, 0.96)]]
    _, rows = _reading.sooner(theirs, ours, other="theirs", ours="ours")
    lines = {row[0]: row[1:] for row in rows}
    assert lines["95% of its best"][1:] == [
        "300 (200 to 400)",
        "30 (20 to 40)",
        "10.00 (10.00 to 10.00)",
    ]
    assert lines["100% of its best"][2:] == ["40 (1 of 2)", "10.00"]
    assert lines["the best of both"][0] == "0.9800 (0.9600 to 1.0000)"
    _, rows = _reading.sooner([[(1.0, 1.0)]], [[(1.0, 0.1)]], other="theirs", ours="ours")
    assert rows[3][2:] == ["1", "not reached (0 of 1)", ""]


def test_the_share_in_steps_leaves_out_scores_checkpoints_and_gaps() -> None:
    def reported(time: float, seconds: float) -> TrialReported:
        system = {"training_seconds": 3.0, "evaluation_seconds": 1.0}
        fields: dict[str, Any] = {"report": 1, "epoch": 1.0, "examples": 1, "metrics": {}}
        return TrialReported(time=time, trial="t0", seconds=seconds, system=system, **fields)

    point: dict[str, Any] = {"point": {}, "params": {}, "seed": 0, "origin": "baseline"}
    events = [
        SweepStarted(time=0.0, sweep="x", name="x", objective={}),
        TrialProposed(time=4.0, trial="t0", **point),
        TrialStarted(time=6.0, trial="t0", attempt=1, cpus=2.0),
        # Of 5 s, 1 s is for writing the best checkpoint.
        reported(15.0, 5.0),
        CheckpointSaved(time=15.0, trial="t0", report=1, path="best-0001"),
        reported(20.0, 9.0),
        SweepEnded(time=30.0, status="finished"),
    ]
    whole = _conducted.shares(events, cores=2)
    assert whole == pytest.approx({"training": 0.3, "steps": 0.4, "trials": 0.45})
    assert _conducted.shares(events, cores=4)["steps"] == pytest.approx(0.2)


def test_a_table_and_a_spread() -> None:
    assert _tables.spread([3.0, 1.0, 2.0]) == "2.0 (1.0 to 3.0)"
    assert _tables.spread([0.12345], 3) == "0.123"
    assert _tables.table(["", "s"], [["a", "1"]]) == "|  | s |\n| --- | ---: |\n| a | 1 |"
    assert _tables.rates([{"examples": 30, "seconds": 2.0}]) == [15.0]


def test_recipes_are_compared_seed_by_seed_at_the_rate_that_validation_prefers() -> None:
    def trials(variant: str, rate: float, validation: float, *tests: float) -> list[dict[str, Any]]:
        facts = {"task": "quora", "variant": variant, "learning_rate": rate, "seconds": 2.0}
        return [
            {**facts, "seed": seed, "validation": validation, "test": test}
            for seed, test in enumerate(tests)
        ]

    told = [
        *trials("tutorial", 1e-4, 0.5, 0.50, 0.40),
        *trials("tutorial", 2e-4, 0.4, 0.90, 0.90),
        *trials("modern", 1e-4, 0.3, 0.10, 0.10),
        *trials("modern", 2e-4, 0.6, 0.52, 0.46, 0.60),
    ]
    assert recipes.summary(told, "trec6") == []
    usual, modern = recipes.summary(told, "quora")
    assert usual[:2] == ["tutorial", "0.0001"]
    assert modern == ["modern", "0.0002", "0.5267 ± 0.0406", "0.0400 ± 0.0200", "2", "3"]


def test_batches_are_compared_by_the_seeds_that_have_both() -> None:
    def trial(kind: str, seed: int, test: float, *reports: float) -> dict[str, Any]:
        return {"task": "quora", "batches": kind, "seed": seed, "test": test, "reports": reports}

    told = [
        trial("bucketed", 1, 0.50, 0.30, 0.40),
        trial("random", 1, 0.52, 0.34, 0.40),
        trial("bucketed", 2, 0.60, 0.32, 0.44),
        trial("random", 2, 0.60, 0.34, 0.42),
        trial("bucketed", 3, 0.90, 0.90, 0.90),
    ]
    assert batches.summary(told, "trec6") == []
    first, second, kept = batches.summary(told, "quora")
    assert first[0] == "validation, epoch 1"
    assert first[3:] == ["0.0300 ± 0.0100", "2"]
    assert second[3:] == ["-0.0100 ± 0.0100", "2"]
    assert kept[1:] == ["0.5500 ± 0.0500", "0.5600 ± 0.0400", "0.0100 ± 0.0100", "2"]
