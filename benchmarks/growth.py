"""What a long sweep costs: its ledger read by `show`, `best` and a resume, and its proposals.

The ledger holds 10,000 trials of 20 reports, made here. Each command runs in a process of its own;
seconds are of the clock from its start to its end, memory is its peak; printed are the median of
several runs, in turns, and the least and the most. A resume is the fold of the ledger and the
refill of study and stopping rule. Usage:

    python -m benchmarks.growth [TRIALS]
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from bertsweep import ledger
from bertsweep.ledger import Event
from bertsweep.ledger.events import (
    FORMAT,
    CheckpointSaved,
    SweepEnded,
    SweepStarted,
    TrialFinished,
    TrialProposed,
    TrialReported,
    TrialStarted,
)
from bertsweep.ledger.lines import encode
from bertsweep.metrics import METRICS as SCORES
from bertsweep.paths import SweepPaths
from bertsweep.ranking import winner
from bertsweep.spec import Hyperparameters
from tests.support.checkpoints import write_checkpoint

SPEC = Path(__file__).parent.parent / "search_spaces" / "quickstart.yaml"
REPORTS, PER_EPOCH = 20, 4
METRIC = "val_average_precision"
METRICS = ("loss", "learning_rate", "examples_per_second", *(f"val_{name}" for name in SCORES))
POINT = {"learning_rate": 1e-3, "dropout": 0.1, "batch_size": 32, "optimizer": "adam"}
FIXED = {"max_seq_length": 32, "epochs": 3}
PARAMS = Hyperparameters().to_point() | POINT | FIXED
RUNS = 5
AROUND = 10
"""Proposals on each side of a trial whose median is its cost."""


def main(trials: int) -> None:
    """Prints seconds and memory of each command, then the time of a proposal by its number."""
    python = [sys.executable, "-m"]
    with tempfile.TemporaryDirectory() as folder:
        paths = SweepPaths(Path(folder) / "long")
        write_ledger(paths.ledger, trials)
        best = winner(ledger.load(paths.ledger))
        write_checkpoint(paths.trial(best.id), report=best.checkpoint_report or 0)
        size = paths.ledger.stat().st_size / 1e6
        print(f"{trials:,} trials of {REPORTS} reports, a ledger of {size:.0f} MB")
        commands = {
            "show --json": [*python, "bertsweep", "show", str(paths.folder), "--json"],
            "best --json": [*python, "bertsweep", "best", str(paths.folder), "--json"],
            "resume": [*python, "benchmarks.growth", "resume", str(paths.ledger)],
        }
        runs = [{name: measured(line) for name, line in commands.items()} for _ in range(RUNS)]
        print(f"{'':<12} {'s':^22} {'CPU s':^22} {'MB':^22}")
        for name in commands:
            columns = zip(*(run[name] for run in runs), strict=True)
            print(f"{name:<12}", *(_spread(column) for column in columns))
    subprocess.run([*python, "benchmarks.growth", "propose"], check=True)


def measured(command: Sequence[str]) -> tuple[float, float, float]:
    """Seconds by the clock and of CPU, and peak memory in MB of 1e6 bytes, of a process."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6


def _spread(numbers: Sequence[float]) -> str:
    middle, low, high = statistics.median(numbers), min(numbers), max(numbers)
    digits = 2 if high < 100 else 0
    said = f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
    return f"{said:^22}"


def write_ledger(path: Path, trials: int) -> None:
    """A ledger as a sweep writes it, without the waiting for the disk."""
    path.parent.mkdir(parents=True)
    chain = 0
    with path.open("wb") as file:
        for number, event in enumerate(events(trials)):
            stamped = replace(event, seq=number, time=1.7e9 + number)
            line, chain = encode(stamped, chain=chain)
            file.write(line)


def events(trials: int) -> Iterator[Event]:
    """Every trial reports 20 times, keeps a checkpoint at every fifth, and finishes."""
    rng = random.Random(0)
    objective = {"metric": METRIC, "mode": "max"}
    yield SweepStarted(format=FORMAT, sweep="long", name="long", objective=objective)
    for number in range(trials):
        trial = f"t{number:04d}"
        point = {**POINT, "learning_rate": 10 ** rng.uniform(-4, -2), "dropout": rng.random() / 2}
        yield TrialProposed(
            trial=trial,
            number=number,
            point={**point, **FIXED},
            params={**PARAMS, **point},
            seed=42,
            origin="sampler" if number else "baseline",
        )
        yield TrialStarted(trial=trial, attempt=1, cpus=1.0, gpus=0.0, node="10.0.0.1")
        for report in range(1, REPORTS + 1):
            metrics = {name: rng.random() for name in METRICS}
            yield TrialReported(
                trial=trial,
                report=report,
                epoch=report / PER_EPOCH,
                examples=608 * report,
                seconds=report * 1.1,
                metrics=metrics,
                system={"memory_mb": 900 * rng.random(), "cpu_percent": 95.2},
            )
            if report % 5 == 1:
                path = f"trials/{trial}/best-{report:04d}"
                yield CheckpointSaved(trial=trial, report=report, path=path, metrics=metrics)
        yield TrialFinished(trial=trial)
    yield SweepEnded(status="finished")


def resume(path: Path) -> None:
    """What `SweepConductor.refill` does, without Ray."""
    from bertsweep.search.stopping import build_rule

    spec, study = _study()
    rule = build_rule(spec.search.scheduler, max_epochs=REPORTS / PER_EPOCH, steps_per_epoch=1000)
    for number, trial in enumerate(ledger.load(path).trials.values()):
        curve = trial.reports.curve(METRIC)
        values = {report: value for report, _, value in curve}
        study.refill(number, trial.point, status=trial.status, values=values)
        for _, epoch, value in curve:
            rule.observe(trial.id, epoch, value)
    study.ask()


def propose() -> None:
    """Prints the median CPU time of a proposal around several numbers."""
    _, study = _study()
    rng = random.Random(0)
    times = []
    for number in range(1000 + AROUND):
        begun = time.process_time()
        asked = study.ask()
        times.append(time.process_time() - begun)
        if asked is None:
            raise SystemExit("the sampler proposed nothing")
        # Better near 1e-3, with noise; two thirds are stopped early, as by successive halving.
        best = 0.9 - abs(float(asked.point["learning_rate"]) - 1e-3) * 40 + rng.gauss(0, 0.01)
        reports = rng.choice((2, 6, REPORTS))
        for report in range(1, reports + 1):
            study.report(number, report, best * (1 - 0.5**report))
        status = ledger.FINISHED if reports == REPORTS else ledger.STOPPED
        study.tell(number, status)
    print("median CPU time of a proposal by TPE")
    for number in (50, 100, 250, 500, 1000):
        near = times[number - AROUND : number + AROUND]
        print(f"trial {number:>5,}: {1000 * statistics.median(near):6.1f} ms")


def _study() -> tuple[Any, Any]:
    from bertsweep.search.study import Study
    from bertsweep.spec import load

    spec = load(SPEC)
    study = Study(
        spec.space,
        sampler=spec.search.sampler,
        seed=spec.seed,
        mode="max",
        baseline=POINT | FIXED,
        key=spec.hyperparameters,
    )
    return spec, study


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments[:1] == ["resume"]:
        resume(Path(arguments[1]))
    elif arguments[:1] == ["propose"]:
        propose()
    else:
        parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
        parser.add_argument("trials", nargs="?", type=int, default=10_000)
        main(parser.parse_args().trials)
