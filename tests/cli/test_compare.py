"""`bertsweep compare`: sweeps side by side, what mattered in each, what differs in their files."""

from __future__ import annotations

from pathlib import Path

import pytest

from bertsweep.ledger import Ledger
from bertsweep.ledger.events import (
    SweepEnded,
    SweepStarted,
    TrialFinished,
    TrialProposed,
    TrialReported,
    TrialStarted,
)
from bertsweep.seeds import derive
from bertsweep.spec import parse
from tests.cli.test_json import example, shape
from tests.support.clisweeps import METRIC, cli

FILE = """
name: demo
data: {source: "builtin:questions"}
encoder: {source: "builtin:tiny"}
space:
  learning_rate: {low: 1e-5, high: 1e-3, log: true}
  dropout: {low: 0.0, high: 0.5}
  epochs: EPOCHS
  max_seq_length: 32
"""


def sweep(storage: Path, name: str, *, trials: int = 12, epochs: int = 2, data: str = "ab") -> None:
    """A finished sweep in which the learning rate is all that matters."""
    spec = parse(FILE.replace("EPOCHS", str(epochs)), source="demo.yaml")
    folder = storage / name
    folder.mkdir(parents=True)
    ledger = Ledger(folder / "ledger.jsonl")
    ledger.append(
        SweepStarted(
            sweep=name,
            name=name,
            objective={"metric": METRIC, "mode": "max"},
            spec=spec.to_plain(),
            data={"hash": data},
            encoder={"hash": "cd"},
        )
    )
    for number in range(trials):
        trial, chance = f"t{number:04d}", derive(number, "dropout") % 1000 / 1000
        rate = 1e-5 * 100 ** (number / trials)
        point = {"learning_rate": rate, "dropout": chance / 2, "epochs": 2, "max_seq_length": 32}
        origin = "sampler" if number else "baseline"
        ledger.append(
            TrialProposed(
                trial=trial, number=number, point=point, params=point, seed=0, origin=origin
            )
        )
        ledger.append(TrialStarted(trial=trial, attempt=1))
        metrics = {METRIC: 0.5 + number / 100}
        ledger.append(
            TrialReported(trial=trial, report=1, epoch=2, examples=9, seconds=1, metrics=metrics)
        )
        ledger.append(TrialFinished(trial=trial))
    ledger.append(SweepEnded(status="finished"))
    ledger.close()


def test_the_document_is_as_described_and_what_matters_is_found(tmp_path: Path) -> None:
    sweep(tmp_path, "one")
    sweep(tmp_path, "two", epochs=3)
    printed = cli("compare", "one", "two", "--storage", tmp_path, "--json").json
    described = example("compare")
    for absent in ("confirmed", "test"):
        described["sweeps"][0][absent] = None
    assert shape(printed) == shape(described)
    assert printed["same"] == {"data": True, "encoder": True, "objective": True}
    assert printed["differences"] == {"space.epochs": [2, 3], "baseline.epochs": [2, 3]}
    shares = printed["sweeps"][0]["importances"]
    assert list(shares) == ["learning_rate", "dropout"]
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["learning_rate"] > 0.6


def test_in_a_terminal_it_says_what_cannot_be_compared(tmp_path: Path) -> None:
    sweep(tmp_path, "one")
    sweep(tmp_path, "few", trials=4, data="other")
    told = cli("compare", "one", "few", "--storage", tmp_path).out
    assert "0.6100 by t0011" in told
    assert "Their rows differ" in told
    (line,) = [line for line in told.splitlines() if "importance of learning_rate" in line]
    assert line.rstrip().endswith("-"), "four trials tell nothing"


def test_one_sweep_alone_is_refused(tmp_path: Path) -> None:
    sweep(tmp_path, "one", trials=1)
    done = cli("compare", "one", "--storage", tmp_path)
    assert done.code == 2
    assert "two sweeps or more" in done.err
