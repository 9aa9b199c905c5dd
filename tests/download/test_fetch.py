"""Downloads over a real server on loopback: once, resumed when cut, refused when hopeless."""

from __future__ import annotations

import email.utils
import json
import random
import re
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bertsweep.download.fetch import fetch
from bertsweep.download.object_store import open_object
from bertsweep.errors import DataError, DownloadError, MissingPackageError
from tests.support.datafiles import prepared, questions, rows_of

BODY = random.Random(7).randbytes(3_000_000)
PIECE = 1 << 15
FETCH = """
import sys, pathlib
from bertsweep.download.fetch import fetch
print(fetch(sys.argv[1], cache=pathlib.Path(sys.argv[2])))
"""


@dataclass
class Site:
    """What the server does with each request, and what it was asked."""

    body: bytes = BODY
    etag: str | None = '"one"'
    cuts: list[int] = field(default_factory=list)
    """Bytes after which each of the next answers breaks off."""
    statuses: list[int] = field(default_factory=list)
    """What the next requests are answered with in place of the file."""
    headers: dict[str, str] = field(default_factory=dict)
    busy_headers: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    length: bool = True
    stall: float = 0.0
    asked: list[dict[str, str]] = field(default_factory=list)
    address: str = ""


class Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        site = self.site
        site.asked.append({key.lower(): value for key, value in self.headers.items()})
        time.sleep(site.stall)
        if site.statuses:
            self.send_response(site.statuses.pop(0))
            self.finish_headers(b"sorry", site.busy_headers)
            return
        start = self.start()
        body = site.body[start:]
        about = {"ETag": site.etag} if site.etag else {}
        if start:
            about["Content-Range"] = f"bytes {start}-{len(site.body) - 1}/{len(site.body)}"
        self.send_response(206 if start else 200)
        self.finish_headers(body, about | site.headers)

    def start(self) -> int:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if not asked or not self.site.ranges or self.headers.get("If-Range") != self.site.etag:
            return 0
        return int(asked[1])

    def finish_headers(self, body: bytes, headers: dict[str, Any]) -> None:
        if self.site.length:
            self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: self.site.cuts.pop(0)] if self.site.cuts else body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is part of the tests."""


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    site = Site()
    server = Server(("127.0.0.1", 0), type("Own", (Handler,), {"site": site}))
    site.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield site
    server.shutdown()
    server.server_close()
    thread.join()


def get(site: Site, cache: Path, path: str = "/files/rows.bin", **options: Any) -> Path:
    return fetch(f"{site.address}{path}", cache=cache, **{"pause": 0.01, **options})


def begin(asked: dict[str, str]) -> int:
    """The byte that a request asked to begin with."""
    return int(asked.get("range", "bytes=0-").strip("bytes=-"))


def test_a_file_is_downloaded_once(site: Site, tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    path = get(site, tmp_path, progress=lambda *step: told.append(step))
    assert path.read_bytes() == BODY
    assert path.name == "rows.bin"
    assert get(site, tmp_path) == path
    assert len(site.asked) == 1
    assert told[-1] == ("downloading rows.bin", len(BODY), len(BODY))
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


def test_different_addresses_are_different_files(site: Site, tmp_path: Path) -> None:
    paths = {
        get(site, tmp_path, path) for path in ("/a/rows.bin", "/b/rows.bin", "/b/rows.bin?v=2")
    }
    assert len(paths) == 3


def test_a_cut_transfer_goes_on_where_it_stopped(site: Site, tmp_path: Path) -> None:
    site.cuts = [1_000_000, 1_500_000]
    assert get(site, tmp_path).read_bytes() == BODY
    first, second, third = [begin(asked) for asked in site.asked]
    assert (first, second) == (0, 1_000_000 // PIECE * PIECE)
    assert third == second + 1_500_000 // PIECE * PIECE
    assert {asked.get("if-range") for asked in site.asked[1:]} == {'"one"'}


def test_a_cut_transfer_goes_on_in_the_next_call(site: Site, tmp_path: Path) -> None:
    site.cuts = [1_000_000, 0]
    with pytest.raises(
        DownloadError,
        match=r"broke off.*Gave up after 1 attempt in a row\. The 983,040 bytes .* are kept",
    ):
        get(site, tmp_path, attempts=1, pause=0)
    assert not list(tmp_path.rglob("rows.bin"))
    assert get(site, tmp_path).read_bytes() == BODY
    assert begin(site.asked[-1]) == 1_000_000 // PIECE * PIECE


def test_headway_earns_new_attempts(site: Site, tmp_path: Path) -> None:
    site.cuts = [300_000] * 9
    assert get(site, tmp_path, attempts=2).read_bytes() == BODY


def test_a_file_that_changed_is_never_stitched_together(site: Site, tmp_path: Path) -> None:
    site.cuts = [1_000_000, 0]
    with pytest.raises(DownloadError):
        get(site, tmp_path, attempts=1)
    site.body, site.etag = BODY[::-1], '"two"'
    assert get(site, tmp_path).read_bytes() == BODY[::-1]


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_without_a_version_a_cut_transfer_starts_over(
    site: Site, tmp_path: Path, etag: str | None
) -> None:
    site.cuts, site.etag = [1_000_000], etag
    assert get(site, tmp_path).read_bytes() == BODY
    assert [asked.get("range") for asked in site.asked] == [None, None]


def test_a_server_without_ranges_is_read_from_the_start(site: Site, tmp_path: Path) -> None:
    site.cuts, site.ranges = [1_000_000], False
    assert get(site, tmp_path).read_bytes() == BODY


def test_the_date_of_change_will_do_as_a_version(site: Site, tmp_path: Path) -> None:
    date = "Wed, 01 May 2024 10:00:00 GMT"
    site.cuts, site.etag, site.headers = [1_000_000], None, {"Last-Modified": date}
    assert get(site, tmp_path).read_bytes() == BODY
    assert site.asked[1]["if-range"] == date


def test_a_part_longer_than_the_file_is_fetched_anew(site: Site, tmp_path: Path) -> None:
    site.cuts = [1_000_000, 0]
    with pytest.raises(DownloadError):
        get(site, tmp_path, attempts=1)
    (part,) = tmp_path.rglob("*.part")
    part.write_bytes(BODY)
    site.statuses = [416]
    assert get(site, tmp_path).read_bytes() == BODY


def test_a_file_without_a_length_is_taken_whole(site: Site, tmp_path: Path) -> None:
    site.length = False
    assert get(site, tmp_path).read_bytes() == BODY


def test_a_file_that_shrank_in_the_cache_is_fetched_anew(site: Site, tmp_path: Path) -> None:
    path = get(site, tmp_path)
    path.write_bytes(BODY[:100])
    assert get(site, tmp_path).read_bytes() == BODY


def test_a_busy_server_is_asked_again(site: Site, tmp_path: Path) -> None:
    site.statuses = [503, 429, 500]
    assert get(site, tmp_path).read_bytes() == BODY


@pytest.mark.parametrize(
    ("asked", "least"),
    [
        ("1", 1.0),
        ("date", 1.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
        ("soon", 0.0),
        ("9" * 5_000, 0.0),
    ],
)
def test_a_busy_server_says_when_to_come_again(
    site: Site, tmp_path: Path, asked: str, least: float
) -> None:
    site.statuses = [503]
    soon = email.utils.formatdate(time.time() + 2, usegmt=True)  # whole seconds, rounded down
    site.busy_headers = {"Retry-After": soon if asked == "date" else asked}
    begun = time.monotonic()
    assert get(site, tmp_path).read_bytes() == BODY
    assert least <= time.monotonic() - begun < least + 2


def test_a_busy_server_is_given_up_in_the_end(site: Site, tmp_path: Path) -> None:
    site.statuses = [503] * 9
    with pytest.raises(
        DownloadError, match=r"answered 503 .*Gave up after 3 attempts in a row\. Run the"
    ):
        get(site, tmp_path, attempts=3)
    assert len(site.asked) == 3


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (404, r"/rows\.bin answered 404 Not Found: there is no such file\. Check the address"),
        (403, r"answered 403 Forbidden: it wants a login or a permission\. Download the file"),
        (401, r"answered 401 Unauthorized: it wants a login"),
        (418, r"answered 418"),
    ],
)
def test_what_will_not_pass_is_said_at_once(
    site: Site, tmp_path: Path, status: int, said: str
) -> None:
    site.statuses = [status] * 9
    with pytest.raises(DownloadError, match=said):
        get(site, tmp_path)
    assert len(site.asked) == 1


def test_a_web_page_is_no_data(site: Site, tmp_path: Path) -> None:
    site.headers = {"Content-Type": "text/html; charset=utf-8"}
    with pytest.raises(DownloadError, match=r"a web page, not a file\. Give the address behind"):
        get(site, tmp_path)
    assert not list(tmp_path.rglob("rows.bin"))


def test_a_silent_server_runs_into_the_time_out(site: Site, tmp_path: Path) -> None:
    site.stall = 0.6
    with pytest.raises(DownloadError, match=r"cannot be reached: no answer in time\. Gave up"):
        get(site, tmp_path, attempts=2, timeout=(0.2, 0.2))


def test_nobody_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(DownloadError, match=r"cannot be reached: connection refused\. Gave up"):
        fetch("http://127.0.0.1:9/rows.csv", cache=tmp_path, attempts=2, pause=0.01)


def test_a_full_disk_is_named(site: Site, tmp_path: Path) -> None:
    (tmp_path / "downloads").write_text("a file where a folder should be")
    with pytest.raises(DownloadError, match=r"cannot be written to .*BERTSWEEP_CACHE"):
        get(site, tmp_path)


def test_a_file_larger_than_the_disk_is_refused_before_it_comes(site: Site, tmp_path: Path) -> None:
    site.length, site.headers = False, {"Content-Length": str(10**16)}
    with pytest.raises(DownloadError, match=r"has 10,000,000,000,000,000 bytes, but only .* free"):
        get(site, tmp_path)


def test_no_secret_of_an_address_is_shown_or_written(site: Site, tmp_path: Path) -> None:
    address = site.address.replace("//", "//me:secret@")
    fetch(f"{address}/rows.bin?signature=hidden", cache=tmp_path)
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*.json"))
    assert json.loads(written)["address"] == f"{site.address}/rows.bin"
    site.statuses = [404]
    with pytest.raises(DownloadError) as error:
        fetch(f"{address}/other.bin?signature=hidden", cache=tmp_path)
    assert "secret" not in str(error.value)
    assert "hidden" not in str(error.value)


def test_a_name_cannot_leave_the_cache(site: Site, tmp_path: Path) -> None:
    path = get(site, tmp_path / "cache", "/a/..%2f..%2f..%2fevil")
    assert tmp_path / "cache" / "downloads" in path.parents
    assert ".." not in path.parts


def test_two_processes_download_once(site: Site, tmp_path: Path) -> None:
    site.stall = 0.3
    command = [sys.executable, "-c", FETCH, f"{site.address}/rows.bin", str(tmp_path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    paths = {process.communicate(timeout=60)[0].strip() for process in running}
    assert [Path(path).read_bytes() == BODY for path in paths] == [True]
    assert len(site.asked) == 1


def test_a_zip_from_an_address_becomes_a_dataset(site: Site, tmp_path: Path) -> None:
    frame = questions(40)
    with zipfile.ZipFile(tmp_path / "train.csv.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train.csv", frame.to_csv(index=False))
    site.body = (tmp_path / "train.csv.zip").read_bytes()
    dataset = prepared(tmp_path, f"{site.address}/train.csv.zip")
    assert rows_of(dataset) == set(zip(frame["text"], frame["label"], strict=True))
    site.body = b"\xff\n"
    with pytest.raises(DataError, match=rf"but {re.escape(site.address)}/rows\.csv holds the byte"):
        prepared(tmp_path, f"{site.address}/rows.csv?key=hidden")


@pytest.mark.parametrize(("address", "package"), [("s3://b/x.csv", "s3fs"), ("gs://b/x", "gcsfs")])
def test_a_missing_package_is_named(tmp_path: Path, address: str, package: str) -> None:
    try:
        __import__(package)
    except ImportError:
        with pytest.raises(
            MissingPackageError, match=rf"needs the package {package}.*`pip install {package}`"
        ):
            prepared(tmp_path, address)
    else:
        pytest.skip(f"{package} is installed")


def test_objects_go_on_where_they_stopped_unless_they_changed() -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe("/bucket/rows.csv", BODY)
    address = "memory://bucket/rows.csv"
    timeout = (1.0, 1.0)
    with open_object(address, offset=0, version=None, timeout=timeout) as stream:
        assert b"".join(stream.chunks) == BODY
        assert (stream.offset, stream.total) == (0, len(BODY))
        version = stream.version
    with open_object(address, offset=1_000, version=version, timeout=timeout) as stream:
        assert b"".join(stream.chunks) == BODY[1_000:]
        assert stream.offset == 1_000
    with open_object(address, offset=1_000, version="etag=other", timeout=timeout) as stream:
        assert stream.offset == 0
    with (
        pytest.raises(DownloadError, match=r"bucket/none\.csv does not exist\. Check the address"),
        open_object("memory://bucket/none.csv", offset=0, version=None, timeout=timeout),
    ):
        pass


def test_an_address_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"begins with one of http, https, s3, .*'ftp://x/y'"):
        fetch("ftp://x/y", cache=tmp_path)
