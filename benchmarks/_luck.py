"""Sweeps with known truth: what is reported of the winner, beside what it is worth."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from bertsweep.selection import Confirmation, confirm, losers
from bertsweep.selection.bootstrap import out_of_bag_scores, resampled_scores

SEED_NOISE, ROW_NOISE = 0.01, 0.03
"""Standard deviations of a score over seeds and over samples of 4,000 rows with 6 % positives, as
measured for average precision on the Quora sample."""

FINALISTS, SEEDS = 3, 3
Z = 1.959964
SHARE = 0.4
REST = 1 - SHARE
"""Of the rows that a split is drawn from, those for validation and those for training."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Setting:
    """A kind of sweep: how many trials, how far their true scores spread, how much alike they err.

    `spread` is the standard deviation of the true scores. `alike` is the correlation of the errors
    that the rows, shared by all trials, give two of them.
    """

    trials: int
    spread: float
    alike: float


@dataclass(frozen=True)
class Told:
    """What was reported of one winner, and what is true of it."""

    estimate: float
    low: float
    high: float
    truth: float

    @property
    def covered(self) -> bool:
        return self.low <= self.truth <= self.high

    @property
    def bias(self) -> float:
        return self.estimate - self.truth


@dataclass(frozen=True)
class Outcome:
    """One sweep: the plain best, and its confirmation.

    The truth of `confirmed` is the mean over all seeds on these rows, with `split` over all ways to
    redraw validation rows from those of train and validation; `elsewhere` tells the same interval
    against new rows.
    """

    plain: Told
    confirmed: Told
    elsewhere: Told
    against_baseline: Told
    shrunk: float
    floor: float
    found: Confirmation


def row_errors(
    rng: np.random.Generator, setting: Setting, shape: tuple[int, ...], size: float = ROW_NOISE
) -> Floats:
    """Errors by the rows, of which the last axis shares a part."""
    shared = rng.normal(size=(*shape[:-1], 1))
    own = rng.normal(size=shape)
    return size * (math.sqrt(setting.alike) * shared + math.sqrt(1 - setting.alike) * own)


def sweeps(
    setting: Setting, *, count: int, seed: int, split: bool = False, cheap: bool = False
) -> Iterator[Outcome]:
    """Sweeps of trials with known true scores, the first `FINALISTS` confirmed.

    With `cheap`, a tie goes to the finalist of the least cost, drawn at random.
    """
    rng = np.random.default_rng(seed)
    for _ in range(count):
        truth = np.append(0.0, setting.spread * rng.normal(size=setting.trials))  # 0: the baseline
        on_rows = truth + row_errors(rng, setting, (setting.trials + 1,))
        searched = on_rows + SEED_NOISE * rng.normal(size=len(truth))
        order = 1 + np.argsort(-searched[1:])
        best, chosen = order[0], [0, *order[:FINALISTS]]
        runs = on_rows[chosen] + SEED_NOISE * rng.normal(size=(SEEDS, len(chosen)))
        aim = on_rows
        if split:
            others = row_errors(rng, setting, on_rows.shape, ROW_NOISE * math.sqrt(SHARE / REST))
            aim = truth + SHARE * (on_rows - truth) + REST * others
            again = row_errors(rng, setting, runs.shape, ROW_NOISE * math.sqrt(REST))
            runs = aim[chosen] + again + SEED_NOISE * rng.normal(size=runs.shape)
        scores = [dict(enumerate(map(float, column))) for column in runs.T]
        found = confirm(
            {str(trial): one for trial, one in zip(chosen[1:], scores[1:], strict=True)},
            mode="max",
            trials=setting.trials,
            baseline=scores[0],
            costs={str(trial): float(rng.random()) for trial in chosen[1:]} if cheap else None,
        )
        winner, place = found.winner, int(found.chosen)
        half = Z * math.hypot(ROW_NOISE, SEED_NOISE)
        verdict = found.verdict
        yield Outcome(
            plain=Told(searched[best], searched[best] - half, searched[best] + half, truth[best]),
            confirmed=Told(winner.mean, winner.low, winner.high, aim[place]),
            elsewhere=Told(winner.mean, winner.low, winner.high, truth[place]),
            against_baseline=Told(
                verdict.difference, verdict.low, verdict.high, aim[place] - aim[0]
            ),
            shrunk=found.shrunk - aim[place],
            floor=found.noise_floor,
            found=found,
        )


