"""Unpacks a downloaded tar.gz without trusting it."""

from __future__ import annotations

import tarfile
import zlib
from pathlib import Path
from typing import Any

from bertsweep.errors import EncoderError

MAX_BYTES = 20 * 10**9
"""Limit of an unpacked encoder; the largest BERT has 1.4 GB."""

MAX_MEMBERS = 10_000

_FILTER: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
"""Python 3.11 before 3.11.4 has no filters."""


def unpack(archive: Path, folder: Path, *, max_bytes: int = MAX_BYTES) -> None:
    """Extracts the files of a tar.gz into `folder`.

    An archive with a link, a device or a name that leads outside is refused; permissions pass
    through tarfile's `data` filter (PEP 706) where Python has it. Raises `EncoderError`.
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
                tar.extract(_checked(member, folder, archive.name), folder, **_FILTER)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise EncoderError(
            f"{archive.name} must be a whole tar.gz, but cannot be unpacked "
            f"({type(error).__name__}: {error}). Check that the address serves a TF Hub module; "
            "a page for browsers is not one."
        ) from error


def _checked(member: tarfile.TarInfo, folder: Path, where: str) -> tarfile.TarInfo:
    """Returns the member if it is a plain file or folder inside; otherwise `EncoderError`."""
    inside = (folder / member.name).resolve().is_relative_to(folder.resolve())
    outside = not inside or Path(member.name).is_absolute()
    if outside or not (member.isreg() or member.isdir()):
        kind = "is a link or a device" if not (member.isreg() or member.isdir()) else "leads out"
        raise EncoderError(
            f"{where} must hold plain files inside its folder only, but {member.name!r} {kind}. "
            "Do not use this archive."
        )
    return member
