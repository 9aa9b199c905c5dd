"""`bertsweep pause`."""

from __future__ import annotations

from bertsweep.cli._options import Debug, Storage, Sweep
from bertsweep.cli._steering import ask, running
from bertsweep.cli._sweeping import handle
from bertsweep.steering import Pause

EXAMPLES = ("bertsweep pause quora",)


def pause(sweep: Sweep, storage: Storage = None, debug: Debug = False) -> None:
    """Stop a sweep that another command runs, as Ctrl-C there would; `resume` goes on with it."""
    opened = running(sweep, storage)
    ask(
        opened,
        Pause(),
        done=f"{opened.name} stops, and loses nothing; `bertsweep resume {handle(opened.paths)}` "
        "goes on with it",
    )
