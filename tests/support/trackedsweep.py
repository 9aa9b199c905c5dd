"""A small sweep told through a real ledger, for the tests of tracking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bertsweep.ledger import Ledger
from bertsweep.ledger.events import SweepStarted, TrialProposed, TrialReported, TrialStarted
from bertsweep.tracking import WandbTracker

UID = "5eed0123"
GROUP = "questions"


def tracker(folder: Path, *, warnings: list[str], **options: Any) -> WandbTracker:
    options = {"mode": "offline", "project": "tests", "entity": None, **options}
    return WandbTracker(group=GROUP, folder=folder, warn=warnings.append, **options)


def begin(ledger: Ledger, *, metric: str = "val_f1", mode: str = "max", **several: Any) -> None:
    ledger.append(
        SweepStarted(
            sweep=UID,
            name=GROUP,
            spec={},
            objective={"metric": metric, "mode": mode, "threshold": "f1", **several},
            data={"hash": "data-hash", "labels": [0, 1], "rows": {"train": 8}, "notes": []},
            encoder={"hash": "encoder-hash", "source": "builtin:tiny", "config": {}},
            versions={},
        )
    )


def propose(
    ledger: Ledger,
    trial: str,
    *,
    params: Mapping[str, Any] | None = None,
    origin: str = "sampler",
    **repeat: Any,
) -> None:
    ledger.append(
        TrialProposed(
            trial=trial,
            number=int(trial[1:5]),
            point={"learning_rate": 1e-5},
            params=params or {"learning_rate": 1e-5, "batch_size": 32, "optimizer": "adam"},
            seed=7,
            origin=origin,
            **repeat,
        )
    )


def start(ledger: Ledger, trial: str, *, attempt: int = 1) -> None:
    ledger.append(TrialStarted(trial=trial, attempt=attempt, cpus=1, gpus=0, node="here"))


def report(ledger: Ledger, trial: str, number: int, *, f1: float | None) -> None:
    ledger.append(
        TrialReported(
            trial=trial,
            report=number,
            epoch=number / 4,
            examples=number * 100,
            seconds=number * 1.5,
            metrics={
                "loss": 1 / number,
                "val_loss": 1 / number,
                "val_f1": f1,
                "learning_rate": 1e-5,
            },
            system={"memory_mb": 400.0 + number, "cpu_percent": 99.0},
        )
    )


def run_trial(ledger: Ledger, trial: str, values: Sequence[float | None]) -> None:
    """Proposes, starts and reports a trial; how it ends is left to the caller."""
    propose(ledger, trial)
    start(ledger, trial)
    for number, value in enumerate(values, start=1):
        report(ledger, trial, number, f1=value)
