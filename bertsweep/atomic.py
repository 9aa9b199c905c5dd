"""Files and folders that are whole or absent, at whatever moment their writer dies.

Each is written under the name of a draft beside its place, then renamed into the place, which is
one step on every file system. The name of a draft holds host and process of its writer, so that
whoever writes a draft in the same folder later recognises those of dead writers and removes them.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import re
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

_DRAFT = re.compile(r"\..*~(?P<host>[^~]+)~(?P<process>\d+)~[0-9a-f]+")
_LONGEST_SECONDS = 24 * 3600.0
"""No draft is written for longer than this: older ones of other hosts have no writer any more."""


def write_file(path: Path, content: str | bytes) -> None:
    """Writes a file, in place of the one that may be there, and returns once it is on disk.

    Drafts of dead writers in its folder are removed first.
    """
    data = content.encode() if isinstance(content, str) else content
    remove_drafts(path.parent)
    draft = _draft_name(path.parent, path.name)
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    to_disk(path.parent)


@contextlib.contextmanager
def draft_file(path: Path) -> Iterator[Path]:
    """The name of a draft to be written, which takes the place of `path` at the end of the block.

    Where the block ends with an exception, the draft is removed and `path` is as it was. Drafts of
    dead writers in its folder are removed first.
    """
    remove_drafts(path.parent)
    draft = _draft_name(path.parent, path.name)
    try:
        yield draft
        to_disk(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    to_disk(path.parent)


@contextlib.contextmanager
def draft_folder(parent: Path, name: str, *, mode: int = 0o777) -> Iterator[Path]:
    """An empty folder in `parent` to be filled, and published as `name` where that is wanted.

    What is left of it at the end of the block is removed. Drafts of dead writers in `parent` are
    removed first; `parent` is made where it does not exist, with the same `mode`.
    """
    parent.mkdir(mode=mode, parents=True, exist_ok=True)
    remove_drafts(parent)
    draft = _draft_name(parent, name)
    draft.mkdir(mode=mode)
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def publish(draft: Path, target: Path) -> bool:
    """Renames a folder that is not empty to `target`; False where another one is there already.

    The first writer wins on every file system, as no rename puts a folder in the place of one that
    is not empty. Whoever wants to replace a folder removes that first.
    """
    try:
        draft.rename(target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    to_disk(target.parent)
    return True


def remove(folder: Path) -> None:
    """Removes a folder in two steps: nobody finds it half removed under its own name.

    A folder that cannot be removed stays, since to lack room for it later is the lesser evil.
    """
    aside = _draft_name(folder.parent, folder.name)
    with contextlib.suppress(OSError):
        folder.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)


def remove_drafts(parent: Path, *, of_the_living: bool = False) -> None:
    """Removes the drafts in `parent` whose writer died; with `of_the_living` all the others too.

    A writer on this host is dead when its process is, one on another host after a day.
    """
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        drafts = [Path(entry) for entry in entries if _DRAFT.fullmatch(entry.name)]
        for draft in drafts:
            if of_the_living or _is_dead(draft):
                shutil.rmtree(draft, ignore_errors=True)
                with contextlib.suppress(OSError):
                    draft.unlink(missing_ok=True)


def to_disk(path: Path) -> None:
    """Returns once a file, or the list of names in a folder, is on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        # Some network file systems refuse it for folders, and can do no better.
        if not path.is_dir():
            raise
    finally:
        os.close(descriptor)


def _draft_name(parent: Path, name: str) -> Path:
    return parent / f".{name}~{_host()}~{os.getpid()}~{secrets.token_hex(4)}"


def _is_dead(draft: Path) -> bool:
    match = _DRAFT.fullmatch(draft.name)
    if match is None:
        return False
    if match["host"] == _host():
        return not _runs(int(match["process"]))
    try:
        return time.time() - draft.stat().st_mtime > _LONGEST_SECONDS
    except OSError:
        return False


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@functools.cache
def _host() -> str:
    """What process numbers are counted in: this machine, or this container of it."""
    name = re.sub(r"[^\w.-]", "_", socket.gethostname())
    try:
        # Like "pid:[4026531836]": containers may share the host's name.
        counted_in = re.sub(r"\D", "", os.readlink("/proc/self/ns/pid"))
    except OSError:
        return name
    return f"{name}.{counted_in}"
