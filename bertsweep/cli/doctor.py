"""`bertsweep doctor`."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from bertsweep.cli._options import Address, Debug, Json, Storage
from bertsweep.cli._output import console, print_json, table
from bertsweep.doctor import diagnose
from bertsweep.errors import EnvironmentFault
from bertsweep.paths import storage_root

EXAMPLES = ("bertsweep doctor", "bertsweep doctor --json")

_COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}


def doctor(
    storage: Storage = None,
    address: Address = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, help="Seconds that Ray and TensorFlow may take.")
    ] = 120.0,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Say what this machine has for sweeps, and what is wrong with each. Exit 3 on an error."""
    root = storage_root(storage)
    if not as_json:
        console(stderr=True).print("asking Ray and TensorFlow, some ten seconds …")
    found = diagnose(storage=root, ray_address=address, timeout=timeout)
    if as_json:
        print_json({"findings": [dataclasses.asdict(finding) for finding in found]})
    else:
        out = console()
        out.print(table(("", "", ""), [(f.topic, f.status, f.value) for f in found]))
        for finding in found:
            if finding.status != "ok":
                style = _COLOURS[finding.status]
                out.print(f"{finding.topic}: {finding.remedy}", style=style)
    if any(finding.status == "error" for finding in found):
        raise typer.Exit(EnvironmentFault.exit_code)
