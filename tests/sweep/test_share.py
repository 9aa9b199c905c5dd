"""What trials receive of clusters whose nodes differ: a pure function of the nodes' resources."""

from __future__ import annotations

from typing import Any

import pytest

from bertsweep.errors import ClusterError, InputError
from bertsweep.spec.models import Resources
from bertsweep.sweep.share import Node, Share, share_out


def node(cpus: float, gpus: float = 0.0) -> Node:
    """As Ray tells of a node: kinds that it lacks are left out, others are there."""
    counted = {"CPU": cpus, "GPU": gpus, "memory": 4e9, "node:10.0.0.1": 1.0}
    return {kind: amount for kind, amount in counted.items() if amount}


LAPTOP = [node(2)]
WORKSTATION = [node(16, 2)]
HEAD_WITHOUT_GPUS = [node(64), node(8, 4), node(8, 4)]
UNEQUAL_GPUS = [node(64, 8), node(16, 4), node(16, 4)]
IDLE_HEAD = [node(0), node(8, 4)]

AUTO: list[tuple[list[Node], Share]] = [
    (LAPTOP, Share(cpus=2, gpus=0, concurrent=1)),
    ([node(1)], Share(cpus=1, gpus=0, concurrent=1)),
    ([node(8)], Share(cpus=4, gpus=0, concurrent=2)),
    ([node(5)], Share(cpus=4, gpus=0, concurrent=1)),
    ([node(6)], Share(cpus=3, gpus=0, concurrent=2)),
    ([node(64), node(2)], Share(cpus=4, gpus=0, concurrent=16)),
    ([node(4), *[node(3)] * 10], Share(cpus=3, gpus=0, concurrent=11)),
    (WORKSTATION, Share(cpus=8, gpus=1, concurrent=2)),
    ([node(8, 3)], Share(cpus=2, gpus=1, concurrent=3)),
    ([node(2, 4)], Share(cpus=0.5, gpus=1, concurrent=4)),
    ([node(2, 3)], Share(cpus=0.66, gpus=1, concurrent=3)),
    (HEAD_WITHOUT_GPUS, Share(cpus=2, gpus=1, concurrent=8)),
    (UNEQUAL_GPUS, Share(cpus=4, gpus=1, concurrent=16)),
    (IDLE_HEAD, Share(cpus=2, gpus=1, concurrent=4)),
    ([node(0, 2), node(8, 4)], Share(cpus=2, gpus=1, concurrent=4)),
]


@pytest.mark.parametrize(("nodes", "expected"), AUTO)
def test_auto_uses_every_gpu_and_most_cores(nodes: list[Node], expected: Share) -> None:
    assert share_out(Resources(), nodes) == expected
    assert share_out(Resources(), nodes[::-1]) == expected


WISHES: list[tuple[list[Node], dict[str, Any], Share]] = [
    (WORKSTATION, {"gpus_per_trial": 2.0}, Share(cpus=16, gpus=2, concurrent=1)),
    (WORKSTATION, {"gpus_per_trial": 0.5}, Share(cpus=4, gpus=0.5, concurrent=4)),
    (WORKSTATION, {"gpus_per_trial": 0.5, "concurrent": 3}, Share(4, 0.5, 3)),
    (WORKSTATION, {"gpus_per_trial": 0.0}, Share(cpus=4, gpus=0, concurrent=4)),
    (WORKSTATION, {"cpus_per_trial": 12.0}, Share(cpus=12, gpus=1, concurrent=1)),
    # Two trials of 0.4 share a GPU, and a fifth does not live on what is left of both.
    (WORKSTATION, {"gpus_per_trial": 0.4}, Share(cpus=4, gpus=0.4, concurrent=4)),
    ([node(9, 1)], {"gpus_per_trial": 0.33}, Share(cpus=3, gpus=0.33, concurrent=3)),
    # Nodes with one GPU take no trials of two, and do not count in what these receive.
    ([node(4, 1), node(32, 4)], {"gpus_per_trial": 2.0}, Share(cpus=16, gpus=2, concurrent=2)),
    (HEAD_WITHOUT_GPUS, {"gpus_per_trial": 0.0}, Share(cpus=4, gpus=0, concurrent=20)),
    (HEAD_WITHOUT_GPUS, {"cpus_per_trial": 4.0}, Share(cpus=4, gpus=1, concurrent=4)),
    (UNEQUAL_GPUS, {"concurrent": 5}, Share(cpus=4, gpus=1, concurrent=5)),
    (UNEQUAL_GPUS, {"concurrent": 99}, Share(cpus=4, gpus=1, concurrent=16)),
]


