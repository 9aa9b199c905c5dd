"""Whether what is reported of a winner is true: sweeps are simulated whose true scores are known.

Prints the coverage of intervals that say 95 % and the bias of estimates: of the plain best of many
trials, of its confirmation with fresh seeds, and of the bootstrap over rows; how often a race gives
the best finalist up; and how long the bootstrap of real sizes takes. Usage:

    python -m benchmarks.selection [--sweeps 2000] [--row-sweeps 200]
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence

import numpy as np
from scipy import special

from benchmarks._luck import RESAMPLES, ROWS, SEED_NOISE, Setting, Told, bags, races, sweeps
from benchmarks._tables import machine, say, table
from bertsweep.selection import select

TRIALS = (8, 20, 50)
SPREADS = (0.0, 0.01, 0.03)
ALIKE = (0.5, 0.875)
METRICS = ("average_precision", "roc_auc", "f1", "accuracy", "loss")
RACES = {
    "equal": (0.0, 0.0, 0.0),
    "best by half a deviation": (0.0, 0.0, 0.5),
    "best by three": (0.0, 0.0, 3.0),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sweeps", type=int, default=2000, help="of scores, for each setting")
    parser.add_argument("--row-sweeps", type=int, default=200, help="of rows, for each setting")
    options = parser.parse_args()
    print(machine(), end="\n\n")
    print(confirmations(options.sweeps, split=False), end="\n\n")
    print(confirmations(options.sweeps, split=True), end="\n\n")
    print(raced(options.sweeps), end="\n\n")
    print(bootstraps(options.row_sweeps), end="\n\n")
    print(durations())


def confirmations(count: int, *, split: bool) -> str:
    """Of the winner: intervals of the plain best and of the confirmed, and biases in points."""
    rows = []
    for trials in TRIALS:
        for spread in SPREADS:
            for alike in ALIKE:
                setting = Setting(trials, spread, alike)
                say(f"{'split' if split else 'seeds'}: {setting}")
                found = list(sweeps(setting, count=count, seed=trials, split=split))
                cheap = list(sweeps(setting, count=count, seed=trials, split=split, cheap=True))
                better = np.mean([one.found.verdict.outcome == "better" for one in found])
                row = [
                    f"{trials}, {spread:g}, {alike:g}",
                    covered([one.plain for one in found]),
                    covered([one.confirmed for one in found]),
                    covered([one.confirmed for one in cheap]),
                    covered([one.against_baseline for one in found]),
                    f"{100 * better:.1f}",
                    biased([one.plain.bias for one in found]),
                    biased([one.confirmed.bias for one in found]),
                    biased([one.shrunk for one in found]),
                    covered([one.elsewhere for one in found]),
                ]
                rows.append(row)
    aim = "redrawn rows" if split else "these rows"
    head = [
        "trials, spread, alike",
        "plain best",
        f"confirmed, {aim}",
        "the cheaper of a tie",
        "against the baseline",
        "said better",
        "bias of the plain best",
        "confirmed",
        "shrunk",
        "confirmed, new rows",
    ]
    return table(head, rows)


def raced(count: int) -> str:
    """How often the best of three finalists was given up, what was saved, and the interval."""
    rows = []
    for rounds in (3, 5):
        for name, apart in RACES.items():
            means = SEED_NOISE * np.array(apart)
            found = list(races(means, rounds=rounds, count=count, seed=rounds))
            lost = np.mean([one.lost for one in found])
            saved = np.mean([one.saved for one in found]) / (3 * rounds)
            rows.append(
                [
                    f"{rounds} seeds, {name}",
                    f"{100 * lost:.2f}",
                    f"{100 * saved:.1f}",
                    covered([one.told for one in found]),
                ]
            )
    return table(["", "best given up, %", "runs saved, %", "winner's interval, %"], rows)


def bootstraps(count: int) -> str:
    """Of the choice by rows: coverage of the bootstrap's intervals, and biases in points."""
    rows = []
    for trials in TRIALS:
        for spread in (0.0, 0.1):
            for alike in ALIKE:
                setting = Setting(trials, spread, alike)
                say(f"rows: {setting}")
                found = list(bags(setting, count=count, seed=trials))
                rows.append(
                    [
                        f"{trials}, {spread:g}, {alike:g}",
                        covered([one.plain for one in found]),
                        covered([one.corrected for one in found]),
                        biased([one.plain.bias for one in found]),
                        biased([one.corrected.bias for one in found]),
                    ]
                )
    head = [
        f"trials, spread, alike ({ROWS} rows, {RESAMPLES} resamples)",
        "plain best",
        "out of the bag",
        "bias of the plain best",
        "corrected",
    ]
    return table(head, rows)


def durations() -> str:
    """Processor seconds of `select` at the sizes of real sweeps, 1,000 resamples."""
    rows = []
    for trials, count in ((12, 4_000), (20, 11_755)):
        rng = np.random.default_rng(0)
        labels = (rng.random(count) < 0.06).astype(np.int64)
        logits = 2 * labels - 3 + rng.normal(size=(trials, count))
        answers = list(special.expit(logits).astype(np.float32))
        row = [f"{trials} trials, {count:,} rows"]
        for metric in METRICS:
            begun = time.process_time()
            select(labels, answers, metric)
            row.append(f"{time.process_time() - begun:.1f}")
        rows.append(row)
    return table(["processor seconds", *METRICS], rows)


def covered(told: Sequence[Told]) -> str:
    """The share of intervals that hold the truth, in per cent."""
    return f"{100 * np.mean([one.covered for one in told]):.1f}"


def biased(errors: Sequence[float]) -> str:
    """The mean error in hundredths of the score, with its standard error."""
    spread = np.std(errors) / math.sqrt(len(errors))
    return f"{100 * np.mean(errors):+.2f} ± {100 * spread:.2f}"


if __name__ == "__main__":
    main()
