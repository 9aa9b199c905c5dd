"""Our side of `benchmarks.sweep`: the real `bertsweep run`, and where its time went."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks._inputs import REPOSITORY
from benchmarks._tables import cores
from bertsweep.ledger import Event
from bertsweep.ledger.events import TrialReported, TrialStarted

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
            "time": event.time,
            "trial": event.trial,
            "epoch": event.epoch,
            "value": event.metrics[METRIC],
        }
        for event in events
        if isinstance(event, TrialReported) and event.metrics[METRIC] is not None
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
        "search": {"scheduler": {"grace_epochs": config["report_every"]}},
        "tracking": {"wandb": "offline"},
        "seed": config["seed"],
    }


def shares(events: Iterable[Event], *, cores: int) -> dict[str, float]:
    """Shares of the machine's time once the first actor is up, until the sweep has ended.

    `training`: in training steps, with what building their batches takes. `steps`: in evaluation
    steps too. `trials`: in trials, as their reports' seconds say, which hold scores and writing the
    best checkpoint as well, but not saving the state that a lost trial goes on from.

    A trace within the first step counts as training. The actor is up when the first report's
    seconds began: at most one saved state too late.
    """
    begun = ended = training = evaluation = whole = 0.0
    weights: dict[str, float] = {}
    seconds: dict[str, float] = {}
    for event in events:
        ended = event.time
        if isinstance(event, TrialStarted):
            weights[event.trial] = min(1.0, event.cpus / cores)
        elif isinstance(event, TrialReported):
            begun = begun or event.time - event.seconds
            weight, system = weights[event.trial], event.system
            training += weight * system["training_seconds"]
            evaluation += weight * system["evaluation_seconds"]
            whole += weight * (event.seconds - seconds.get(event.trial, 0.0))
            seconds[event.trial] = event.seconds
    wall = ended - begun
    return {
        "training": training / wall,
        "steps": (training + evaluation) / wall,
        "trials": whole / wall,
    }
