"""What a sweep began with, and whether it still is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from bertsweep.errors import InputError
from bertsweep.ledger import SweepState
from bertsweep.ledger.events import SweepStarted
from bertsweep.spec import SweepSpec


def as_begun(spec: SweepSpec, started: SweepStarted) -> SweepSpec:
    """The specification with the positive class that the sweep began with.

    Versions that recorded no threshold took the label that sorts last, whatever it was; what is
    read and trained must stay comparable.
    """
    if "threshold" in started.objective or started.positive is None:
        return spec
    data = spec.data.model_copy(update={"positive": started.positive})
    return spec.model_copy(update={"data": data})


def check_same(state: SweepState, what: Literal["data", "encoder"], now: Mapping[str, Any]) -> None:
    """Raises `InputError` unless data or encoder have the hash that the sweep began with.

    `now` are the facts of `Materials` about it; of encoders with names, each is compared.
    """
    before = {"data": state.started.data, "encoder": state.started.encoder}[what]
    named = before.get("named", {})
    for name in named:
        found = now.get("named", {}).get(name, {})
        _compare(state, f"{what} {name}", named[name]["hash"], found.get("hash"))
    _compare(state, what, before["hash"], now["hash"])


def _compare(state: SweepState, what: str, before: str, now: str | None) -> None:
    if before != now:
        raise InputError(
            f"{what}: the sweep {state.name} began with content {before}, but its source now "
            f"has {now}; trials of both cannot be compared. Bring the old {what} back, or "
            "start a new sweep."
        )
