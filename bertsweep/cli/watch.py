"""`bertsweep watch`."""

from __future__ import annotations

import time
from contextlib import closing, suppress
from typing import Annotated

import typer

from bertsweep import ledger
from bertsweep.cli._live import live_view
from bertsweep.cli._options import Debug, Storage, Sweep
from bertsweep.cli._output import console, duration
from bertsweep.cli._sweeping import handle
from bertsweep.cli._view import View
from bertsweep.errors import EnvironmentFault
from bertsweep.ledger import INTERRUPTED, RUNNING, Follower
from bertsweep.ledger.journal import SIGN_OF_LIFE_SECONDS
from bertsweep.paths import SweepPaths, find_sweep, storage_root

EXAMPLES = ("bertsweep watch quora", "bertsweep watch /mnt/shared/runs/quora")

GONE_SECONDS = 3 * SIGN_OF_LIFE_SECONDS
"""After so long without a line, and with nobody who holds the ledger, its writer is gone."""


def watch(
    sweep: Sweep,
    storage: Storage = None,
    every: Annotated[
        float, typer.Option("--every", min=0.1, metavar="SECONDS", help="How often to look.")
    ] = 1.0,
    debug: Debug = False,
) -> None:
    """Show a sweep that another command runs, here or on another machine, until it ends.

    Reads the ledger alone and changes nothing; Ctrl-C ends the view and not the sweep.
    """
    paths = find_sweep(sweep, storage_root(storage))
    out = console()
    with suppress(KeyboardInterrupt):
        with live_view(out) as view, closing(Follower(paths.ledger, view.handle)) as follower:
            _follow(follower, view, paths, every)
        out.print(_outcome(follower, paths), soft_wrap=True)


def _follow(follower: Follower, view: View, paths: SweepPaths, every: float) -> None:
    """Reads on until the sweep has ended.

    Raises `EnvironmentFault` when its writer is gone.
    """
    while True:
        held = ledger.is_locked(paths.ledger)
        news = follower.read()
        if not follower.begun:
            view.progress("getting ready", 0, None)
            time.sleep(every)
            continue
        state = follower.state
        view.began = state.session_began
        if state.status != RUNNING and not (held and state.status == INTERRUPTED):
            return  # held, it is being resumed, or about to be let go
        silent = time.time() - state.last_event
        if not held and not news and silent > GONE_SECONDS:
            raise EnvironmentFault(
                f"nothing writes {paths.ledger} any more: its last sign of life is "
                f"{duration(silent)} old. `bertsweep resume {handle(paths)}` goes on with it."
            )
        time.sleep(every)


def _outcome(follower: Follower, paths: SweepPaths) -> str:
    state = follower.state
    why = f": {state.reason}" if state.reason else ""
    name = handle(paths)
    more = f"resume {name}` goes on" if state.status == INTERRUPTED else f"best {name}` tells more"
    return f"{state.name} is {state.status}{why}; `bertsweep {more}"
