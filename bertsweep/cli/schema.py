"""`bertsweep schema`."""

from __future__ import annotations

from bertsweep.cli._options import Debug, Json
from bertsweep.cli._output import print_json

EXAMPLES = ("bertsweep schema > sweep.schema.json",)


def schema(as_json: Json = False, debug: Debug = False) -> None:
    """Print the JSON Schema of search space files.

    An editor with the YAML language server completes and checks a file that begins with
    "# yaml-language-server: $schema=sweep.schema.json". It is JSON with and without --json.
    """
    from bertsweep.spec import json_schema

    print_json(json_schema())
