"""A web server on loopback that speaks the protocol of the Hugging Face Hub for one model."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

MODEL, COMMIT = "someone/tiny-bert", "0123456789abcdef0123456789abcdef01234567"


@dataclass
class ModelHub:
    """The files of `folder` (and some that no encoder needs), and the paths that were asked for."""

    folder: Path
    address: str = ""
    asked: list[str] = field(default_factory=list)

    @classmethod
    @contextlib.contextmanager
    def serving(cls, folder: Path) -> Iterator[ModelHub]:
        for name in ("README.md", "pytorch_model.bin"):
            (folder / name).write_text("not needed")
        hub = cls(folder)
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
        hub.address = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield hub
        finally:
            server.shutdown()
            server.server_close()


def _handler(hub: ModelHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            hub.asked.append(self.path)
            self._answer()

        def do_HEAD(self) -> None:
            self._answer()

        def _answer(self) -> None:
            path = self.path.partition("?")[0]
            names = sorted(file.name for file in hub.folder.iterdir())
            if path.startswith(f"/api/models/{MODEL}/revision/"):
                told = {"id": MODEL, "sha": COMMIT, "siblings": [{"rfilename": n} for n in names]}
                self._send(json.dumps(told).encode(), "application/json")
            elif path.startswith(f"/api/models/{MODEL}/tree/"):
                files = [hub.folder / name for name in names]
                tree = [
                    {"type": "file", "path": f.name, "size": f.stat().st_size, "oid": _tag(f)}
                    for f in files
                ]
                self._send(json.dumps(tree).encode(), "application/json")
            elif path.startswith(f"/{MODEL}/resolve/") and path.rpartition("/")[2] in names:
                file = hub.folder / path.rpartition("/")[2]
                self._send(file.read_bytes(), "application/octet-stream", tag=_tag(file))
            else:
                self.send_response(404)
                self.send_header("X-Error-Code", "RepoNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()

        def _send(self, body: bytes, kind: str, *, tag: str | None = None) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Repo-Commit", COMMIT)
            if tag is not None:
                self.send_header("ETag", f'"{tag}"')
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _tag(file: Path) -> str:
    return hashlib.sha1(file.read_bytes(), usedforsecurity=False).hexdigest()
