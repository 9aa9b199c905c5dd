"""What `stop`, `add`, `set` and `pause` share: a request to a running sweep, and its answer."""

from __future__ import annotations

import time
from contextlib import closing

from bertsweep import ledger, steering
from bertsweep.api import open_sweep
from bertsweep.cli._output import console
from bertsweep.cli._sweeping import handle
from bertsweep.errors import InputError
from bertsweep.ledger import RUNNING, Follower
from bertsweep.results import Sweep
from bertsweep.steering import Asked

PATIENCE_SECONDS = 15.0
_EVERY_SECONDS = 0.2


def running(sweep: str, storage: str | None) -> Sweep:
    """The sweep, which a command must be running. Raises `InputError` where none does."""
    opened = open_sweep(sweep, storage=storage)
    if opened.state.status != RUNNING or not ledger.is_locked(opened.paths.ledger):
        raise InputError(
            f"only a running sweep can be steered, but {opened.name} is {opened.status}. "
            f"`bertsweep resume {handle(opened.paths)}` goes on with it, or adds to its budget."
        )
    return opened


def ask(sweep: Sweep, request: Asked, *, done: str) -> None:
    """Asks, waits for the answer, and prints `done` when that is yes.

    Raises `InputError` with the reason where it is no.
    """
    name = steering.ask(sweep.paths, request)
    until = time.monotonic() + PATIENCE_SECONDS
    with closing(Follower(sweep.paths.ledger, lambda _: None)) as follower:
        while time.monotonic() < until:
            follower.read()
            if name in follower.state.steered:
                refused = follower.state.steered[name]
                if refused is not None:
                    raise InputError(f"{sweep.name} does not do that: {refused}")
                console().print(done, soft_wrap=True)
                return
            time.sleep(_EVERY_SECONDS)
    console().print(
        f"asked; {sweep.name} takes it as soon as its search or confirmation goes on "
        f"(`bertsweep watch {handle(sweep.paths)}`)",
        soft_wrap=True,
    )
