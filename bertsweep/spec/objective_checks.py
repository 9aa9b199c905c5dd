"""Rules of the objectives, of `prefer`, and of what the search can do with several of them."""

from __future__ import annotations

from collections.abc import Sequence

from bertsweep.costs import COSTS
from bertsweep.metrics import AUTO, METRICS, Mode, mode_of
from bertsweep.space import Space
from bertsweep.spec.document import KeyPath
from bertsweep.spec.hyperparameters import ENCODER
from bertsweep.spec.models import Objective, SweepFile
from bertsweep.spec.problems import Problems
from bertsweep.spec.words import nearest, quoted

PREFIX = "val_"
_CURVES = ("val_average_precision", "val_roc_auc")
"""Metrics that any threshold goes with."""


def read_objectives(
    file: SweepFile, space: Space, problems: Problems
) -> Objective | tuple[Objective, ...]:
    """The objectives with their modes settled, in the form that they have in the file.

    They are metrics that trials report, all different; the first is a score of validation rows.
    """
    listed, every = isinstance(file.objective, tuple), file.objectives()
    paths: list[KeyPath] = [
        ("objective", i) if listed else ("objective",) for i in range(len(every))
    ]
    for place, (section, path) in enumerate(zip(every, paths, strict=True)):
        _objective(section, path, problems, first=place == 0)
    _repeated(every, paths, problems)
    _several(file, every, problems)
    _constant(every, paths, space, problems)
    if problems.broken(("objective",)):
        return file.objective
    settled = tuple(one.model_copy(update={"mode": _mode(one.metric)}) for one in every)
    return settled if listed else settled[0]


def _objective(section: Objective, path: KeyPath, problems: Problems, *, first: bool) -> None:
    """A metric that is reported, the direction in which it improves, a threshold that fits it."""
    metric: KeyPath = (*path, "metric")
    scores = [PREFIX + name for name in METRICS]
    valid = scores if first else [*scores, *COSTS]
    if first and section.metric in COSTS:
        rule = (
            f"the first objective must be a score of the validation rows, but got {section.metric}"
        )
        advice = "Type a list: first for example `metric: val_average_precision`, then "
        problems.add(metric, rule, f"{advice}`metric: {section.metric}`.")
        return
    if section.metric not in valid:
        rule = f"the metric must be one that trials report, but got {section.metric}"
        bare = section.metric.removeprefix(PREFIX).removeprefix("val/")
        close = nearest(section.metric, valid) or nearest(PREFIX + bare, valid)
        advice = f"Did you mean `{close[0]}`?" if close else f"Type one of {quoted(valid)}."
        problems.add(metric, rule, advice)
        return
    right = _mode(section.metric)
    if section.mode not in ("auto", right):
        rule = f"`mode: {right}` must hold for {section.metric}, but got {section.mode}"
        problems.add((*path, "mode"), rule, "Leave `mode` out.", needs=[metric])
    if first:
        _threshold(section, path, problems)
    elif section.threshold != AUTO:
        rule = f"`threshold` belongs to the first objective, but {section.metric} has one"
        problems.add((*path, "threshold"), rule, "Leave it out here.")


def _threshold(section: Objective, path: KeyPath, problems: Problems) -> None:
    """Where the metric scores labels, the threshold at which it does, and no other.

    `best` would otherwise report what the labels of `predict` do not reach.
    """
    own, stated = METRICS[section.metric.removeprefix(PREFIX)].threshold, section.threshold
    if own is None or stated in (AUTO, own):
        return
    rule = f"`threshold: {own}` must hold for {section.metric}, which scores labels made that way, "
    rule += f"but got {stated}"
    fitting = [f"{PREFIX}{m.name}" for m in METRICS.values() if m.threshold == stated]
    better = " or ".join(f"`metric: {name}`" for name in fitting or _CURVES)
    advice = f"Leave `threshold` out, or type {better}."
    problems.add((*path, "threshold"), rule, advice, needs=[(*path, "metric")])


def _repeated(every: Sequence[Objective], paths: Sequence[KeyPath], problems: Problems) -> None:
    seen: set[str] = set()
    for one, path in zip(every, paths, strict=True):
        if one.metric in seen:
            rule = f"objectives must differ, but got {one.metric} twice"
            problems.add((*path, "metric"), rule, "Delete one of the two.")
        seen.add(one.metric)


def _several(file: SweepFile, every: Sequence[Objective], problems: Problems) -> None:
    """What goes with several objectives alone, and what with one alone."""
    kind = file.search.sampler.kind
    if len(every) > 1 and kind == "cmaes":
        rule = f"`cmaes` moves towards one objective, but got {len(every)}"
        advice = "Type `tpe`, `gp` or `random`, or a single objective."
        problems.add(("search", "sampler", "kind"), rule, advice, needs=[("objective",)])
    if len(every) == 1 and file.prefer != "best_first":
        problems.warn(("prefer",), "it has no effect with one objective", needs=[("objective",)])


def _constant(
    every: Sequence[Objective], paths: Sequence[KeyPath], space: Space, problems: Problems
) -> None:
    """Says which cost is the same for all trials of the space."""
    searched = {parameter.name for parameter in space.searched}
    for one, path in zip(every, paths, strict=True):
        follows = COSTS[one.metric].follows if one.metric in COSTS else None
        if follows is None or searched & set(follows):
            continue
        follows = tuple(name for name in follows if name in space or name != ENCODER)
        why = f"only {quoted(follows)} changes it" if follows else "no parameter changes it"
        text = f"{one.metric} is the same for all trials: {why}"
        problems.warn((*path, "metric"), text, needs=[("space",)])


def _mode(metric: str) -> Mode:
    return "min" if metric in COSTS else mode_of(metric)
