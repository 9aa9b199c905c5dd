"""Plain values → `SweepFile`: keys, types and bounds, each fault in words of its own."""

from __future__ import annotations

import copy
from typing import Any

from pydantic import ValidationError

from bertsweep.spec.document import Document, KeyPath
from bertsweep.spec.models import SweepFile
from bertsweep.spec.problems import Problems

_START = "Start from a copy of search_spaces/quickstart.yaml."


def structure(document: Document, problems: Problems) -> SweepFile | None:
    """The file as a model, faults problems; each faulty value is replaced by its default.

    Thus what spans several keys can still be checked. None where not even that is possible.
    """
    plain = document.plain
    if not isinstance(plain, dict):
        from bertsweep.spec.words import show

        rule = f"a search space file must be a mapping of sections, but got {show(plain)}"
        problems.add((), rule, _START)
        return None
    try:
        return SweepFile.model_validate(plain)
    except ValidationError as error:
        from bertsweep.spec.structure_faults import report

        faulty = report(error, plain, problems)
    mended = copy.deepcopy(plain)
    for path in sorted(faulty, key=len, reverse=True):
        _mend(mended, path)
    try:
        return SweepFile.model_validate(mended)
    except ValidationError:  # faults hid others: those told so far come first
        return None


def _mend(plain: dict[str, Any], path: KeyPath) -> None:
    """Removes the value at `path`, or puts an example there where one is required."""
    from bertsweep.spec.schema import schema_at

    whole = next((i for i, part in enumerate(path) if isinstance(part, int)), len(path))
    path = path[:whole]
    here: Any = plain
    for part in path[:-1]:
        here = here.get(part) if isinstance(here, dict) else None
    if not isinstance(here, dict) or not path:
        return
    here.pop(path[-1], None)
    schema = schema_at(path)
    if schema is not None and "examples" in schema:
        here[path[-1]] = copy.deepcopy(schema["examples"][0])
