"""`bertsweep reproduce`."""

from __future__ import annotations

from bertsweep import api
from bertsweep.api import open_sweep
from bertsweep.cli import _progress
from bertsweep.cli._options import Address, Debug, Json, Storage, Sweep
from bertsweep.cli._output import console, print_json
from bertsweep.errors import ReproductionError

EXAMPLES = ("bertsweep reproduce quickstart", "bertsweep reproduce quora --json | jq .outcome")


def reproduce(
    sweep: Sweep,
    storage: Storage = None,
    address: Address = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Train a sweep's winner again and say whether the same comes out.

    It passes when every number is bit-equal; where packages or machine differ from sweep.lock.json,
    which is told, also when the score is within the noise of the seeds. Else it exits with 1.
    """
    out = console(stderr=as_json)
    with _progress.shown(out) as progress:
        found = api.reproduce(
            open_sweep(sweep, storage=storage),
            address=address,
            progress=progress,
            notify=lambda sentence: out.print(sentence, soft_wrap=True),
        )
    if as_json:
        print_json(found.to_plain())
    else:
        for line in found.differs:
            out.print(f"not as locked: {line}", soft_wrap=True)
        out.print(f"{found.trial} is {found.outcome}: {found.reason}", soft_wrap=True)
    if not found.passed:
        raise ReproductionError(f"{found.trial} of {found.sweep} was not reproduced")
