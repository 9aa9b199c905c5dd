"""`bertsweep set`."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from bertsweep.budget import WORDS
from bertsweep.cli._options import Debug, Storage, Sweep
from bertsweep.cli._steering import ask, running
from bertsweep.errors import InputError
from bertsweep.steering import SetBounds, SetConcurrent

EXAMPLES = (
    "bertsweep set quora budget.trials=40",
    "bertsweep set quora budget.hours=6 resources.concurrent=1",
)

_CONCURRENT = "resources.concurrent"
_BOUNDS = {f"budget.{unit}": unit for unit in WORDS}
_WHOLE = ("budget.trials", _CONCURRENT)


def set(  # noqa: A001 - the verb
    sweep: Sweep,
    settings: Annotated[
        list[str], typer.Argument(metavar="KEY=VALUE", help=f"{', '.join(_BOUNDS)}, {_CONCURRENT}.")
    ],
    storage: Storage = None,
    debug: Debug = False,
) -> None:
    """Change the budget of a running sweep, or how many of its trials run at once.

    `resources.concurrent` can be lowered and raised again up to what the sweep began with.
    """
    opened = running(sweep, storage)
    wanted = dict(_parsed(setting) for setting in settings)
    bounds = {_BOUNDS[key]: value for key, value in wanted.items() if key in _BOUNDS}
    if bounds:
        told = opened.state.bounds.changed(bounds).told()
        ask(opened, SetBounds(bounds=bounds), done=f"budget: {told}")
    if _CONCURRENT in wanted:
        count = int(wanted[_CONCURRENT])
        ask(opened, SetConcurrent(concurrent=count), done=f"at most {count} at once from now on")


def _parsed(setting: str) -> tuple[str, float]:
    key, _, text = setting.partition("=")
    if key not in (*_BOUNDS, _CONCURRENT):
        raise InputError(
            f"of a running sweep {', '.join(_BOUNDS)} and {_CONCURRENT} can be set, but got "
            f"{setting!r}. Type for example budget.trials=40."
        )
    try:
        value = float(int(text)) if key in _WHOLE else float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        kind = "a whole number above 0" if key in _WHOLE else "a number above 0"
        raise InputError(f"{key} must be {kind}, but got {text!r}")
    return key, int(value) if key in _WHOLE else value
