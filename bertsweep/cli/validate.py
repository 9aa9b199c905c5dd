"""`bertsweep validate`."""

from __future__ import annotations

from bertsweep.cli._options import Debug, Json, Settings, SpecFile
from bertsweep.cli._output import console, print_json, short, table
from bertsweep.cli._summary import encoder_lines, points, positive_class, ranked_by, recipe, summary
from bertsweep.spec import load

EXAMPLES = (
    "bertsweep validate search_spaces/quora.yaml",
    "bertsweep validate search_spaces/quora.yaml --set space.dropout='[0.1, 0.3]'",
)


def validate(
    file: SpecFile, settings: Settings = None, as_json: Json = False, debug: Debug = False
) -> None:
    """Check a search space file and say what it would search; reads nothing but the file."""
    spec = load(file, overrides=settings or ())
    document = summary(spec, file)
    if as_json:
        print_json(document)
        return
    out = console()
    size = points(document["space"]["points"])
    out.print(f"{file} is valid: sweep {document['name']}, {spec.bounds.told()} of {size}")
    out.print(ranked_by(spec))
    out.print(positive_class(spec))
    for line in encoder_lines(spec):
        out.print(line, soft_wrap=True)
    out.print(recipe(spec))
    rows = [
        (p["name"], p["kind"], p["values"], short(document["baseline"].get(p["name"])), p["when"])
        for p in document["space"]["parameters"]
    ]
    out.print(table(("parameter", "kind", "values", "baseline", "when"), rows))
    for warning in document["warnings"]:
        out.print(f"warning: {warning}", style="yellow")
    out.print(f"next: bertsweep run {file}")
