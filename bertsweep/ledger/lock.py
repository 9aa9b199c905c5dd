"""One writer a ledger: a lock on the file, or beside it where the file system knows no locks."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
from pathlib import Path
from typing import IO

_UNKNOWN = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
"""What file systems without locks (some network and bucket mounts) answer to `flock`."""


class Locked(Exception):
    """Another process writes the file; `str()` says which, where that is known."""


class WriterLock:
    """Held from its making until `release`, or until the process ends.

    Where `flock` is not supported, a file `NAME.lock` beside the ledger holds host and process of
    the writer; one that a dead process of this host left behind is taken over.
    """

    def __init__(self, file: IO[bytes], path: Path) -> None:
        """Raises `Locked`."""
        self._beside: Path | None = None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _UNKNOWN:
                raise Locked("") from error
            self._beside = _lock_file(path)
            _take(self._beside)

    def release(self) -> None:
        """Removes what stands beside the file; `flock` itself ends with the open file."""
        if self._beside is not None:
            self._beside.unlink(missing_ok=True)


def is_locked(path: Path) -> bool:
    """Whether a process writes the ledger at `path`; True where that cannot be found out."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _UNKNOWN:
            holder = _holder(_lock_file(path))
            return holder is not None and not _is_dead(*holder)
        return True
    return False


def _lock_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def _take(path: Path) -> None:
    for _ in range(2):
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            holder = _holder(path)
            if holder is None or not _is_dead(*holder):
                raise Locked(f"host {holder[0]}, process {holder[1]}" if holder else "") from None
            path.unlink(missing_ok=True)
            continue
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{socket.gethostname()} {os.getpid()}\n")
        return
    raise Locked("")


def _holder(path: Path) -> tuple[str, int] | None:
    with contextlib.suppress(OSError, ValueError):
        host, process = path.read_text(encoding="utf-8").split()
        return host, int(process)
    return None


def _is_dead(host: str, process: int) -> bool:
    """Whether the process is surely gone; of another host nobody here can tell."""
    if host != socket.gethostname():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def describe(error: Locked) -> str:
    """` (host …, process …)` for a message, empty where that is not known."""
    return f" ({error})" if str(error) else ""
