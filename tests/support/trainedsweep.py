"""A finished sweep of two real trials on the built-in data, made without Ray."""

from __future__ import annotations

from pathlib import Path

from bertsweep.ledger import Ledger
from bertsweep.ledger.events import (
    CheckpointSaved,
    SweepEnded,
    SweepStarted,
    TrialFinished,
    TrialProposed,
    TrialReported,
    TrialStarted,
)
from bertsweep.trial.session import Session
from bertsweep.trial.workbench import Workbench
from tests.support.trials import PARAMS, proposal, small_job, small_prepared, small_spec

METRIC = "val_average_precision"
OVERRIDES = ("data.split.validation=120", "data.split.test=120")
RATES = {"t0000": 5e-4, "t0001": 5e-3}
"""Learning rate of the baseline, and of the trial that beats it."""


def write_sweep(storage: Path, name: str = "small") -> Path:
    """Trains both trials, a dozen steps each, and returns the sweep's folder."""
    prepared = small_prepared(*OVERRIDES)
    folder = storage / name
    job = small_job(folder, prepared)
    bench = Workbench(job)
    ledger = Ledger(folder / "ledger.jsonl")
    spec = small_spec(*OVERRIDES, "tracking.wandb=offline")
    ledger.append(
        SweepStarted(
            sweep="5eed",
            name=name,
            spec=spec.to_plain(),
            objective={"metric": METRIC, "mode": "max", "threshold": "f1"},
            **prepared.facts(),
        )
    )
    for number, (trial, rate) in enumerate(RATES.items()):
        asked = proposal(trial, learning_rate=rate, epochs=1)
        params = {**PARAMS, "learning_rate": rate}
        ledger.append(
            TrialProposed(
                trial=trial,
                number=number,
                point=params,
                params=params,
                seed=asked.seed,
                origin="sampler" if number else "baseline",
            )
        )
        ledger.append(TrialStarted(trial=trial, attempt=1))
        _run(Session(bench, job, asked), ledger, trial)
        ledger.append(TrialFinished(trial=trial))
    ledger.append(SweepEnded(status="finished"))
    ledger.close()
    return folder


def _run(session: Session, ledger: Ledger, trial: str) -> None:
    saved = None
    while True:
        report = session.next_report()
        ledger.append(
            TrialReported(
                trial=trial,
                **{k: report[k] for k in ("report", "epoch", "examples", "seconds", "metrics")},
            )
        )
        if report["checkpoint"] != saved:
            saved = report["checkpoint"]
            ledger.append(
                CheckpointSaved(
                    trial=trial,
                    report=report["report"],
                    path=saved,
                    threshold=report["threshold"],
                )
            )
        if report["finished"]:
            return
