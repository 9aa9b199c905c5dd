"""Our side of `benchmarks.sweep`: the real `bertsweep run`, and where its time went."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks._inputs import REPOSITORY
from benchmarks._tables import cores

METRIC = "val_average_precision"


def run(config: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Runs a sweep from an empty cache to its end; seconds are counted from its process's start."""
    spec = folder / "benchmark.yaml"
    spec.write_text(json.dumps(document(config)), encoding="utf-8")
    log = folder / "log.txt"
    settings = [part for setting in config["settings"] for part in ("--set", setting)]
    command = [sys.executable, "-m", "bertsweep", "run", str(spec), *settings]
    begun = time.time()
    with log.open("wb") as stream:
        done = subprocess.run(
            [*command, "--storage", str(folder), "--name", "sweep"],
            stdout=stream,
            stderr=stream,
            cwd=REPOSITORY,
            env={
                **os.environ,
                "BERTSWEEP_CACHE": str(folder / "cache"),
                # Ray's actors start elsewhere, and would import an installed bertsweep.
                "PYTHONPATH": str(REPOSITORY),
            },
            check=False,
        )
    seconds = time.time() - begun
    if done.returncode:
        said = log.read_text(encoding="utf-8", errors="replace")
        raise SystemExit(
            f"bertsweep run ended with {done.returncode}. Its last words:\n{said[-3000:]}"
        )

    from bertsweep import ledger

    events = ledger.read(folder / "sweep" / "ledger.jsonl")
    reports = [
        {
            "time": event["time"],
            "trial": event["trial"],
            "epoch": event["epoch"],
            "value": event["metrics"][METRIC],
        }
        for event in events
        if event["event"] == "trial_reported" and event["metrics"][METRIC] is not None
    ]
    return {
        "begun": begun,
        "seconds": seconds,
        "reports": reports,
        "shares": shares(events, cores=cores()),
    }


def document(config: Mapping[str, Any]) -> dict[str, Any]:
    """The search space file, JSON being YAML."""
    rows = Path(config["rows"])
    fixed = {"epochs": config["epochs"], "batch_size": config["batch_size"]}
    return {
        "name": "benchmark",
        "data": {
            "source": {name: str(rows / f"{name}.csv") for name in ("train", "validation", "test")}
        },
        "encoder": {"source": config["encoder"]},
        "space": {**config["space"], **fixed},
        "baseline": {**config["baseline"], **fixed},
        "objective": {"metric": METRIC},
        "budget": {"trials": config["trials"]},
        "report_every": config["report_every"],
        "tracking": {"wandb": "offline"},
        "seed": config["seed"],
    }


@dataclass
class _Stretch:
    """What a trial did up to one of its reports, since the one before."""

    length: int
    weight: float
    """Share of the machine that the trial had."""
    training: float
    rest: float
    """Evaluation, scores, and where `saved` the best checkpoint."""
    saved: bool


def shares(events: Iterable[Mapping[str, Any]], *, cores: int) -> dict[str, float]:
    """Shares of the machine's time once the first actor is up, until the sweep has ended.

    `training`: in training steps, with what building their batches takes. `steps`: in evaluation
    steps too. `trials`: in trials, as their reports' seconds say, which hold scores and writing the
    best checkpoint as well, but not saving the state that a lost trial goes on from.

    A ledger has no seconds of evaluation. Reports of one sequence length evaluate the same batches,
    so the least that any of them took beside training, without a checkpoint if there is such a
    report, counts as evaluation for each. A trace within the first step counts as training. The
    actor is up when the first report's seconds began: at most one saved state too late.
    """
    begun = ended = 0.0
    lengths: dict[str, int] = {}
    weights: dict[str, float] = {}
    before: dict[str, Mapping[str, Any]] = {}
    stretches: list[_Stretch] = []
    for event in events:
        kind, trial, ended = event["event"], event.get("trial", ""), event["time"]
        if kind == "trial_proposed":
            lengths[trial] = event["params"]["max_seq_length"]
        elif kind == "trial_started":
            begun = begun or event["time"]
            weights[trial] = min(1.0, event["cpus"] / cores)
        elif kind == "trial_reported":
            last = before.get(trial, {"examples": 0, "seconds": 0.0})
            rate = event["metrics"]["examples_per_second"]
            # A trial may have been started before its actor was up.
            begun = max(begun, event["time"] - event["seconds"]) if not stretches else begun
            training = (event["examples"] - last["examples"]) / rate
            rest = event["seconds"] - last["seconds"] - training
            stretches.append(_Stretch(lengths[trial], weights[trial], training, rest, saved=False))
            before[trial] = event
        elif kind == "checkpoint_saved":
            # Its report is the event before it.
            stretches[-1].saved = True
    evaluation = {s.length: _evaluation(stretches, s.length) for s in stretches}
    wall = ended - begun
    training = sum(s.weight * s.training for s in stretches)
    evaluating = sum(s.weight * evaluation[s.length] for s in stretches)
    whole = sum(s.weight * (s.training + s.rest) for s in stretches)
    return {
        "training": training / wall,
        "steps": (training + evaluating) / wall,
        "trials": whole / wall,
    }


def _evaluation(stretches: Iterable[_Stretch], length: int) -> float:
    alike = [s for s in stretches if s.length == length]
    return min(s.rest for s in ([s for s in alike if not s.saved] or alike))
