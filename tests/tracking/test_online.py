"""Online runs, against a server on loopback that answers what wandb asks W&B."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bertsweep.ledger import Ledger
from bertsweep.ledger.events import TrialFailed, TrialFinished, TrialStopped
from bertsweep.tracking import process
from tests.support import wandbfile
from tests.support.trackedsweep import GROUP, UID, begin, report, run_trial, tracker


@dataclass
class Server:
    """Accepts runs; `silent` makes it take requests and never answer, as a dead network does."""

    queries: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    streams: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    uploads: dict[str, bytes] = field(default_factory=dict)
    silent: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def answer(self, path: str, body: bytes, address: str) -> dict[str, Any]:
        if path == "/graphql":
            query = json.loads(body)
            operation, values = query.get("operationName"), query.get("variables") or {}
            self.queries.append((operation, values))
            return {"data": _data(operation, values, address)}
        if path.endswith("/file_stream"):
            self.streams.append((path, json.loads(body)))
        else:
            self.uploads[path] = body
        return {}

    def asked(self, operation: str) -> list[dict[str, Any]]:
        return [values for name, values in self.queries if name == operation]

    def history(self, run_id: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for path, content in self.streams:
            lines = content.get("files", {}).get("wandb-history.jsonl", {}).get("content", [])
            rows += [json.loads(line) for line in lines if f"/{run_id}/" in path]
        return rows


def _data(operation: str, values: dict[str, Any], address: str) -> dict[str, Any]:
    project = {"id": "p", "name": values.get("project"), "entity": {"id": "e", "name": "team"}}
    if operation == "RunResumeStatus":
        return {"model": None}
    if operation == "UpsertBucket":
        bucket = {"id": "b", "name": values["name"], "displayName": values["displayName"]}
        bucket |= {"config": "{}", "project": project, "historyLineCount": 0}
        return {"upsertBucket": {"bucket": bucket, "inserted": True}}
    if operation == "CreateRunFiles":
        files = [{"name": name, "uploadUrl": f"{address}/{name}"} for name in values["files"]]
        return {"createRunFiles": {"runID": "b", "uploadHeaders": [], "files": files}}
    return {}


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            if server.silent.is_set():
                server.ended.wait(60)
                self.close_connection = True
                return
            address = f"http://{self.headers['host']}"
            answer = json.dumps(server.answer(self.path, body, address)).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_PUT = do_GET = do_POST  # noqa: N815

        def log_message(self, *args: object) -> None:
            pass

    return Handler


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    import wandb

    wandb.teardown()
    server = Server()
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    threading.Thread(target=http.serve_forever, daemon=True).start()
    monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{http.server_port}")
    monkeypatch.setenv("WANDB_API_KEY", "5ecre7" * 7)
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setattr(process, "INIT_TIMEOUT", 3.0)
    monkeypatch.setattr(process, "FINISH_TIMEOUT", 2.0)
    yield server
    server.ended.set()
    wandb.teardown()
    http.shutdown()
    http.server_close()


def test_with_a_key_runs_go_online_under_the_same_id_for_good(
    tmp_path: Path, server: Server
) -> None:
    warnings: list[str] = []
    tracking = tracker(tmp_path, warnings=warnings, mode="auto", entity="team")
    ledger = Ledger(tmp_path / "ledger.jsonl", subscribers=[tracking.handle])
    begin(ledger)
    run_trial(ledger, "t0000", [0.5, 0.8, 0.6])
    ledger.append(TrialStopped(trial="t0000", reason="rung 1"))
    tracking.close()

    assert warnings == []
    run_id = f"{UID}-t0000"
    resumed = server.asked("RunResumeStatus")[0]
    assert (resumed["project"], resumed["entity"], resumed["name"]) == ("tests", "team", run_id)
    opened = server.asked("UpsertBucket")[0]
    assert (opened["groupName"], opened["jobType"], opened["name"]) == (GROUP, "train", run_id)
    assert json.loads(opened["config"])["data_hash"] == {"value": "data-hash"}
    rows = server.history(run_id)
    assert [(row["epoch"], row["val_f1"]) for row in rows] == [(0.25, 0.5), (0.5, 0.8), (0.75, 0.6)]
    summary = json.loads(server.uploads["/wandb-summary.json"])
    assert (summary["val_f1"], summary["best_epoch"], summary["status"]) == (0.8, 0.5, "stopped")


def test_an_outage_in_the_middle_loses_nothing_and_holds_up_little(
    tmp_path: Path, server: Server
) -> None:
    warnings: list[str] = []
    tracking = tracker(tmp_path, warnings=warnings, mode="online")
    ledger = Ledger(tmp_path / "ledger.jsonl", subscribers=[tracking.handle])
    begin(ledger)
    for trial in ("t0000", "t0001", "t0002"):
        run_trial(ledger, trial, [0.5])
    deadline = time.monotonic() + 20
    while len(server.asked("UpsertBucket")) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    server.silent.set()
    for trial in ("t0000", "t0001", "t0002"):
        report(ledger, trial, 2, f1=0.7)
        ledger.append(TrialFinished(trial=trial))
    run_trial(ledger, "t0003", [0.4])
    ledger.append(TrialFailed(trial="t0003", error="the loss is not finite"))
    begun = time.monotonic()
    tracking.close()
    assert time.monotonic() - begun < 10

    (warning,) = warnings
    assert f"`wandb sync --include-online {tmp_path}/wandb/*run-*`" in warning
    logged: dict[str, list[int]] = {}
    status: dict[str, str] = {}
    for path in wandbfile.run_files(tmp_path):
        trial = path.stem.rpartition("-")[2]
        logged.setdefault(trial, []).extend(row["_step"] for row in wandbfile.history(path))
        status[trial] = wandbfile.run_info(path)["summary"]["status"]
    assert logged == {"t0000": [1, 2], "t0001": [1, 2], "t0002": [1, 2], "t0003": [1]}
    assert status == {
        "t0000": "finished",
        "t0001": "finished",
        "t0002": "finished",
        "t0003": "failed",
    }
