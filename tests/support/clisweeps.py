"""Sweeps made by hand through the ledger, and the command line called within the process."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsweep.cli import main
from bertsweep.ledger import Event, Ledger, events
from bertsweep.ledger.events import (
    CheckpointSaved,
    SweepEnded,
    SweepStarted,
    TrialFailed,
    TrialFinished,
    TrialProposed,
    TrialReported,
    TrialStarted,
    TrialStopped,
)
from bertsweep.paths import SweepPaths
from tests.support.checkpoints import write_checkpoint

METRIC = "val_average_precision"
SPEC = {
    "name": "demo",
    "budget": {"trials": 4, "hours": None},
    "data": {"source": "builtin:questions", "text": ["question"], "label": "target"},
}


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def cli(*arguments: object) -> Done:
    """Runs a command as the console entry point does, within this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(argument) for argument in arguments])
    return Done(code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def sweep(
    storage: Path,
    name: str = "demo",
    *,
    mode: str = "max",
    labels: Sequence[object] = (0, 1),
    rule: float | str | None = "f1",
    several: Mapping[str, Any] | None = None,
) -> Iterator[Ledger]:
    """The open ledger of a new sweep, which has started and has no trial.

    `several` is what `sweep_started` says of further objectives and the rule that picks a trial.
    """
    paths = SweepPaths(storage / name)
    ledger = Ledger(paths.ledger)
    try:
        ledger.append(
            SweepStarted(
                sweep=f"uid-{name}",
                name=name,
                spec={**SPEC, "name": name},
                objective={"metric": METRIC, "mode": mode, "threshold": rule, **(several or {})},
                data={"hash": "d", "labels": list(labels), "rows": {"train": 80}, "notes": []},
                encoder={"hash": "e", "source": "builtin:tiny", "config": {}},
                versions={},
            )
        )
        yield ledger
    finally:
        ledger.close()


def propose(
    ledger: Ledger, trial: str, params: Mapping[str, Any], *, origin: str = "sampler"
) -> None:
    ledger.append(
        TrialProposed(
            trial=trial,
            point=dict(params),
            params=dict(params),
            seed=1,
            origin=origin,
        )
    )
    ledger.append(TrialStarted(trial=trial, attempt=1, cpus=1, gpus=0.5, node="here"))


def report(ledger: Ledger, trial: str, number: int, value: float | None, **metrics: float) -> Event:
    return ledger.append(
        TrialReported(
            trial=trial,
            report=number,
            epoch=number / 2,
            examples=40 * number,
            seconds=36.0 * number,
            metrics={METRIC: value, "val_loss": 0.5, "examples_per_second": 100.0, **metrics},
            system={},
        )
    )


def checkpoint(
    ledger: Ledger,
    folder: Path,
    trial: str,
    number: int = 1,
    *,
    threshold: float | None = 0.25,
) -> None:
    """A checkpoint of the trial, on disk in the sweep's folder and in its ledger."""
    path = write_checkpoint(folder / "trials" / trial, number, trial=trial)
    ledger.append(
        CheckpointSaved(
            trial=trial,
            report=number,
            path=str(path.relative_to(folder)),
            metrics={},
            threshold=threshold,
        )
    )


def finished_sweep(storage: Path, name: str = "demo", *, mode: str = "max") -> Path:
    """Four trials: the baseline at 0.5, the best at 0.75 (stopped), one failed, one at 0.6."""
    with sweep(storage, name, mode=mode) as ledger:
        fixed = {"batch_size": 32, "epochs": 1}
        for trial, rate, values, origin in (
            ("t0000", 2e-5, (0.4, 0.5), "baseline"),
            ("t0001", 5e-5, (0.75, 0.7), "sampler"),
            ("t0002", 1e-3, (), "sampler"),
            ("t0003", 3e-5, (0.6,), "sampler"),
        ):
            propose(ledger, trial, {"learning_rate": rate, **fixed}, origin=origin)
            for number, value in enumerate(values, start=1):
                report(ledger, trial, number, value)
            if values:
                checkpoint(ledger, storage / name, trial)
        ledger.append(TrialFinished(trial="t0000"))
        ledger.append(TrialStopped(trial="t0001", reason="below the rung"))
        ledger.append(TrialFailed(trial="t0002", error="the loss became NaN at step 7"))
        ledger.append(TrialFinished(trial="t0003"))
        ledger.append(SweepEnded(status="finished", reason=None))
    return storage / name


def read_test(folder: Path, test: Mapping[str, Any], *, again: bool = False) -> None:
    """Records a reading of the test split that `best --json` then shows as `test`."""
    opened = ("trial", "threshold", "temperature", "aim")
    ledger = Ledger(folder / "ledger.jsonl")
    path = f"trials/{test['trial']}/best-0001"
    ledger.append(events.TestOpened(path=path, again=again, **{k: test[k] for k in opened}))
    results = ("rows", "metrics", "intervals", "against_baseline")
    ledger.append(events.TestScored(result={key: test[key] for key in results}))
    ledger.close()