@dataclass(frozen=True)
class Raced:
    """How a race ended: whether the truly best was given up, runs saved, the winner's interval."""

    lost: bool
    saved: int
    told: Told


def races(means: Floats, *, rounds: int, count: int, seed: int) -> Iterator[Raced]:
    """Confirmations in which finalists with these true means are given up on the way."""
    rng = np.random.default_rng(seed)
    truth = np.append(0.0, means)
    for _ in range(count):
        drawn = truth + SEED_NOISE * rng.normal(size=(rounds, len(truth)))
        runs: list[dict[int, float]] = [{} for _ in truth]
        stopped: list[str] = []
        for done in range(rounds):
            for place, own in enumerate(runs):
                if str(place) not in stopped:
                    own[done] = float(drawn[done, place])
            finalists = {str(place): own for place, own in enumerate(runs) if place}
            stopped += losers(
                finalists, mode="max", rounds=rounds, baseline=runs[0], stopped=stopped
            )
        found = confirm(finalists, mode="max", trials=20, baseline=runs[0], stopped=stopped)
        winner = found.winner
        yield Raced(
            lost=str(1 + int(means.argmax())) in stopped,
            saved=sum(rounds - len(own) for own in runs),
            told=Told(winner.mean, winner.low, winner.high, truth[int(found.chosen)]),
        )


@dataclass(frozen=True)
class Bagged:
    """One sweep of rows: the best trial with the bootstrap's interval, and the corrected score."""

    plain: Told
    corrected: Told


ROWS, POSITIVES, RESAMPLES = 1000, 0.2, 200


def bags(setting: Setting, *, count: int, seed: int, metric: str = "roc_auc") -> Iterator[Bagged]:
    """Sweeps whose trials score rows: a normal logit, higher for positive rows by a signal.

    The true area under the ROC curve is Φ(signal / √2). `spread` is that of the signals around 1.5,
    and `alike` the correlation of two trials' logits on the same row.
    """
    rng = np.random.default_rng(seed)
    for number in range(count):
        signals = 1.5 + setting.spread * rng.normal(size=setting.trials)
        labels = (rng.random(ROWS) < POSITIVES).astype(np.int64)
        noise = row_errors(rng, setting, (ROWS, setting.trials), size=1.0)
        trials = list(special.expit(noise.T + signals[:, None] * labels))
        asked = {"metric": metric, "resamples": RESAMPLES, "seed": number}
        bagged = resampled_scores(labels, trials, **asked)
        outside = out_of_bag_scores(labels, trials, **asked)
        plain = areas(labels, trials)
        best = int(plain.argmax())
        truth = special.ndtr(signals / math.sqrt(2))
        yield Bagged(
            plain=Told(plain[best], *np.percentile(bagged[:, best], [2.5, 97.5]), truth[best]),
            corrected=Told(outside.mean(), *np.percentile(outside, [2.5, 97.5]), truth[best]),
        )


def areas(labels: npt.NDArray[np.int64], trials: list[Floats]) -> Floats:
    """The area under the ROC curve of each trial: the share of pairs in order."""
    ranks = np.stack([trial.argsort().argsort() + 1.0 for trial in trials])
    hits, misses = int(labels.sum()), int((labels == 0).sum())
    summed = ranks[:, labels == 1].sum(axis=1)
    return np.asarray((summed - hits * (hits + 1) / 2) / (hits * misses))
