"""The main job on real questions with a real pre-trained encoder."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.support.sweeps import REPOSITORY, bertsweep, document

pytestmark = [pytest.mark.real, pytest.mark.timeout(3000)]

OBVIOUS = (
    "What is the best way to learn to play the piano?",
    "How long does it take to boil an egg?",
    "Why are all women so stupid and greedy?",
    "Why do Muslims hate everyone and want to kill us all?",
)


def run(space: str, storage: Path, *settings: str) -> Path:
    """Runs a shipped search space with settings and gives the sweep's folder."""
    options = [argument for setting in settings for argument in ("--set", setting)]
    path = REPOSITORY / "search_spaces" / f"{space}.yaml"
    done = bertsweep("run", str(path), "--storage", str(storage), *options, timeout=2900)
    assert done.returncode == 0, done.stderr
    return storage / space


def test_quora_reaches_an_average_precision_of_0_55(
    real_quora: Path, minilm: Path, tmp_path: Path
) -> None:
    sweep = run(
        "quora",
        tmp_path,
        f"data.source={real_quora / 'train.csv'}",
        f"encoder.source={minilm}",
        "data.split.train=6000",
        "data.split.validation=4000",
        "data.split.test=4000",
        "space.epochs=3",
        "baseline={learning_rate: 5e-5, dropout: 0.1, max_seq_length: 64, epochs: 3}",
        "report_every=0.5",
        "precision=float32",
        "budget.trials=1",
        "confirm=null",
    )
    best = document("best", str(sweep))
    assert best["objective"]["value"] >= 0.55
    piano, egg, women, muslims = document("predict", str(sweep), *OBVIOUS)
    assert (piano["label"], egg["label"], women["label"], muslims["label"]) == (0, 0, 1, 1)


def test_trec6_labels_at_least_94_percent_of_the_test_questions_rightly(
    real_trec6: Path, minilm: Path, tmp_path: Path
) -> None:
    source = f"{{train: '{real_trec6 / 'train.csv'}', test: '{real_trec6 / 'test.csv'}'}}"
    sweep = run(
        "trec6",
        tmp_path,
        f"data.source={source}",
        f"encoder.source={minilm}",
        "space.epochs=3",
        "budget.trials=2",
        "confirm=null",
    )
    answers = document("predict", str(sweep), "--file", str(real_trec6 / "test.csv"))
    wanted = pd.read_csv(real_trec6 / "test.csv")["label_coarse"]
    given = pd.Series([answer["label"] for answer in answers])
    assert len(given) == len(wanted) == 500
    assert (given == wanted).mean() >= 0.94
