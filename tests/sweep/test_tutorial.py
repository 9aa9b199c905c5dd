"""The tutorial's own path, `search_spaces/quora.yaml`, with only its two addresses changed."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path

import pandas as pd
import pytest

from bertsweep.data import builtin
from bertsweep.ledger.events import SweepStarted
from tests.support import wandbfile
from tests.support.hubmodule import tar_gz, write_hub_module
from tests.support.sweeps import REPOSITORY, bertsweep, document, events


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder; TF Hub's query behind a name is no part of the name."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Says nothing."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    folder = tmp_path / "site"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


@pytest.mark.slow
def test_a_zipped_csv_and_a_hub_module_from_addresses(
    site: tuple[str, Path], tmp_path: Path
) -> None:
    address, folder = site
    questions, targets = builtin.questions()
    qids = [f"{number:020x}" for number in range(len(questions))]
    rows = pd.DataFrame({"qid": qids, "question_text": questions, "target": targets})
    with zipfile.ZipFile(folder / "train.csv.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train.csv", rows.to_csv(index=False))
    vocabulary = resources.files("bertsweep.encoders").joinpath("tiny_vocab.txt").read_text("utf-8")
    module = write_hub_module(
        tmp_path / "module", vocabulary.splitlines(), max_position_embeddings=128
    )
    (folder / "bert").mkdir()
    (folder / "bert" / "2").write_bytes(tar_gz(module))

    changed = [f"data.source={address}/train.csv.zip", f"encoder.source={address}/bert/2"]
    done = bertsweep(
        *("run", str(REPOSITORY / "search_spaces" / "quora.yaml"), "--storage", str(tmp_path)),
        *(argument for setting in [*changed, "budget.trials=3"] for argument in ("--set", setting)),
    )
    assert done.returncode == 0, done.stderr
    sweep = tmp_path / "quora"
    (started, *_) = events(sweep)
    assert isinstance(started, SweepStarted)
    assert started.data["rows"]["train"] == len(rows) // 10
    assert started.encoder["source"] == f"{address}/bert/2"
    best = document("best", str(sweep))
    assert best["baseline"]["params"]["learning_rate"] == 2e-5
    assert best["baseline"]["params"]["max_seq_length"] == 128
    (answer,) = document("predict", str(sweep), "Where can I buy soup?")
    assert answer["label"] in (0, 1)
    # The tutorial's jobs, up to the .h5 as a versioned artifact.
    runs = {wandbfile.run_info(path)["job_type"]: path for path in wandbfile.run_files(sweep)}
    assert set(runs) == {"data", "train", "confirm", "sweep", "evaluate", "save"}
    (model,) = wandbfile.artifacts(runs["save"], "model")
    assert (model["name"], model["aliases"]) == ("quora-model", {"best", "latest"})
    _, kept = model["files"]["keras/model.h5"]
    assert kept.read_bytes() == (sweep / "export" / "keras" / "model.h5").read_bytes()