@pytest.mark.parametrize(("nodes", "wish", "expected"), WISHES)
def test_wishes_are_met_node_by_node(
    nodes: list[Node], wish: dict[str, Any], expected: Share
) -> None:
    assert share_out(Resources.model_validate(wish), nodes) == expected


@pytest.mark.parametrize(("nodes", "expected"), AUTO)
def test_a_share_never_exceeds_what_a_node_has(nodes: list[Node], expected: Share) -> None:
    """Adds the trials up again, node by node, in a way of its own."""
    placed = 0
    for resources in nodes:
        cpus, gpus = resources.get("CPU", 0.0), resources.get("GPU", 0.0)
        while cpus >= expected.cpus and gpus >= expected.gpus:
            cpus, gpus, placed = cpus - expected.cpus, gpus - expected.gpus, placed + 1
    assert placed == expected.concurrent


REFUSED: list[tuple[list[Node], dict[str, Any], str, str]] = [
    (
        HEAD_WITHOUT_GPUS,
        {"cpus_per_trial": 32.0},
        "32 CPUs and 1 GPU on one node, but the nearest of 3 nodes has 8 CPUs and 4 GPUs.",
        "Set resources.cpus_per_trial to 8 or less.",
    ),
    (
        UNEQUAL_GPUS,
        {"gpus_per_trial": 12.0, "cpus_per_trial": 2.0},
        "2 CPUs and 12 GPUs on one node, but the nearest of 3 nodes has 64 CPUs and 8 GPUs.",
        "Set resources.gpus_per_trial to 8 or less.",
    ),
    (
        [node(4, 1), node(8, 2)],
        {"gpus_per_trial": 3.0, "cpus_per_trial": 9.0},
        "9 CPUs and 3 GPUs on one node, but the nearest of 2 nodes has 8 CPUs and 2 GPUs.",
        "Set resources.cpus_per_trial to 8 or less and resources.gpus_per_trial to 2 or less.",
    ),
    (
        LAPTOP,
        {"gpus_per_trial": 1.0},
        "1 CPU and 1 GPU on one node, but the only node has 2 CPUs and 0 GPUs.",
        "Set resources.gpus_per_trial to 0, or add nodes with GPUs.",
    ),
    (
        [node(0, 2)],
        {},
        "1 CPU and 1 GPU on one node, but the only node has 0 CPUs and 2 GPUs.",
        "Add nodes with CPUs: `ray start` gives a node none under `--num-cpus=0`.",
    ),
    (
        [node(0)],
        {},
        "4 CPUs and 0 GPUs on one node, but the only node has 0 CPUs and 0 GPUs.",
        "Add nodes with CPUs: `ray start` gives a node none under `--num-cpus=0`.",
    ),
]


@pytest.mark.parametrize(("nodes", "wish", "rule", "remedy"), REFUSED)
def test_a_wish_that_no_node_can_meet_is_told_with_the_nearest(
    nodes: list[Node], wish: dict[str, Any], rule: str, remedy: str
) -> None:
    with pytest.raises(InputError) as refused:
        share_out(Resources.model_validate(wish), nodes)
    assert str(refused.value) == f"resources: a trial needs {rule} {remedy}"


def test_a_cluster_without_nodes_is_said() -> None:
    with pytest.raises(ClusterError, match="ray status"):
        share_out(Resources(), [])
