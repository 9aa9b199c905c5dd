"""Unpacks a downloaded tar.gz without trusting it."""

from __future__ import annotations

import tarfile
import zlib
from pathlib import Path

from bertsweep.errors import EncoderError

MAX_BYTES = 20 * 10**9
"""Limit of an unpacked encoder; the largest BERT has 1.4 GB."""

MAX_MEMBERS = 10_000


def unpack(archive: Path, folder: Path, *, max_bytes: int = MAX_BYTES) -> None:
    """Extracts the files of a tar.gz into `folder`.

    Names and permissions pass through tarfile's `data` filter (PEP 706). It admits links within the
    folder, which no encoder needs: an archive with a link, a device or a name that leads outside is
    refused. Raises `EncoderError`.
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
                tar.extract(_checked(member, folder, archive.name), folder, filter="data")
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise EncoderError(
            f"{archive.name} must be a whole tar.gz, but cannot be unpacked "
            f"({type(error).__name__}: {error}). Check that the address serves a TF Hub module; "
            "a page for browsers is not one."
        ) from error


def _checked(member: tarfile.TarInfo, folder: Path, where: str) -> tarfile.TarInfo:
    """Returns the member if it is a plain file or folder inside; otherwise `EncoderError`."""
    try:
        outside = tarfile.data_filter(member, str(folder)).name != member.name  # /a becomes a
    except tarfile.FilterError:
        outside = True
    if outside or not (member.isreg() or member.isdir()):
        kind = "is a link or a device" if not (member.isreg() or member.isdir()) else "leads out"
        raise EncoderError(
            f"{where} must hold plain files inside its folder only, but {member.name!r} {kind}. "
            "Do not use this archive."
        )
    return member
