"""`bertsweep dashboard`: the real dashboard serves the mirrored study until Ctrl-C."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from bertsweep.direction import Direction
from bertsweep.ledger import Ledger
from bertsweep.pareto import Goal
from bertsweep.paths import SweepPaths
from bertsweep.search.mirror import StudyMirror
from tests.support import clisweeps
from tests.support.clisweeps import METRIC, cli
from tests.support.trials import small_spec


def test_the_study_is_served_until_ctrl_c(tmp_path: Path) -> None:
    clisweeps.finished_sweep(tmp_path, "demo")
    paths = SweepPaths(tmp_path / "demo")
    mirror = StudyMirror(
        f"sqlite:///{paths.study}",
        study="demo",
        space=small_spec().space,
        goals=[Goal(METRIC, Direction.of("max"))],
        warn=print,
    )
    ledger = Ledger(paths.ledger, subscribers=[mirror.handle])
    ledger.close()
    mirror.close()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "bertsweep", "dashboard", "demo", "--port", str(port)]
    served = subprocess.Popen([*command, "--storage", str(tmp_path)], start_new_session=True)
    try:
        assert [one["study_name"] for one in studies(port)] == ["demo"]
        second = cli("dashboard", "demo", "--port", port, "--storage", tmp_path)
        assert second.code == 2
        assert "--port gives another" in second.err
    finally:
        served.send_signal(signal.SIGINT)
        assert served.wait(30) == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)), "nothing serves any more"


def studies(port: int) -> list[dict[str, str]]:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/studies") as answer:
                found: list[dict[str, str]] = json.load(answer)["study_summaries"]
                return found
        except urllib.error.URLError:
            time.sleep(0.1)
    raise TimeoutError("the dashboard does not answer")


def test_a_sweep_without_a_study_is_told_in_words(tmp_path: Path) -> None:
    clisweeps.finished_sweep(tmp_path, "demo")
    done = cli("dashboard", "demo", "--storage", tmp_path)
    assert done.code == 2
    assert "has no study yet" in done.err
