"""`bertsweep show`."""

from __future__ import annotations

from bertsweep.cli import _documents
from bertsweep.cli._options import Debug, Json, Storage, Sweep
from bertsweep.cli._output import console, print_json
from bertsweep.cli._tables import labelling, trials_table
from bertsweep.paths import find_sweep, storage_root
from bertsweep.results import load

EXAMPLES = ("bertsweep show quickstart", "bertsweep show runs/quickstart --json")


def show(
    sweep: Sweep, storage: Storage = None, as_json: Json = False, debug: Debug = False
) -> None:
    """Show every trial of a sweep: status, parameters, metrics, time."""
    paths = find_sweep(sweep, storage_root(storage))
    state = load(paths)
    if as_json:
        print_json(_documents.shown(state, paths))
        return
    counts = ", ".join(f"{n} {kind}" for kind, n in _documents.counts(state).items() if n)
    out = console()
    out.print(f"{state.name}: {_documents.status(state, paths)}. {counts or 'No trial yet'}.")
    if state.reason:
        out.print(state.reason)
    for line in labelling(state.positive, state.threshold_rule):
        out.print(line)
    out.print(trials_table(state, list(state.trials.values())))
    for trial in state.trials.values():
        if trial.error:
            out.print(f"{trial.id} failed: {trial.error}")
