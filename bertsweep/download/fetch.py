"""Downloads files into the cache: once, resumed after interruptions, never partially visible."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from bertsweep import atomic
from bertsweep.download.http import open_web
from bertsweep.download.object_store import open_object
from bertsweep.download.transfer import Stream, TransferCutError, without_secrets
from bertsweep.errors import DownloadError
from bertsweep.progress import Progress

_OPENERS = {
    "http": open_web,
    "https": open_web,
    "s3": open_object,
    "s3a": open_object,
    "gs": open_object,
    "gcs": open_object,
}
SCHEMES = tuple(_OPENERS)
"""The schemes that `fetch` supports."""

_PROGRESS = 1 << 16
_LONGEST_PAUSE = 30.0


def fetch(
    url: str,
    *,
    cache: Path,
    progress: Progress | None = None,
    attempts: int = 5,
    pause: float = 1.0,
    timeout: tuple[float, float] = (10.0, 60.0),
) -> Path:
    """Returns the path of the file at `url`, downloaded into `cache` unless already there.

    An interrupted transfer is resumed, in this call and in later ones, if the server confirms that
    the file is unchanged; otherwise it starts over. After `attempts` consecutive attempts without
    progress it fails; they are `pause` seconds apart, doubling, or as the server asks. The file
    appears only once it is complete. `timeout` is (to connect, between two bytes) in seconds.

    Raises `DownloadError` with a remedy, and `MissingPackageError` for an s3 or gs address whose
    package is not installed.
    """
    if urlsplit(url).scheme.lower() not in _OPENERS:
        raise DownloadError(
            f"an address begins with one of {', '.join(SCHEMES)}, but got "
            f"{without_secrets(url)!r}. Give such an address, or a path."
        )
    place = _Place.of(url, cache)
    if place.is_whole():
        return place.file
    try:
        place.folder.mkdir(parents=True, exist_ok=True)
        with _locked(place.folder / "lock"):
            if not place.is_whole():
                _insist(url, place, progress, attempts, pause, timeout)
    except OSError as error:
        raise DownloadError(
            f"{without_secrets(url)} cannot be written to {place.folder} ({error.strerror}). "
            "Free space there, or set BERTSWEEP_CACHE to another folder."
        ) from error
    return place.file


@dataclass(frozen=True)
class _Place:
    """The folder of one address in the cache."""

    folder: Path
    name: str

    @classmethod
    def of(cls, url: str, cache: Path) -> _Place:
        last = unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2]
        name = re.sub(r"[^\w.\- ]", "_", last).lstrip(".")[-100:] or "file"
        key = hashlib.sha256(url.encode()).hexdigest()[:20]
        return cls(cache / "downloads" / key, name)

    @property
    def file(self) -> Path:
        return self.folder / self.name

    @property
    def part(self) -> Path:
        return self.folder / f"{self.name}.part"

    @property
    def about(self) -> Path:
        """Holds size and version of the file, or the version that the partial file belongs to."""
        return self.folder / "about.json"

    def is_whole(self) -> bool:
        """Whether the file exists with the size it had when its download ended."""
        return self.file.is_file() and self.read().get("size") == self.file.stat().st_size

    def resumable(self) -> tuple[int, str | None]:
        """Returns the bytes already there and their version; (0, None) to start over."""
        version = self.read().get("version")
        if not isinstance(version, str) or not self.part.is_file():
            return 0, None
        return self.part.stat().st_size, version

    def read(self) -> dict[str, object]:
        try:
            return dict(json.loads(self.about.read_text("utf-8")))
        except (OSError, ValueError):
            return {}

    def write(self, **about: object) -> None:
        atomic.write_file(self.about, json.dumps(about))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Admits one process at a time, unless the file system has no locks."""
    with path.open("w") as handle:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _insist(
    url: str,
    place: _Place,
    progress: Progress | None,
    attempts: int,
    pause: float,
    timeout: tuple[float, float],
) -> None:
    """Repeats a transfer until it is complete; progress resets the number of attempts."""
    from urllib3 import Retry
    from urllib3.exceptions import MaxRetryError

    every = Retry(total=attempts - 1, backoff_factor=pause, backoff_max=_LONGEST_PAUSE)
    left, furthest = every, place.resumable()[0]
    while True:
        try:
            _attempt(url, place, progress, timeout)
            return
        except TransferCutError as cut:
            there = place.resumable()[0]
            if there >= furthest + _PROGRESS:
                left = every
            else:
                try:
                    left = left.increment(error=cut)
                except MaxRetryError:
                    raise DownloadError(_gave_up(str(cut), attempts, there)) from cut
            furthest = max(furthest, there)
            wait = max(pause, left.get_backoff_time()) if cut.wait is None else cut.wait
        time.sleep(wait)


def _attempt(
    url: str, place: _Place, progress: Progress | None, timeout: tuple[float, float]
) -> None:
    offset, version = place.resumable()
    opener = _OPENERS[urlsplit(url).scheme.lower()]
    with opener(url, offset=offset, version=version, timeout=timeout) as stream:
        shown = without_secrets(url)
        _check_room(stream, place, shown)
        place.write(version=stream.version, address=shown)
        with place.part.open("ab" if stream.offset else "wb") as part:
            done = _copy(stream, part, place.name, progress)
        if stream.total is not None and done != stream.total:
            if done > stream.total:
                place.part.unlink()
            raise TransferCutError(f"{shown} broke off: {done:,} of {stream.total:,} bytes came")
        place.write(version=stream.version, address=shown, size=done)
        place.part.replace(place.file)


def _copy(stream: Stream, part: BinaryIO, name: str, progress: Progress | None) -> int:
    done = stream.offset
    for chunk in stream.chunks:
        part.write(chunk)
        done += len(chunk)
        if progress is not None:
            progress(f"downloading {name}", done, stream.total)
    part.flush()
    os.fsync(part.fileno())
    return done


def _check_room(stream: Stream, place: _Place, shown: str) -> None:
    if stream.total is None:
        return
    free = shutil.disk_usage(place.folder).free
    if stream.total - stream.offset > free:
        raise DownloadError(
            f"{shown} has {stream.total:,} bytes, but only {free:,} are free in {place.folder}. "
            "Free space there, or set BERTSWEEP_CACHE to another folder."
        )


def _gave_up(cut: str, attempts: int, there: int) -> str:
    kept = (
        f" The {there:,} bytes that came are kept and the download goes on from them."
        if there
        else ""
    )
    return (
        f"{cut}. Gave up after {attempts} attempt{'s' * (attempts > 1)} in a row.{kept} Run the "
        "command again, or download the file yourself and give its path."
    )
