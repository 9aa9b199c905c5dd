"""A point of a space as one types it: `learning_rate=3e-5,dropout=0.1`."""

from __future__ import annotations

from bertsweep.errors import Problem, SpecError
from bertsweep.space import Point
from bertsweep.spec.document import read
from bertsweep.spec.named_points import projected, read_warm_start
from bertsweep.spec.problems import Problems
from bertsweep.spec.sweep_spec import SweepSpec


def point_in_words(spec: SweepSpec, text: str) -> Point:
    """The point in a text of NAME=VALUE, separated by commas; what is left out is the baseline's.

    Raises `SpecError` for what is no point of the space.
    """
    source = f"point {text}"
    document, faults = read("{" + text.replace("=", ": ") + "}")
    problems = Problems(document)
    problems.take(faults)
    given = document.plain
    if not faults and (not isinstance(given, dict) or not given or None in given.values()):
        rule = f"a point is NAME=VALUE, separated by commas, but got {text!r}"
        problems.take([Problem((), None, rule, "Type for example learning_rate=3e-5,dropout=0.1.")])
    problems.raise_any(source)
    complete = {**projected(spec.space, spec.baseline), **given}
    point = read_warm_start(0, complete, spec.space, problems)
    problems.raise_any(source)
    if point is None:
        raise SpecError(source, [Problem((), None, "it could not be read")])
    return point
