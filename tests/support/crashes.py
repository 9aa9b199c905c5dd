"""A sweep's files, written by worker and driver, with a crash at every call that changes the disk.

    python -m tests.support.crashes FOLDER [--every N] [--states]

Worker and driver take turns in one process, as they do between two reports. The sweep is played
again and again, each time dying at a later rename, removal, new folder or write to disk; then what
a reader finds is looked at, and the sweep is gone on with to its end. Prints what went wrong, as a
JSON document, with the number of crashes. A process of its own, as it forks for every crash.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from bertsweep import checkpoints, ledger
from bertsweep.ledger import Ledger
from bertsweep.ledger.events import CheckpointSaved, SweepStarted, TrialFinished
from bertsweep.paths import SweepPaths
from bertsweep.sweep.retention import Retention
from tests.support import clisweeps
from tests.support.checkpoints import PARAMS, write_checkpoint, write_state

REPORTS = 3
TRIALS = {"t0000": 0.3, "t0001": 0.2}
"""The baseline, which is the best, and one whose checkpoint is not kept."""

CALLS = ("rename", "replace", "unlink", "rmdir", "mkdir", "fsync")


def play(folder: Path, *, states: bool) -> None:
    """Begins the sweep, or goes on with what is there, to its end."""
    paths = SweepPaths(folder)
    book = Ledger(paths.ledger)
    if not paths.ledger.stat().st_size:
        objective = {"metric": clisweeps.METRIC, "mode": "max"}
        book.append(SweepStarted(sweep="ab", name="crashes", objective=objective))
    retention = Retention(paths, book, keep=1)
    retention.tidy()
    for trial, value in TRIALS.items():
        if trial not in book.state.trials:
            origin = "baseline" if trial == "t0000" else "sampler"
            clisweeps.propose(book, trial, PARAMS, origin=origin)
        if not book.state.trials[trial].ended:
            _play_trial(book, retention, paths.trial(trial), value, states)
    book.close()


def _play_trial(
    book: Ledger, retention: Retention, folder: Path, value: float, states: bool
) -> None:
    trial = folder.name
    state = checkpoints.newest_state(folder, params=PARAMS, seed=1)
    done = int(state.reports[-1]["report"]) if state is not None else 0
    for number in range(1, REPORTS + 1):
        path = f"trials/{trial}/best-{number:04d}"
        if number > done:
            write_checkpoint(folder, number, trial=trial)
            if states and number == 2:
                write_state(folder, number, best=path)
        seen = book.state.trials[trial]
        if number > len(seen.reports):
            clisweeps.report(book, trial, number, value + number / 100)
            before = seen.checkpoint
            book.append(CheckpointSaved(trial=trial, report=number, path=path))
            retention.saved(trial, before)
    book.append(TrialFinished(trial=trial))
    retention.ended(trial)


def faults(folder: Path) -> list[str]:
    """What a reader would miss in the folder as it is: the ledger names whole checkpoints only."""
    paths = SweepPaths(folder)
    if not paths.ledger.is_file() or not paths.ledger.stat().st_size:
        return []
    found = []
    for trial in ledger.load(paths.ledger).trials.values():
        if trial.checkpoint is None:
            continue
        recorded = folder / trial.checkpoint
        best = checkpoints.find_best(recorded.parent, recorded=recorded.name)
        if best.passed_over or best.checkpoint is None:
            found.append(f"{trial.id}: {best.passed_over}")
        elif best.checkpoint.arrays()["head/bias"][0] != int(recorded.name[-4:]):
            found.append(f"{trial.id}: {recorded} has the weights of another report")
    return found


def tree(folder: Path) -> list[str]:
    """The checkpoint folders and drafts that are there."""
    return sorted(str(path.relative_to(folder)) for path in folder.glob("trials/*/*"))


def _child(action: Callable[[], None]) -> int:
    """Runs the action in a process of its own; 0 when it came to its end, 9 when it crashed."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            action()
            code = 0
        finally:
            if code:
                traceback.print_exc()
            os._exit(code)  # without the clean-up that is the parent's
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def _dying(action: Callable[[], None], *, at: int) -> None:
    """The action, dying right before one of the `CALLS`, the one number `at`."""
    left = at

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                os._exit(9)
            return call(*arguments, **options)

        return counting

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))
    action()


def main(folder: Path, *, every: int, states: bool) -> dict[str, Any]:
    # A killed process loses nothing that it wrote, so the disk need not be waited for.
    os.fsync = lambda _: None
    whole = folder / "whole"
    _child(lambda: play(whole, states=states))
    wrong: list[str] = faults(whole)
    for crashes in itertools.count():
        place, at = folder / str(crashes), crashes * every
        code = _child(partial(_dying, partial(play, place, states=states), at=at))
        wrong += [f"crash {at}: {fault}" for fault in faults(place)]
        if _child(partial(play, place, states=states)) != 0:
            wrong.append(f"crash {at}: the sweep does not go on")
        wrong += [f"crash {at}, at the end: {fault}" for fault in faults(place)]
        if tree(place) != tree(whole):
            wrong.append(f"crash {at}: {tree(place)} is left, and not {tree(whole)}")
        if code == 0:
            break
    return {"wrong": wrong, "crashes": crashes, "left": tree(whole)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--states", action="store_true")
    given = parser.parse_args()
    json.dump(main(given.folder, every=given.every, states=given.states), sys.stdout)
