"""`bertsweep show`."""

from __future__ import annotations

from bertsweep.api import open_sweep
from bertsweep.cli import _documents
from bertsweep.cli._options import Debug, Json, Storage, Sweep
from bertsweep.cli._output import console, print_json
from bertsweep.cli._scores import reading
from bertsweep.cli._sweeping import fronted
from bertsweep.cli._tables import labelling, trials_table

EXAMPLES = ("bertsweep show quickstart", "bertsweep show runs/quickstart --json")


def show(
    sweep: Sweep, storage: Storage = None, as_json: Json = False, debug: Debug = False
) -> None:
    """Show every trial of a sweep: status, parameters, metrics, time."""
    opened = open_sweep(sweep, storage=storage)
    state = opened.state
    if as_json:
        print_json(_documents.shown(opened))
        return
    counts = ", ".join(f"{n} {kind}" for kind, n in opened.counts.items() if n)
    out = console()
    out.print(f"{state.name}: {opened.status}. {counts or 'No trial yet'}.")
    if state.reason:
        out.print(state.reason)
    for line in labelling(opened.positive, opened.threshold_rule):
        out.print(line)
    for line in reading(_documents.tested(opened)):
        out.print(line, soft_wrap=True)
    out.print(trials_table(state, opened.trials))
    fronted(_documents.front(opened), out)
    repeats = list(state.repeats.values())
    if repeats:
        out.print("repeats of the finalists")
        out.print(trials_table(state, repeats))
    for trial in (*opened.trials, *repeats):
        if trial.error:
            out.print(f"{trial.id} failed: {trial.error}")
