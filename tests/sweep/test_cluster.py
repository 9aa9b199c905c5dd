"""Ray clusters that already run, with logical GPUs: unequal nodes, and a sweep on fractions."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ray.cluster_utils import Cluster

from bertsweep import ledger
from bertsweep.errors import ClusterError, InputError
from bertsweep.ledger.events import TrialFinished, TrialStarted
from bertsweep.spec.models import Resources
from bertsweep.sweep import cluster
from bertsweep.sweep.placement import Placement
from bertsweep.sweep.share import Share
from tests.support.sweeps import bertsweep, events, write_small

RAY = Path(sys.executable).with_name("ray")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # Loopback only, and gone with the tests: without the token that every client would have to set.
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}
    command = [str(RAY), "start", "--head", f"--port={port}", "--num-cpus=4", "--num-gpus=2"]
    quiet = ["--include-dashboard=false", "--disable-usage-stats", "--node-ip-address=127.0.0.1"]
    # A process group and a folder of its own: `ray stop` would end every Ray of this machine, and a
    # note in Ray's usual folder would send other programs to this one. Sockets want short paths.
    folder = tempfile.mkdtemp(prefix="ray-")
    head = subprocess.Popen(
        [*command, *quiet, "--block", f"--temp-dir={folder}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )
    _wait_for(port)
    yield f"127.0.0.1:{port}"
    os.killpg(head.pid, signal.SIGTERM)
    head.wait(60)
    shutil.rmtree(folder, ignore_errors=True)


def _wait_for(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.2)
    raise TimeoutError(f"no Ray on port {port}")


@pytest.mark.slow
def test_every_gpu_of_unequal_nodes_takes_a_trial() -> None:
    """Real placement groups: Ray has room for all trials that are to run at once, and no more."""
    cluster_of_three = Cluster(initialize_head=True, head_node_args={"num_cpus": 16})
    try:
        cluster_of_three.add_node(num_cpus=4, num_gpus=2)
        cluster_of_three.add_node(num_cpus=3, num_gpus=1)
        with cluster.started(cluster_of_three.address):
            share = cluster.share(Resources())
            assert share == Share(cpus=2, gpus=1, concurrent=3)
            groups = [Placement(share).to_placement_group() for _ in range(share.concurrent)]
            assert all(group.wait(60) for group in groups)
            assert not Placement(share).to_placement_group().wait(1)
            with pytest.raises(InputError, match="nearest of 3 nodes has 4 CPUs and 2 GPUs"):
                cluster.share(Resources(cpus_per_trial=9.0))
    finally:
        cluster_of_three.shutdown()


@pytest.mark.slow
def test_a_sweep_runs_on_a_cluster_with_fractions_of_gpus(address: str, tmp_path: Path) -> None:
    done = bertsweep(
        *("run", str(write_small(tmp_path)), "--storage", str(tmp_path), "--address", address),
        *("--set", "resources.gpus_per_trial=0.5", "--set", "resources.concurrent=2"),
    )
    assert done.returncode == 0, done.stderr
    state = ledger.fold(events(tmp_path / "small"))
    assert {trial.status for trial in state.trials.values()} == {ledger.FINISHED}
    assert {trial.gpus for trial in state.trials.values()} == {0.5}
    running = most = 0
    for event in events(tmp_path / "small"):
        running += isinstance(event, TrialStarted)
        running -= isinstance(event, TrialFinished)
        most = max(most, running)
    assert most == 2


@pytest.mark.slow
def test_a_token_that_the_cluster_does_not_know_is_named(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    done = bertsweep(
        *("run", str(write_small(tmp_path)), "--storage", str(tmp_path), "--address", address)
    )
    assert done.returncode == 3
    assert "unset RAY_AUTH_MODE" in done.stderr


def test_a_local_ray_leaves_its_token_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    with cluster.started(None):
        pass
    assert "RAY_AUTH_MODE" not in os.environ


def test_a_ray_client_address_is_refused_with_what_to_do_instead() -> None:
    with pytest.raises(InputError, match="ray job submit"), cluster.started("ray://head:10001"):
        raise AssertionError("must not be reached")


def test_a_node_that_is_slow_to_start_is_a_cluster_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(**_: object) -> None:
        raise Exception("The current node timed out during startup.")

    monkeypatch.setattr("ray.init", slow)
    with pytest.raises(ClusterError, match=r"a local Ray could .* timed out during startup"):  # noqa: SIM117
        with cluster.started(None):
            raise AssertionError("must not be reached")


def test_an_address_where_nothing_runs_is_a_cluster_error() -> None:
    with pytest.raises(ClusterError, match=r"127\.0\.0\.1:1 .*bertsweep doctor"):  # noqa: SIM117
        with cluster.started("127.0.0.1:1"):
            raise AssertionError("must not be reached")
