"""A finished sweep of two real trials on the built-in data, made without Ray."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bertsweep import lock
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
from bertsweep.paths import SweepPaths
from bertsweep.spec import Confirm
from bertsweep.sweep.confirmation import begin_confirmation, end_confirmation
from bertsweep.sweep.repeats import repeats_of
from bertsweep.trial.job import Proposal
from bertsweep.trial.session import Session
from bertsweep.trial.workbench import Workbench
from tests.support.trials import PARAMS, proposal, small_job, small_prepared, small_spec

METRIC = "val_average_precision"
OVERRIDES = ("data.split.validation=120", "data.split.test=120")
RATES = {"t0000": 5e-4, "t0001": 5e-3}
"""Learning rate of the baseline, and of the trial that beats it."""


def write_sweep(storage: Path, name: str = "small", *, rates: Mapping[str, float] = RATES) -> Path:
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
    lock.write(folder, lock.lock_of(ledger.state.started, cpus=1, gpus=0))
    for number, (trial, rate) in enumerate(rates.items()):
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


def confirm(folder: Path, **settings: Any) -> None:
    """Confirms the winner with two fresh seeds, as the command does, without Ray."""
    prepared, paths = small_prepared(*OVERRIDES), SweepPaths(folder)
    job = small_job(folder, prepared)
    bench, ledger = Workbench(job), Ledger(paths.ledger)
    chosen = Confirm(**{"finalists": 1, "seeds": 2, **settings})
    begin_confirmation(ledger, paths, chosen, seed=42, notify=lambda _: None)
    begun = ledger.state.confirmation
    assert begun is not None
    for finalist in begun.finalists:
        of = ledger.state.trials[finalist]
        for repeat in repeats_of(begun, finalist):
            ledger.append(
                TrialProposed(
                    trial=repeat.id,
                    point=of.point,
                    params=of.params,
                    seed=repeat.seed,
                    origin="repeat",
                    repeats=finalist,
                    split=repeat.split,
                )
            )
            ledger.append(TrialStarted(trial=repeat.id, attempt=1))
            asked = Proposal(repeat.id, of.params, repeat.seed, repeat.split)
            _run(Session(bench, job, asked), ledger, repeat.id)
            ledger.append(TrialFinished(trial=repeat.id))
    end_confirmation(ledger, tokens=prepared.token_folders, notify=lambda _: None)
    ledger.append(SweepEnded(status="finished"))
    ledger.close()


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
