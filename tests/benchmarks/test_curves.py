"""The recorded table: the same points however many, and what its summary counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks import _curve_files, curves
from bertsweep.spec.hyperparameters import Hyperparameters


def test_more_configurations_leave_the_first_as_they_were() -> None:
    some, more = curves.configurations(10), curves.configurations(70)
    assert more[:10] == some
    assert some[0] == curves.BASELINE
    assert len({tuple(values.values()) for values in more}) == 70
    for values in more:
        Hyperparameters(**curves.FIXED, **values)


def test_only_whole_seeds_are_read_and_a_divergence_is_nan(tmp_path: Path) -> None:
    labels = np.array([0, 1, 1, 0], np.int32)
    _curve_files.save(tmp_path / _curve_files.LABELS, {"validation": labels, "test": labels})
    right = np.array([[0.1, 0.9, 0.8, 0.2]], np.float32)
    for number, seed in ((0, 0), (1, 0), (0, 1)):
        kept = right if number == 0 else np.full_like(right, np.nan)
        path = tmp_path / _curve_files.name(number, seed)
        _curve_files.save(path, {"validation": kept, "test": kept})
    read = _curve_files.read(tmp_path, 2, "average_precision")
    assert read.seeds == 1
    assert read.validation[0, 0, 0] == 1.0
    assert np.isnan(read.validation[1, 0, 0])


def test_a_cut_that_takes_the_best_is_told_by_what_it_loses() -> None:
    final = np.linspace(0.5, 0.8, 31)
    values = np.stack([-final, final], axis=1)[:, None, :]  # the order turns round after a report
    told = _curve_files.summary(_curve_files.Curves(values, values), reports_per_epoch=1)
    (first,) = (line for line in told.splitlines() if line.startswith("| 1 "))
    cells = [cell.strip() for cell in first.strip("|").split("|")]
    assert cells[2] == "-1.00"
    assert cells[4:] == ["0.00", "0.2100"]
