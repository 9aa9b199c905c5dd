"""`bertsweep compare`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from bertsweep.api import open_sweep
from bertsweep.cli._options import Debug, Json, Storage
from bertsweep.cli._output import console, print_json, score, short, table
from bertsweep.errors import InputError

_LONGEST = 40
"""Characters of a value of a file; `--json` has all."""

EXAMPLES = ("bertsweep compare quora quora-2", "bertsweep compare runs/a runs/b runs/c --json")


def compare(
    sweeps: Annotated[
        list[str],
        typer.Argument(metavar="SWEEP...", help="Two or more: folders, or names under --storage."),
    ],
    storage: Storage = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Show sweeps side by side: scores, cost, what mattered, and in what their files differ."""
    from bertsweep.comparing import compared

    if len(sweeps) < 2:
        raise InputError(f"compare wants two sweeps or more, but got {sweeps[0]} alone")
    document = compared([open_sweep(one, storage=storage) for one in sweeps])
    if as_json:
        print_json(document)
        return
    out = console()
    told = document["sweeps"]
    heads = [one["name"] for one in told]
    out.print(table(("", *heads), _rows(told), right=heads))
    for line in _warnings(document["same"]):
        out.print(line)
    if document["differences"]:
        out.print("what differs in their files")
        rows = [(key, *map(_value, values)) for key, values in document["differences"].items()]
        out.print(table(("", *heads), rows))


def _rows(told: list[dict[str, Any]]) -> Iterator[list[str]]:
    yield ["status", *(one["status"] for one in told)]
    yield ["objective", *(f"{one['metric']} ({one['mode']})" for one in told)]
    yield ["best", *(_best(one["best"]) for one in told)]
    yield ["baseline", *(score(one["baseline"]) for one in told)]
    yield ["confirmed", *(_interval(one["confirmed"]) for one in told)]
    yield ["test", *(score(one["test"]) for one in told)]
    yield ["trials", *(_counts(one["trials"]) for one in told)]
    for unit in ("trainings", "gpu_hours", "hours"):
        yield [unit.replace("_", " "), *(short(one["spent"][unit]) for one in told)]
    names = dict.fromkeys(name for one in told for name in one["importances"] or ())
    for name in names:
        shares = ((one["importances"] or {}).get(name) for one in told)
        yield [
            f"importance of {name}",
            *("-" if share is None else f"{share:.0%}" for share in shares),
        ]


def _best(best: Mapping[str, Any] | None) -> str:
    return "-" if best is None else f"{score(best['value'])} by {best['trial']}"


def _interval(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "-"
    if found["low"] is None:
        return score(found["mean"])
    return f"{score(found['mean'])} ({score(found['low'])} to {score(found['high'])})"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count) or "none"


def _value(value: Any) -> str:
    text = short(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _warnings(same: Mapping[str, bool]) -> Iterator[str]:
    if not same["objective"]:
        yield "They are ranked by different objectives: their values cannot be compared."
    if not same["data"]:
        yield "Their rows differ, so differences of their values are also those of the rows."
    if not same["encoder"]:
        yield "Their encoders differ."
