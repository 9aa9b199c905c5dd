"""Recorded curves: their files, their scores, and what they say of seeds and rungs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import _tables

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.floating[Any]]

LABELS = "labels.npz"

RUNGS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0)
"""Epochs of the table's rows, as far as the curves go."""


@dataclass(frozen=True)
class Curves:
    """Scores [configurations, seeds, reports] of whole seeds; NaN after a divergence."""

    validation: Floats
    test: Floats

    @property
    def seeds(self) -> int:
        return int(self.validation.shape[1])


def name(configuration: int, seed: int) -> str:
    """The file of one training."""
    return f"c{configuration:03d}-s{seed}.npz"


def save(path: Path, arrays: Mapping[str, Any]) -> None:
    """Writes a compressed file, whole or not at all."""
    draft = path.with_name(f".{os.getpid()}-{path.name}")
    np.savez_compressed(draft, **arrays)
    draft.replace(path)


def scores(probabilities: Floats, labels: npt.NDArray[np.integer[Any]], metric: str) -> Floats:
    """The metric at each report; NaN where there are no probabilities."""
    from bertsweep import metrics

    def score(one: Floats) -> float:
        if np.isnan(one).any():
            return float("nan")
        return metrics.scores(labels, one.astype(np.float64), loss=0.0)[metric]

    return np.array([score(one) for one in probabilities])


def read(folder: Path, configurations: int, metric: str) -> Curves:
    """The seeds of which every configuration has its file. Raises `FileNotFoundError`."""
    labels = np.load(folder / LABELS)
    seeds = sorted({int(path.stem.partition("-s")[2]) for path in folder.glob("c*-s*.npz")})
    whole = [
        seed
        for seed in seeds
        if all((folder / name(number, seed)).exists() for number in range(configurations))
    ]
    found: dict[str, list[list[Floats]]] = {"validation": [], "test": []}
    for number in range(configurations):
        files = [np.load(folder / name(number, seed)) for seed in whole]
        for split, kept in found.items():
            kept.append([scores(file[split], labels[split], metric) for file in files])
    return Curves(**{split: np.array(kept) for split, kept in found.items()})


def summary(curves: Curves, reports_per_epoch: int) -> str:
    """A row a rung: noise of seeds, rank correlations, and what a cut there would lose."""
    if not curves.seeds:
        return "No seed is whole yet."
    values = np.nan_to_num(curves.validation, nan=0.0)
    final = values[:, :, -1]
    rows = []
    for epoch in RUNGS:
        at = round(epoch * reports_per_epoch) - 1
        if at >= values.shape[2]:
            break
        here = values[:, :, at]
        rows.append(
            [
                f"{epoch:g}",
                f"{np.median(here.std(axis=1, ddof=1)):.4f}" if curves.seeds > 1 else "",
                _mean([_rank(here[:, s], final[:, s]) for s in range(curves.seeds)]),
                _mean(
                    [
                        _rank(here[:, s], final[:, other])
                        for s in range(curves.seeds)
                        for other in range(curves.seeds)
                        if other != s
                    ]
                ),
                _mean([_kept(here[:, s], final[:, s]) for s in range(curves.seeds)]),
                _mean([_lost(here[:, s], final[:, s]) for s in range(curves.seeds)], digits=4),
            ]
        )
    head = [
        "epochs",
        "seed sd (median)",
        "rank correlation with the end",
        "… with another seed's end",
        "of the best tenth kept by a cut to a third",
        "lost by it of the best value",
    ]
    return _tables.table(head, rows)


def _rank(one: Floats, other: Floats) -> float:
    """Spearman's rank correlation."""
    from scipy.stats import spearmanr

    return float(spearmanr(one, other).statistic)


def _third(here: Floats) -> npt.NDArray[np.integer[Any]]:
    return np.argsort(-here)[: max(1, len(here) // 3)]


def _kept(here: Floats, final: Floats) -> float:
    """The share of the finally best tenth that is in the best third here."""
    best = np.argsort(-final)[: max(1, len(final) // 10)]
    return float(np.isin(best, _third(here)).mean())


def _lost(here: Floats, final: Floats) -> float:
    """How much worse the best final value of the best third here is than that of all."""
    return float(final.max() - final[_third(here)].max())


def _mean(values: list[float], digits: int = 2) -> str:
    return f"{np.mean(values):.{digits}f}" if values else ""
