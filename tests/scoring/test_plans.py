"""What is fixed before the test split is read, where the winner is a refit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bertsweep import ledger
from bertsweep.checkpoints import PREDICTIONS, Predictions, predictions
from bertsweep.data import Dataset
from bertsweep.errors import InputError
from bertsweep.evaluation import Aim, Answers, temperature_for
from bertsweep.paths import SweepPaths
from bertsweep.scoring.plans import Plan, decided
from tests.cli.test_refit import PATH, REFIT, refitted

ROWS = pd.DataFrame({"text": ["a b", "b a"], "label": [0, 1]})


def plan(folder: Path, aim: str | None = None) -> Plan:
    paths = SweepPaths(folder)
    return decided(
        ledger.load(paths.ledger),
        paths,
        Dataset(splits={"validation": ROWS}, labels=(0, 1), hash="d", notes=()),
        None if aim is None else Aim.parse(aim),
        notify=lambda _: None,
        progress=None,
    )


def test_its_temperature_is_that_of_what_its_repeats_predicted(tmp_path: Path) -> None:
    folder = refitted(tmp_path)
    kept = Predictions(np.array([0, 1, 1, 0], np.int32), np.array([0.3, 0.9, 0.4, 0.6]))
    predictions.save(kept, folder / PATH / PREDICTIONS)
    opened = plan(folder).opened
    assert (opened.trial, opened.threshold) == (REFIT, 0.5)
    expected = temperature_for(kept.labels, Answers(kept.probabilities, 0.5))
    assert opened.temperature == expected != 1


def test_the_rows_it_was_trained_on_do_not_stand_in(tmp_path: Path) -> None:
    folder = refitted(tmp_path)
    assert plan(folder).opened.temperature is None
    with pytest.raises(InputError, match="holds no predictions for the validation rows"):
        plan(folder, "cost=fp:1,fn:5")
