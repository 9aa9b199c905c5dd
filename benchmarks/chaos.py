"""Kills the end of a sweep with SIGKILL at random moments, resumes it, and compares the outcome.

A sweep on the built-in data and encoder, with a confirmation, a refit, the test split and exports,
is run twice: once whole, once killed when its search is over. From copies of that one, `resume` is
killed at moments drawn at random from each stage, some twice, and then left alone. Verdict, winner,
every score, the one reading of the test split and the exports must be those of the first. Usage:

    python -m benchmarks.chaos --kills 10 --stage confirmation,test,export
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks._moments import STAGES, Kill, Moment, draw, kill_at, read, start
from benchmarks._same import differences
from benchmarks._tables import machine, say, table, versions
from bertsweep.errors import EnvironmentFault
from bertsweep.ledger import Event

SPEC = """
name: chaos
data: {source: "builtin:questions", limit: 600, split: {validation: 120, test: 100}}
encoder: {source: "builtin:tiny"}
space:
  learning_rate: {low: 3e-4, high: 1e-3, log: true}
  max_seq_length: 32
  epochs: 2
baseline: {learning_rate: 1e-4}
search: {sampler: {kind: random}, scheduler: none}
budget: {trials: 3}
resources: {concurrent: 1}
confirm: {finalists: 2, seeds: 3, refit: train+validation}
export: [FORMATS]
tracking: {wandb: disabled}
"""
_NAME = "chaos"
_TRIES = 3
_TWICE = 0.3
"""Share of the resumes that are killed a second time."""


def main(
    kills: int, stages: Sequence[str], formats: str, *, seed: int, folder: Path, jobs: int
) -> int:
    """Prints a row for each kill; returns how many sweeps came to something else."""
    file = folder / "chaos.yaml"
    file.write_text(SPEC.replace("FORMATS", formats), encoding="utf-8")
    reference, ended = run_whole(file, folder / "whole")
    searched = run_search(file, folder / "searched")
    events, chance = read(reference), random.Random(seed)
    plans = [drawn(stages, number, events, ended, chance) for number in range(kills)]
    with ThreadPoolExecutor(jobs) as pool:
        trials = pool.map(
            lambda number: killed(
                reference, searched, folder / f"kill-{number + 1}", plans[number]
            ),
            range(kills),
        )
        rows, wrong = [], 0
        for number, (done, found) in enumerate(trials, start=1):
            wrong += bool(found)
            for n, (moment, kill) in enumerate(zip(plans[number - 1], done, strict=True)):
                name = f"{number}{'ab'[n]}" if len(done) > 1 else str(number)
                result = "; ".join(found) or "the same" if n == len(done) - 1 else ""
                rows.append(row(name, moment, kill, result))
                say(" | ".join(rows[-1]))
    print(machine())
    print(versions("bertsweep", "ray", "tensorflow", "onnx"))
    print(f"{len(events)} events in the whole sweep; seed {seed}\n")
    print(table(("", "stage", "killed", "at", "events then, the last", "came to"), rows))
    return wrong


def drawn(
    stages: Sequence[str], number: int, events: Sequence[Event], ended: float, chance: random.Random
) -> list[Moment]:
    """The moments of one sweep: one in the stage whose turn it is, and for some a second one."""
    moments = [draw(stages[number % len(stages)], events, ended, chance)]
    if chance.random() < _TWICE:
        moments.append(draw(chance.choice(stages), events, ended, chance))
    return moments


def killed(
    reference: Path, searched: Path, folder: Path, moments: Sequence[Moment]
) -> tuple[list[Kill], list[str]]:
    """What was in the ledger at each kill of a copy, and what the copy then came to otherwise."""
    sweep = folder / _NAME
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(searched, sweep, symlinks=True)
    done = [resume_and_kill(sweep, moment) for moment in moments]
    found = finish(sweep) or list(differences(reference, sweep))
    if not found:
        shutil.rmtree(folder)
    return done, found


def run_whole(file: Path, storage: Path) -> tuple[Path, float]:
    """The sweep that nothing interrupts, and when its command ended: that wrote its last line."""
    log = storage.with_suffix(".log")
    if not storage.exists() and start("run", str(file), "--storage", str(storage), log=log).wait():
        raise SystemExit(f"the sweep itself failed: {log} says why")
    return storage / _NAME, log.stat().st_mtime


def run_search(file: Path, storage: Path) -> Path:
    """The same, killed when its search is over and its confirmation has begun."""
    if storage.exists():
        return storage / _NAME
    process = start("run", str(file), "--storage", str(storage), log=storage.with_suffix(".log"))
    begun = Moment("confirmation", "confirmation_started", 0, 0.0, group=True)
    kill_at(begun, process, storage / _NAME, since=0)
    return storage / _NAME


def resume_and_kill(sweep: Path, moment: Moment) -> Kill:
    since = len(read(sweep))
    process = start("resume", str(sweep), log=sweep.parent / "log")
    return kill_at(moment, process, sweep, since=since)


def finish(sweep: Path) -> list[str]:
    """Resumes to the end; what went wrong with that.

    Where Ray did not start in time, the machine was too busy: then it is resumed again, as a user
    would.
    """
    for _ in range(_TRIES):
        code = start("resume", str(sweep), log=sweep.parent / "log").wait()
        if code != EnvironmentFault.exit_code:
            break
    return [f"resume ended with {code}, see {sweep.parent / 'log'}"] if code else []


def row(name: str, moment: Moment, kill: Kill, result: str) -> tuple[str, ...]:
    whom = "nobody: it had ended" if kill.late else "its group" if moment.group else "the driver"
    return (name, moment.stage, whom, str(moment), f"{kill.events}, {kill.last}", result)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--stage", default=",".join(STAGES), help="which are killed, in turns")
    parser.add_argument("--format", default="onnx", help="formats of the export")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="how many sweeps at once")
    parser.add_argument("--out", type=Path, help="where the sweeps stay, and are taken from")
    asked = parser.parse_args()
    chosen = asked.stage.split(",")
    if unknown := sorted(set(chosen) - set(STAGES)):
        parser.error(f"a stage is one of {', '.join(STAGES)}, but got {', '.join(unknown)}")
    with tempfile.TemporaryDirectory() as scratch:
        where = asked.out or Path(scratch)
        where.mkdir(parents=True, exist_ok=True)
        wrong = main(
            *(asked.kills, chosen, asked.format), seed=asked.seed, folder=where, jobs=asked.jobs
        )
    sys.exit(int(wrong > 0))
