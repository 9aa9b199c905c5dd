"""`bertsweep best`."""

from __future__ import annotations

from bertsweep.api import open_sweep
from bertsweep.cli import _documents
from bertsweep.cli._options import Debug, Json, Storage, Sweep
from bertsweep.cli._output import console, print_json, warn
from bertsweep.cli._sweeping import fronted, sureness
from bertsweep.cli._tables import comparison, decision

EXAMPLES = ("bertsweep best quickstart", "bertsweep best quickstart --json | jq -r .checkpoint")


def best(
    sweep: Sweep, storage: Storage = None, as_json: Json = False, debug: Debug = False
) -> None:
    """Name the best trial of a sweep, with its checkpoint, next to the baseline."""
    document = _documents.best(open_sweep(sweep, storage=storage), notify=warn)
    if as_json:
        print_json(document)
        return
    out = console()
    out.print(comparison(document))
    for line in decision(document):
        out.print(line)
    fronted(document["front"], out)
    sureness(document, out)
    out.print(f"checkpoint: {document['checkpoint']}")
    out.print(f'next: bertsweep predict {sweep} "a text to label"')
