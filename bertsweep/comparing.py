"""Sweeps side by side: what they came to, what it cost, and in what they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bertsweep.errors import SpecError
from bertsweep.results import Sweep
from bertsweep.spec import from_plain

LEFT_OUT = ("name", "warnings")
"""Keys of a specification in which sweeps differ without being different."""


def compared(sweeps: Sequence[Sweep]) -> dict[str, Any]:
    """The document of `bertsweep compare --json`; `docs/json.md` says what it holds."""
    specs = [_flat(_spec(sweep)) for sweep in sweeps]
    names = dict.fromkeys(name for spec in specs for name in spec)
    differences = {
        name: [spec.get(name) for spec in specs]
        for name in names
        if any(spec.get(name) != specs[0].get(name) for spec in specs)
    }
    return {
        "same": {
            "data": _same([sweep.state.started.data.get("hash") for sweep in sweeps]),
            "encoder": _same([sweep.state.started.encoder.get("hash") for sweep in sweeps]),
            "objective": _same([(sweep.metric, sweep.mode) for sweep in sweeps]),
        },
        "sweeps": [_told(sweep) for sweep in sweeps],
        "differences": differences,
    }


def _told(sweep: Sweep) -> dict[str, Any]:
    ranked, state = sweep.ranking(), sweep.state
    best = ranked[0] if ranked else None
    confirmation = state.confirmation
    outcome = None if confirmation is None else confirmation.outcome
    reading = state.test
    metric = sweep.metric.removeprefix("val_")
    return {
        "name": sweep.name,
        "path": str(sweep.folder),
        "status": sweep.status,
        "metric": sweep.metric,
        "mode": sweep.mode,
        "best": None if best is None else {"trial": best.id, "value": best.value},
        "baseline": None if sweep.baseline is None else sweep.baseline.value,
        "confirmed": None if outcome is None else _confirmed(outcome),
        "test": None if reading is None else (reading.result or {})["metrics"].get(metric),
        "trials": sweep.counts,
        "spent": sweep.spent.to_plain(),
        "importances": _importances(sweep),
    }


def _confirmed(outcome: Mapping[str, Any]) -> dict[str, Any] | None:
    """Mean and interval of the finalist that a confirmation took."""
    first = next(iter(outcome.get("finalists") or ()), None)
    if first is None:
        return None
    return {key: first[key] for key in ("trial", "mean", "low", "high", "seeds")}


def _importances(sweep: Sweep) -> dict[str, float] | None:
    from bertsweep.search.importances import importances

    try:
        space = from_plain(dict(sweep.state.started.spec)).space
    except SpecError:
        return None
    return importances(sweep.trials, space, metric=sweep.metric, mode=sweep.mode)


def _spec(sweep: Sweep) -> Mapping[str, Any]:
    """The specification with every default of today, which an earlier version may not have had."""
    plain = dict(sweep.state.started.spec)
    try:
        return from_plain(plain).to_plain()
    except SpecError:
        return plain


def _same(values: Sequence[Any]) -> bool:
    return all(value == values[0] for value in values)


def _flat(plain: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Key paths with dots → value, of every key below that holds no section."""
    found: dict[str, Any] = {}
    for key, value in plain.items():
        path = f"{above}.{key}" if above else str(key)
        if path in LEFT_OUT:
            continue
        if isinstance(value, Mapping) and value:
            found |= _flat(value, path)
        else:
            found[path] = value
    return found
