"""Ray, started quietly or joined, and how many trials fit on it."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Iterator
from typing import Any

from bertsweep.errors import ClusterError, InputError
from bertsweep.spec.models import Resources
from bertsweep.sweep.share import Share, share_out
from bertsweep.system import LIGHT_TENSORFLOW

_QUIET = {
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    # A worker that cannot get warm: its trial says so.
    "RAY_IGNORE_UNHANDLED_ERRORS": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    # An actor without GPUs must not see every GPU of its node.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",
}
_WORKERS = {**LIGHT_TENSORFLOW, "TF_ENABLE_ONEDNN_OPTS": "1"}
_KNOCK_SECONDS = 10.0
_AUTHENTICATION = "RAY_AUTH_MODE"


@contextlib.contextmanager
def started(address: str | None) -> Iterator[None]:
    """Ray, for as long as the context lasts: a cluster at `address` or RAY_ADDRESS, else local.

    Raises `InputError` for an address that cannot work and `ClusterError` when Ray does not come.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    import ray

    authentication = os.environ.get(_AUTHENTICATION)
    address = address or os.environ.get("RAY_ADDRESS") or None
    if address is not None and address.startswith("ray://"):
        raise InputError(
            f"a Ray client address cannot run a sweep, but got {address!r}. Run the command on the "
            "cluster: `ray job submit -- bertsweep run …`, or give the head's HOST:6379."
        )
    # Without an address Ray would join whatever `ray start` last left a note of, dead or alive.
    local = {"address": "local", "include_dashboard": False}
    options: dict[str, Any] = {"address": address} if address else local
    try:
        if address:
            _knock(address)
        ray.init(
            **options,
            configure_logging=True,
            logging_level=logging.ERROR,
            log_to_driver=False,
            runtime_env={"env_vars": _WORKERS},
        )
    except Exception as error:  # of an overloaded machine Ray raises just that
        where = f"the cluster at {address}" if address else "a local Ray"
        first = (str(error).strip().splitlines() or [""])[0]
        raise ClusterError(
            f"{where} could not be reached or started ({type(error).__name__}: {first}). "
            "`ray status` says if a cluster runs, `bertsweep doctor` what this machine has; on a "
            "busy one Ray may not start in time: try again. A cluster that was started with a "
            "token wants RAY_AUTH_MODE=token here too."
        ) from error
    # Tune would print failures that the ledger and the terminal tell in their own words.
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        ray.shutdown()
        _set_back(authentication)


def _knock(address: str) -> None:
    """Raises `OSError` where nobody listens: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK_SECONDS).close()


def _set_back(authentication: str | None) -> None:
    """A local Ray asks its clients for a token, and leaves that behind for whatever comes next."""
    if authentication is None:
        os.environ.pop(_AUTHENTICATION, None)
    else:
        os.environ[_AUTHENTICATION] = authentication


def share(resources: Resources) -> Share:
    """Returns what each trial receives on the Ray that runs; see `share_out`."""
    import ray

    return share_out(resources, [node["Resources"] for node in ray.nodes() if node["Alive"]])
