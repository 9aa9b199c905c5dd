"""The command as a user runs it, and small sweeps made with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bertsweep import ledger
from bertsweep.ledger.events import TrialReported

REPOSITORY = Path(__file__).resolve().parents[2]
QUICKSTART = REPOSITORY / "search_spaces" / "quickstart.yaml"

SMALL = """
name: small
data: {source: "builtin:questions", limit: 600, split: {validation: 120, test: 50}}
encoder: {source: "builtin:tiny"}
space:
  learning_rate: {low: 1e-4, high: 3e-3, log: true}
  batch_size: [16, 32]
  max_seq_length: 32
  epochs: 3
baseline: {learning_rate: 1e-3, batch_size: 32}
search: {sampler: {kind: random}, scheduler: none}
budget: {trials: 3}
"""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "bertsweep", *arguments]


def bertsweep(
    *arguments: str, timeout: float = 280, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs the command to its end, away from the repository's own folder for sweeps."""
    return subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=REPOSITORY,
        env={**os.environ, **environment},
    )


def document(*arguments: str) -> Any:
    """The JSON document that a command prints."""
    done = bertsweep(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def start(*arguments: str, log: Path) -> subprocess.Popen[bytes]:
    """Starts the command in the background, in a process group of its own."""
    with log.open("ab") as stream:
        return subprocess.Popen(
            command(*arguments),
            stdout=stream,
            stderr=stream,
            cwd=REPOSITORY,
            start_new_session=True,
        )


def events(folder: Path) -> list[ledger.Event]:
    path = folder / "ledger.jsonl"
    return ledger.read(path) if path.is_file() else []


def reported(folder: Path) -> list[TrialReported]:
    """The reports of all trials so far."""
    return [event for event in events(folder) if isinstance(event, TrialReported)]


def wait_for_reports(folder: Path, trial: str, count: int, *, timeout: float = 200) -> None:
    """Waits until a trial has reported `count` times."""
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        if sum(report.trial == trial for report in reported(folder)) >= count:
            return
        time.sleep(0.1)
    raise TimeoutError(f"{trial} made fewer than {count} reports in {timeout} s")


def scores(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What every trial reported, clocks left out: equal for equal sweeps."""
    state = ledger.fold(events(folder))
    return {
        trial.id: [
            (r["report"], r["metrics"]["loss"], r["metrics"]["val_average_precision"])
            for r in trial.reports
        ]
        for trial in state.trials.values()
    }


def write_small(folder: Path, extra: Sequence[str] = ()) -> Path:
    path = folder / "small.yaml"
    path.write_text("\n".join([SMALL, *extra]), encoding="utf-8")
    return path


def no_ray_left() -> bool:
    """Whether no Ray process of this user outlived its sweep."""
    found = subprocess.run(["pgrep", "-u", str(os.getuid()), "raylet"], capture_output=True)
    return found.returncode != 0
