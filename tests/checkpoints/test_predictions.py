"""What checkpoints predict for the validation rows: whole, noticed when damaged, kept for good."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bertsweep import checkpoints
from bertsweep.checkpoints import PREDICTIONS, Predictions, read_predictions
from bertsweep.errors import InputError
from tests.support.checkpoints import VOCABULARY, arrays, record

TWO = Predictions(np.array([0, 1, 1], np.int32), np.array([0.1, 0.7, 0.4], np.float64))
THREE = Predictions(np.array([2, 0], np.int32), np.array([[0.1, 0.2, 0.7], [1, 0, 0]], np.float64))


def write(trial: Path, predictions: Predictions | None) -> Path:
    return checkpoints.write_best(
        trial, record(), arrays=arrays(0.5), vocabulary=VOCABULARY, predictions=predictions
    )


def equal(one: Predictions | None, other: Predictions) -> bool:
    assert one is not None
    return np.array_equal(one.labels, other.labels) and np.array_equal(
        one.probabilities, other.probabilities
    )


@pytest.mark.parametrize("predictions", [TWO, THREE])
def test_they_are_read_as_they_were_written(tmp_path: Path, predictions: Predictions) -> None:
    write(tmp_path, predictions)
    assert equal(read_predictions(tmp_path, "best-0001"), predictions)


def test_they_stay_where_the_checkpoint_goes(tmp_path: Path) -> None:
    write(tmp_path, TWO)
    checkpoints.remove_best(tmp_path, recorded="best-0001")
    assert [path.name for path in tmp_path.iterdir()] == [PREDICTIONS]
    assert equal(read_predictions(tmp_path, "best-0001"), TWO)
    checkpoints.remove_best(tmp_path, recorded="best-0001")
    assert equal(read_predictions(tmp_path, "best-0001"), TWO)


def test_damage_is_noticed_in_the_checkpoint_and_without_it(tmp_path: Path) -> None:
    folder = write(tmp_path, TWO)
    damaged = bytearray((folder / PREDICTIONS).read_bytes())
    damaged[-1] ^= 1
    (folder / PREDICTIONS).write_bytes(damaged)
    with pytest.raises(InputError, match=PREDICTIONS):
        checkpoints.Checkpoint.open(folder).verify()
    assert read_predictions(tmp_path, "best-0001") is None
    checkpoints.remove_best(tmp_path, recorded="best-0001")
    assert read_predictions(tmp_path, "best-0001") is None


def test_a_checkpoint_that_kept_none_has_none(tmp_path: Path) -> None:
    folder = write(tmp_path, None)
    checkpoints.Checkpoint.open(folder).verify()
    assert read_predictions(tmp_path, "best-0001") is None
