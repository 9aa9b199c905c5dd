"""Unpacking a tar.gz that was fetched from somewhere, without trusting it."""

from __future__ import annotations

import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from bertsweep.errors import EncoderError

MAX_BYTES = 20 * 10**9
"""An encoder that unpacks to more is refused; the largest BERT has 1.4 GB."""

MAX_MEMBERS = 10_000


def unpack(archive: Path, folder: Path, *, max_bytes: int = MAX_BYTES) -> None:
    """Writes the files of a tar.gz under `folder`.

    Only plain files and folders inside it are written: a member that is a link or device, or whose
    name leads out, makes it all refused. Raises `EncoderError`.
    """
    try:
        with tarfile.open(archive, "r:gz") as tar:
            left = max_bytes
            for count, member in enumerate(tar, start=1):
                left -= member.size
                if left < 0 or count > MAX_MEMBERS:
                    raise EncoderError(
                        f"{archive.name} must unpack to at most {max_bytes / 1e9:g} GB in "
                        f"{MAX_MEMBERS} files, but holds more. Check the address."
                    )
                _write(tar, member, folder, archive.name)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise EncoderError(
            f"{archive.name} must be a whole tar.gz, but cannot be unpacked "
            f"({type(error).__name__}: {error}). Check that the address gives a TF Hub module; "
            "a page for browsers is not one."
        ) from error


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, where: str) -> None:
    name = PurePosixPath(member.name)
    escapes = name.is_absolute() or ".." in name.parts or "\\" in member.name
    if escapes or not (member.isreg() or member.isdir()):
        kind = "leads out of its folder" if escapes else "is a link or a device"
        raise EncoderError(
            f"{where} must hold plain files only, but {member.name!r} {kind}. "
            "Do not use this archive."
        )
    target = folder.joinpath(*name.parts)
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    content = tar.extractfile(member)
    if content is None:
        raise EncoderError(f"{where}: {member.name!r} cannot be read. Fetch it again.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with content, target.open("xb") as file:
        shutil.copyfileobj(content, file)
