"""Several encoders with names: what may be called so, and who chooses among them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bertsweep.space import Space
from bertsweep.spec import checks
from bertsweep.spec.document import KeyPath
from bertsweep.spec.hyperparameters import ENCODER, ENCODER_NAME, Hyperparameters
from bertsweep.spec.models import Encoder, SweepFile
from bertsweep.spec.problems import Problems
from bertsweep.spec.words import nearest, quoted


def named(section: Encoder | Mapping[str, Encoder]) -> dict[str, Encoder]:
    """Every encoder by its name; the only one of a file without names has none ("")."""
    return {"": section} if isinstance(section, Encoder) else dict(section)


def check_encoders(section: Encoder | Mapping[str, Encoder], problems: Problems) -> None:
    """Names that are names, each with addresses of a known kind."""
    if isinstance(section, Encoder):
        checks.encoder(section, ("encoder",), problems)
        return
    for name, encoder in section.items():
        path: KeyPath = ("encoder", name)
        if re.fullmatch(ENCODER_NAME, name) is None:
            rule = "the name of an encoder must be letters, digits, dots, dashes and underscores, "
            rule += f"the first a letter or digit, but got {name!r}"
            problems.add(path, rule, "Type for example `large`.")
        checks.encoder(encoder, path, problems)


def with_encoders(file: SweepFile) -> Mapping[str, Any]:
    """The entries of `space`; where encoders have names, with a choice of all of them."""
    if isinstance(file.encoder, Encoder) or ENCODER in file.space:
        return file.space
    names = [name for name in file.encoder if re.fullmatch(ENCODER_NAME, name)]
    return {ENCODER: names, **file.space} if names else file.space


def check_choice(
    file: SweepFile, space: Space, baseline: Hyperparameters | None, problems: Problems
) -> None:
    """Every trial has an encoder, and it is one of those with a name."""
    path: KeyPath = ("space", ENCODER)
    if ENCODER in space:
        if space[ENCODER].when:
            rule = "`encoder` must always have a value, but got a condition on it"
            advice = "Give the condition to the others: `when: {encoder: large}`."
            problems.add((*path, "when"), rule, advice)
        for value in space[ENCODER].domain.grid() or ():
            _known(str(value), file, path, problems)
    if baseline is not None and baseline.encoder and ENCODER in file.baseline:
        _known(baseline.encoder, file, ("baseline", ENCODER), problems)


def _known(name: str, file: SweepFile, path: KeyPath, problems: Problems) -> None:
    if isinstance(file.encoder, Encoder):
        rule = f"`encoder` chooses among encoders that have names, but got {name} and one encoder"
        advice = f"Give it a name, `encoder: {{{name}: {{source: …}}}}`, or leave this out."
        problems.add(path, rule, advice, needs=[("encoder",)])
    elif name not in file.encoder:
        rule = f"`encoder` must be one of {', '.join(file.encoder)}, but got {name}"
        close = nearest(name, file.encoder)
        advice = f"Did you mean {quoted(close[:1])}?" if close else f"Type {quoted(file.encoder)}."
        problems.add(path, rule, advice, needs=[("encoder",)])
