"""Rules between hyperparameters, and between them and what is to become of the winner."""

from __future__ import annotations

from collections.abc import Sequence

from bertsweep.space import Scalar, Space
from bertsweep.spec.hyperparameters import Hyperparameters
from bertsweep.spec.problems import Problems
from bertsweep.spec.search_checks import largest, smallest

_POOLER = "pooled"


def check_recipe(
    space: Space, baseline: Hyperparameters, export: Sequence[str], problems: Problems
) -> None:
    """Layers that begin anew are trained, batches have their parts, and the winner its formats."""
    _reinit(space, baseline, problems)
    _accumulate(space, baseline, problems)
    if "huggingface" in export:
        _pooling(space, baseline, problems)


def _reinit(space: Space, baseline: Hyperparameters, problems: Problems) -> None:
    most, trained = largest(space, "reinit_layers"), _trained(space)
    path = ("space", "reinit_layers" if "reinit_layers" in space else "trainable_layers")
    if most > min(trained, default=most):
        rule = "`reinit_layers <= trainable_layers` must hold, as a layer that begins anew must be "
        rule += f"trained, but got {most} and {min(trained)}"
        problems.add(path, rule, f"Type at most {min(trained)}, or `trainable_layers: all`.")
        return
    layers = baseline.trainable_layers
    if not isinstance(layers, str) and baseline.reinit_layers > layers:
        rule = "`reinit_layers <= trainable_layers` must hold, as a layer that begins anew must be "
        rule += f"trained, but got {baseline.reinit_layers} and {layers}"
        problems.add(("baseline",), rule, f"Add `reinit_layers: {layers}` or fewer to it.")


def _trained(space: Space) -> list[int]:
    """The numbers that `trainable_layers` can be where layers begin anew; without "all"."""
    name = "trainable_layers"
    needed = space["reinit_layers"].when.get(name) if "reinit_layers" in space else None
    values: Sequence[Scalar | None] = (space.smallest(name),) if needed is None else needed
    return [int(value) for value in values if isinstance(value, (int, float))]


def _accumulate(space: Space, baseline: Hyperparameters, problems: Problems) -> None:
    parts, rows = largest(space, "accumulate"), smallest(space, "batch_size")
    if parts > rows:
        rule = f"`accumulate <= batch_size` must hold, but got {parts} parts of {rows} rows"
        path = ("space", "accumulate" if "accumulate" in space else "batch_size")
        problems.add(path, rule, f"Type at most {rows}, or a larger `batch_size`.")
    elif baseline.accumulate > baseline.batch_size:
        rule = "`accumulate <= batch_size` must hold, but got "
        rule += f"{baseline.accumulate} parts of {baseline.batch_size} rows"
        problems.add(("baseline",), rule, f"Add `accumulate: {baseline.batch_size}` or less to it.")


def _pooling(space: Space, baseline: Hyperparameters, problems: Problems) -> None:
    values: set[str] = {baseline.pooling}
    if "pooling" in space:
        values |= {str(value) for value in space["pooling"].domain.grid() or ()}
    others = sorted(values - {_POOLER})
    if others:
        rule = "the format huggingface needs `pooling: pooled`, as the classifiers of that library "
        rule += f"always use BERT's pooler, but a winner can have {' or '.join(others)}"
        advice = "Leave huggingface out of `export`, or set `pooling: pooled`."
        problems.add(("export",), rule, advice)
