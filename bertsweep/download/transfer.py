"""The open transfer of a file from an address, and the version of that file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from bertsweep.errors import DownloadError


@dataclass(frozen=True)
class Stream:
    """An open transfer.

    `chunks` start at byte `offset` of the file; `total` is the size of the whole file, None if
    unknown. `version` identifies the version of the file; if the server states none, it is None and
    an interrupted transfer starts over.
    """

    chunks: Iterator[bytes]
    offset: int
    total: int | None
    version: str | None


class TransferCutError(DownloadError):
    """The transfer was interrupted for a transient reason; `wait`: seconds the server asks for."""

    def __init__(self, message: str, *, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


def without_secrets(url: str) -> str:
    """Returns an address without password and query (a signature); a path as it is."""
    if "://" not in url:
        return url
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
