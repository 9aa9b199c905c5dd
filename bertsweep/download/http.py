"""Opens http(s) addresses as streams, resumed at any byte if the server supports it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bertsweep.download.transfer import Stream, TransferCutError, without_secrets
from bertsweep.errors import DownloadError

if TYPE_CHECKING:
    import requests

_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_WAIT = 60.0
"""Upper limit, in seconds, for the wait that a server asks for by Retry-After."""
_PIECE = 1 << 15
"""Bytes read at a time. An interruption loses the current piece, so a small one loses less."""


@contextmanager
def open_web(
    url: str, *, offset: int, version: str | None, timeout: tuple[float, float]
) -> Iterator[Stream]:
    """Opens `url` at byte `offset` if the file still has `version`, else at its start.

    `timeout` is (to connect, between two bytes) in seconds. Raises `TransferCutError` for transient
    failures (no connection, time-out, busy server) and `DownloadError` for permanent ones.
    """
    import requests

    shown = without_secrets(url)
    try:
        with requests.Session() as session:
            response = _get(session, url, offset, version, timeout)
            if offset and not _usable(response, offset, version):
                response.close()
                response = _get(session, url, 0, None, timeout)
            with response:
                _check(response, shown)
                yield _stream(response, offset, shown)
    except requests.exceptions.SSLError as error:
        raise DownloadError(
            f"{shown} cannot be trusted: {error}. Check the address and the clock, or set "
            "REQUESTS_CA_BUNDLE to the certificates of your network."
        ) from error
    except (requests.ConnectionError, requests.Timeout) as error:
        raise TransferCutError(f"{shown} cannot be reached: {_reason(error)}") from error
    except requests.RequestException as error:
        raise DownloadError(f"{shown} cannot be fetched: {error}. Check the address.") from error


def _get(
    session: requests.Session,
    url: str,
    offset: int,
    version: str | None,
    timeout: tuple[float, float],
) -> requests.Response:
    # identity: resuming needs byte positions of the file itself, not of a compressed transfer.
    headers = {"Accept-Encoding": "identity", "User-Agent": "bertsweep"}
    if offset and version:
        headers |= {"Range": f"bytes={offset}-", "If-Range": version}
    return session.get(url, headers=headers, stream=True, timeout=timeout)


def _usable(response: requests.Response, offset: int, version: str | None) -> bool:
    """Whether the response to a range request fits; if not, the whole file is requested."""
    if response.status_code == 206:
        start = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
        same = _version(response) in (None, version)
        return same and start is not None and int(start[1]) == offset
    return response.status_code != 416  # no bytes after `offset`: the file changed


def _check(response: requests.Response, shown: str) -> None:
    status = response.status_code
    said = f"{shown} answered {status} {response.reason or ''}".rstrip()
    if status in _PASSING:
        raise TransferCutError(said, wait=_wait(response))
    if status in (401, 403, 407):
        raise DownloadError(
            f"{said}: it wants a login or a permission. Download the file yourself and give its "
            "path, or give an address that needs no login."
        )
    if status in (404, 410):
        raise DownloadError(f"{said}: there is no such file. Check the address, or give a path.")
    if status not in (200, 206):
        raise DownloadError(f"{said}. Open the address in a browser, or download the file there.")
    if response.headers.get("Content-Type", "").partition(";")[0].strip().lower() == "text/html":
        raise DownloadError(
            f"{shown} answered with a web page, not a file. Give the address behind its download "
            "button, or download the file yourself and give its path."
        )


def _stream(response: requests.Response, offset: int, shown: str) -> Stream:
    if response.status_code != 206:
        offset = 0
    encoded = response.headers.get("Content-Encoding", "identity").lower() != "identity"
    length = response.headers.get("Content-Length", "")
    total = offset + int(length) if length.isdigit() and not encoded else None
    version = None if encoded else _version(response)
    return Stream(
        chunks=_chunks(response, shown),
        offset=offset,
        total=total,
        version=version,
    )


def _chunks(response: requests.Response, shown: str) -> Iterator[bytes]:
    import requests

    try:
        yield from response.iter_content(_PIECE)
    except requests.RequestException as error:
        raise TransferCutError(f"{shown} broke off: {_reason(error)}") from error


def _version(response: requests.Response) -> str | None:
    """Returns a strong ETag, else Last-Modified: what If-Range accepts (RFC 9110, 13.1.5)."""
    etag = response.headers.get("ETag", "")
    if etag.startswith('"'):
        return etag
    return response.headers.get("Last-Modified")


def _wait(response: requests.Response) -> float | None:
    """Returns the seconds that Retry-After asks for, in seconds or as a date; None without it."""
    from urllib3 import Retry
    from urllib3.exceptions import InvalidHeader

    asked = response.headers.get("Retry-After")
    try:
        return None if asked is None else min(Retry().parse_retry_after(asked), _LONGEST_WAIT)
    except (
        InvalidHeader,
        ValueError,
        OverflowError,
    ):  # neither a number nor a date, or one out of range
        return None


def _reason(error: BaseException) -> str:
    """Returns the cause in words, without the wrappers of requests and urllib3."""
    import requests

    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection was cut"
    text = str(error)
    for known in ("Name or service not known", "Temporary failure in name resolution"):
        if known in text:
            return "no such host, or no network"
    return "connection refused" if "Connection refused" in text else text[:200]
