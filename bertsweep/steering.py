"""Requests to a running sweep: files in its folder, taken by the command that runs it.

A request is one small JSON file, put into `SWEEP/requests` whole. The running command looks there
once a second, does what is asked or refuses it, writes that into the ledger as `sweep_steered`, and
removes the file. So a request needs no address, works through a shared folder, and is on record.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from typing import Any

from msgspec import DecodeError, Struct, ValidationError, to_builtins
from msgspec.json import decode, encode
from msgspec.structs import replace

from bertsweep import atomic
from bertsweep.errors import EnvironmentFault
from bertsweep.paths import SweepPaths


class Request(Struct, frozen=True, kw_only=True, tag_field="kind"):
    """Base of all. `id` names the request in its file and in the ledger."""

    id: str = ""

    def to_plain(self) -> dict[str, Any]:
        """The request as JSON values, for the ledger."""
        plain: dict[str, Any] = to_builtins(self)
        return plain


class StopTrial(Request, frozen=True, kw_only=True, tag="stop_trial"):
    """The trial is to end at its next report."""

    trial: str


class AddPoint(Request, frozen=True, kw_only=True, tag="add_point"):
    """A point of the space that is to be the next trial."""

    point: dict[str, Any]


class SetBounds(Request, frozen=True, kw_only=True, tag="set_bounds"):
    """New values of keys of `budget`."""

    bounds: dict[str, int | float]


class SetConcurrent(Request, frozen=True, kw_only=True, tag="set_concurrent"):
    """At most so many trials at once, until the command that runs the sweep ends."""

    concurrent: int


class Pause(Request, frozen=True, kw_only=True, tag="pause"):
    """The command is to stop cleanly, as after Ctrl-C."""


Asked = StopTrial | AddPoint | SetBounds | SetConcurrent | Pause


def ask(paths: SweepPaths, request: Asked) -> str:
    """Leaves a request for the command that runs the sweep; returns its id.

    Raises `EnvironmentFault` where the folder cannot be written.
    """
    # Requests are taken in the order in which they were asked.
    name = f"{time.time_ns():020d}-{secrets.token_hex(3)}"
    try:
        paths.requests.mkdir(mode=0o700, exist_ok=True)
        atomic.write_file(paths.requests / f"{name}.json", encode(request))
    except OSError as error:
        raise EnvironmentFault(f"{paths.requests} cannot be written: {error.strerror}") from error
    return name


def pending(paths: SweepPaths) -> Iterator[Asked]:
    """The requests that nobody took yet, in order; what is none is removed."""
    if not paths.requests.is_dir():
        return
    for path in sorted(paths.requests.glob("*.json")):
        try:
            request = decode(path.read_bytes(), type=Asked)
        except FileNotFoundError:
            continue
        except (DecodeError, ValidationError):
            path.unlink(missing_ok=True)
            continue
        yield replace(request, id=path.stem)


def forget(paths: SweepPaths, request: Asked) -> None:
    """Removes a request that the ledger has."""
    (paths.requests / f"{request.id}.json").unlink(missing_ok=True)
