"""The folder of a new sweep, reserved before anything takes time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from bertsweep.errors import EnvironmentFault, InputError
from bertsweep.ledger import Ledger
from bertsweep.paths import SweepPaths


@contextlib.contextmanager
def new_sweep(storage: Path, default: str, name: str | None) -> Iterator[tuple[SweepPaths, Ledger]]:
    """A folder of its own under `storage`, and its locked ledger, which holds no event yet.

    It is called `name`, or `default` with a number where that is taken. Making the folder is the
    reservation: of two commands at once one makes it. What is left without a first event, because
    the preparation failed, is removed again.

    Raises `InputError` for a name that was asked for and is taken or cannot be one, and
    `EnvironmentFault` where the storage cannot be written.
    """
    there = storage.exists()
    paths, ledger = _reserved(storage, default, name)
    try:
        yield paths, ledger
    finally:
        begun = ledger.begun
        ledger.close()
        if not begun:
            with contextlib.suppress(OSError):
                paths.ledger.unlink()
                paths.folder.rmdir()
                if not there:
                    storage.rmdir()


def _reserved(storage: Path, default: str, name: str | None) -> tuple[SweepPaths, Ledger]:
    if name is not None and (not name or Path(name).name != name or name.startswith(".")):
        raise InputError(f"--name must be a plain folder name, but got {name!r}.")
    number = 1
    while True:
        called = name or (default if number == 1 else f"{default}-{number}")
        paths = SweepPaths(storage / called)
        try:
            if _make(paths):
                return paths, Ledger(paths.ledger)
        except OSError as error:
            raise EnvironmentFault(
                f"{paths.folder} cannot be made ({error.strerror or error}). Give --storage a "
                "folder you can write to."
            ) from error
        if name is not None:
            raise InputError(
                f"{paths.folder} is there already. `bertsweep resume {name}` goes on with it; "
                "another --name starts a new sweep."
            )
        number += 1


def _make(paths: SweepPaths) -> bool:
    """Whether the folder is this command's now."""
    paths.folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        paths.folder.mkdir()
    except FileExistsError:
        return _take_over(paths)
    return True


def _take_over(paths: SweepPaths) -> bool:
    """Whether an existing folder holds no more than what a killed preparation left behind."""
    try:
        inside = list(paths.folder.iterdir())
        if inside != [paths.ledger] or paths.ledger.stat().st_size:
            return False
        Ledger(paths.ledger).close()
    except (OSError, InputError):  # being written, or no folder
        return False
    return True
