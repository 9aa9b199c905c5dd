"""What any address gives a download: an open stream and the version of the file behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from bertsweep.errors import DownloadError


@dataclass(frozen=True)
class Stream:
    """An open transfer.

    `chunks` begin at byte `offset` of the file; `total` is the size of the whole file where the
    server says it; `version` tells this version of the file from others and is None where the
    server does not say, in which case a cut transfer starts over.
    """

    chunks: Iterator[bytes]
    offset: int
    total: int | None
    version: str | None


class TransferCutError(DownloadError):
    """The transfer broke off for a reason that may pass; `wait` is what the server asks for, s."""

    def __init__(self, message: str, *, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


def without_secrets(url: str) -> str:
    """The address for messages and files: no password, no query (which may hold a signature).

    A path stays as it is.
    """
    if "://" not in url:
        return url
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
