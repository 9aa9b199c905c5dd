"""Opens s3 and gs addresses as streams, through their fsspec file systems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bertsweep.download.transfer import Stream, TransferCutError, without_secrets
from bertsweep.errors import DownloadError, MissingPackageError

_PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs"}
_PIECE = 1 << 20
_VERSION_KEYS = ("ETag", "etag", "generation", "LastModified", "mtime", "created")


@contextmanager
def open_object(
    url: str, *, offset: int, version: str | None, timeout: tuple[float, float]
) -> Iterator[Stream]:
    """Opens `url` at byte `offset` if the object still has `version`, else at its start.

    The file system takes credentials from the environment and has its own time-outs. Raises
    `MissingPackageError` naming the package for such addresses, `TransferCutError` if reading is
    interrupted, and `DownloadError` if the object cannot be opened.
    """
    import fsspec

    del timeout
    shown = without_secrets(url)
    try:
        filesystem, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        scheme = url.partition("://")[0].lower()
        package = _PACKAGES.get(scheme, f"an fsspec file system for {scheme}")
        raise MissingPackageError(
            f"{shown} needs the package {package}, which is not installed. "
            f"Type `pip install {package}`, or download the file and give its path."
        ) from error
    try:
        information = filesystem.info(path)
        handle = filesystem.open(path, "rb")
    except FileNotFoundError as error:
        raise DownloadError(
            f"{shown} does not exist. Check the address, or give the path of a file."
        ) from error
    except Exception as error:  # each file system raises its own library's errors
        raise DownloadError(
            f"{shown} cannot be opened ({type(error).__name__}: {error}). Check the address and "
            "the credentials in the environment, or download the file and give its path."
        ) from error
    with handle:
        now = _version(information)
        start = offset if now is not None and now == version else 0
        handle.seek(start)
        yield Stream(_chunks(handle, shown), start, information.get("size"), now)


def _chunks(handle: Any, shown: str) -> Iterator[bytes]:
    try:
        while chunk := handle.read(_PIECE):
            yield chunk
    except Exception as error:  # each file system raises its own library's errors
        raise TransferCutError(f"{shown} broke off: {type(error).__name__}: {error}") from error


def _version(information: Mapping[str, Any]) -> str | None:
    for key in _VERSION_KEYS:
        if information.get(key):
            return f"{key}={information[key]}"
    return None
