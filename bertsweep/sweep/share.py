"""How the resources of a cluster's nodes are shared out among trials that run at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bertsweep.budget import Bounds
from bertsweep.errors import ClusterError, InputError
from bertsweep.spec.models import Resources

Node = Mapping[str, float]
"""A node's resources as Ray counts them: "CPU", "GPU" and others, those it lacks left out."""

_CPUS_PER_TRIAL = 4
"""Without GPUs, more cores per trial than this gain little on short texts."""
_GOOD_USE = 0.75
"""Without GPUs, `auto` is content when this share of the cores is in use."""
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Share:
    """CPUs and GPUs of each trial, and how many trials run at once."""

    cpus: float
    gpus: float
    concurrent: int


def check_counted(bounds: Bounds, share: Share) -> None:
    """Raises `InputError` where the budget counts GPUs and trials have none: it would not end."""
    if bounds.gpu_hours is not None and not share.gpus:
        raise InputError(
            "budget.gpu_hours counts the GPUs of trials, but trials have none here. Type "
            "`budget.hours` or `budget.trainings`, or give them some: resources.gpus_per_trial."
        )


def share_out(resources: Resources, nodes: Sequence[Node]) -> Share:
    """Returns what each trial receives on these nodes, `auto` settled.

    A trial runs on one node, so everything is computed per node and never from a total or a maximum
    over several. `gpus_per_trial: auto` is one GPU where any node has one, else none.
    `cpus_per_trial: auto` is then what leaves no GPU idle: the smallest number of CPUs per trial
    over the nodes that have the GPUs for one. Nodes without GPUs take no trials. Where trials use
    no GPU, auto is up to four CPUs, fewer where four would leave many of the cores unused.

    Raises `InputError` when a trial fits on no node, and `ClusterError` without any node.
    """
    if not nodes:
        raise ClusterError(
            "the Ray cluster has no node that is alive. `ray status` shows its nodes."
        )
    gpus, cpus = resources.gpus_per_trial, resources.cpus_per_trial
    if gpus == "auto":
        gpus = float(any(_has(node, "GPU") >= 1 for node in nodes))
    if cpus == "auto":
        cpus = _cpus_beside_gpus(nodes, gpus) if gpus else _cpus_without_gpus(nodes)
    places = sum(_places(node, cpus, gpus) for node in nodes)
    if places < 1:
        raise InputError(_refusal(nodes, cpus, gpus))
    wanted = resources.concurrent
    return Share(cpus, gpus, places if wanted == "auto" else min(wanted, places))


def _cpus_beside_gpus(nodes: Sequence[Node], gpus: float) -> float:
    """The most CPUs per trial with which the trials use every GPU of every node."""
    shares = [
        _has(node, "CPU") / trials
        for node in nodes
        if (trials := _places_by_gpu(node, gpus)) and _has(node, "CPU")
    ]
    smallest = min(shares, default=1.0)
    # Below one, hundredths: a sum of rounded shares must not exceed what the node has.
    return float(int(smallest)) if smallest >= 1 else max(0.01, math.floor(smallest * 100) / 100)


def _cpus_without_gpus(nodes: Sequence[Node]) -> float:
    """The most whole CPUs per trial, up to four, that leave few cores idle."""
    total = sum(_has(node, "CPU") for node in nodes)
    used = {
        cpus: sum(_places(node, cpus, 0.0) * cpus for node in nodes)
        for cpus in range(_CPUS_PER_TRIAL, 0, -1)
    }
    best = max(used.values())
    return float(next(c for c, use in used.items() if use >= min(best, _GOOD_USE * total)))


def _places(node: Node, cpus: float, gpus: float) -> int:
    """Trials that fit on a node at once."""
    by_cpu = int(_has(node, "CPU") / cpus + _ROUNDING)
    return min(by_cpu, _places_by_gpu(node, gpus)) if gpus else by_cpu


def _places_by_gpu(node: Node, gpus: float) -> int:
    """Trials for which a node has the GPUs: Ray takes a fraction from one GPU, never from two."""
    whole = int(_has(node, "GPU"))
    return whole // int(gpus) if gpus >= 1 else whole * int(1 / gpus + _ROUNDING)


def _has(node: Node, kind: str) -> float:
    return node.get(kind, 0.0)


def _refusal(nodes: Sequence[Node], cpus: float, gpus: float) -> str:
    """Names the node that comes nearest to what a trial needs, and what to set instead."""

    def nearness(node: Node) -> tuple[float, float]:
        met = [min(1.0, _has(node, "CPU") / cpus)]
        met += [min(1.0, _has(node, "GPU") / gpus)] if gpus else []
        return min(met), sum(met)

    node = max(nodes, key=nearness)
    which = f"the nearest of {len(nodes)} nodes" if len(nodes) > 1 else "the only node"
    return (
        f"resources: a trial needs {_amounts(cpus, gpus)} on one node, but {which} has "
        f"{_amounts(_has(node, 'CPU'), _has(node, 'GPU'))}. {_remedy(node, cpus, gpus)}"
    )


def _remedy(nearest: Node, cpus: float, gpus: float) -> str:
    if gpus and _has(nearest, "GPU") < 1:
        return "Set resources.gpus_per_trial to 0, or add nodes with GPUs."
    if _has(nearest, "CPU") <= 0:
        return "Add nodes with CPUs: `ray start` gives a node none under `--num-cpus=0`."
    short = [
        f"resources.{kind.lower()}s_per_trial to {_has(nearest, kind):g} or less"
        for kind, needed in (("CPU", cpus), ("GPU", gpus))
        if _has(nearest, kind) < needed
    ]
    return f"Set {' and '.join(short)}."


def _amounts(cpus: float, gpus: float) -> str:
    return f"{cpus:g} CPU{'' if cpus == 1 else 's'} and {gpus:g} GPU{'' if gpus == 1 else 's'}"
