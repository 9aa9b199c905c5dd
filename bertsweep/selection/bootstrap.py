"""How much of a best score is luck of the rows: the choice of the best trial, bootstrapped.

The rows are the validation rows that every trial was scored on. Nothing is trained again, so what
is measured is the luck of these rows; that of the training seed is not (see `confirmation`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from bertsweep import metrics
from bertsweep.direction import Direction
from bertsweep.selection.resampling import Floats, Ints, draws, out_of_bag
from bertsweep.selection.weighted import Scorer, scorer

RESAMPLES = 1000
LEVEL = 0.95
"""Of each paired interval on its own: with many trials some would be told apart by chance."""


@dataclass(frozen=True)
class Compared:
    """One trial beside the first, on the same resamples of the rows.

    `score` is its score of all rows. `probability_best` is the share of resamples in which it is
    the best of all trials. `difference` is the mean of its score minus that of the first over the
    resamples, `low` to `high` the interval that holds 95 % of them; `distinguishable` says that 0
    is not in it. Of the first they are 0, 0, 0 and False.
    """

    name: str
    score: float
    probability_best: float
    difference: float
    low: float
    high: float
    distinguishable: bool


@dataclass(frozen=True)
class Selection:
    """What the rows say about the choice of the best of several trials.

    `trials` are in order, best first. `best_score` is the first one's plain score, biased upward
    (downward for a loss) by the choice; `corrected_score` is that without this bias, for the
    choice as a whole: a point estimate, from which no interval follows.
    """

    metric: str
    rows: int
    resamples: int
    best_score: float
    corrected_score: float
    trials: tuple[Compared, ...]

    @property
    def first(self) -> Compared:
        """The trial with the best plain score."""
        return self.trials[0]

    @property
    def not_distinguishable(self) -> tuple[str, ...]:
        """Names of the trials that these rows cannot tell from the first, it included."""
        return tuple(trial.name for trial in self.trials if not trial.distinguishable)

    def to_plain(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            **asdict(self),
            "trials": [asdict(trial) for trial in self.trials],
            "not_distinguishable": list(self.not_distinguishable),
        }


def select(
    labels: Ints,
    probabilities: Sequence[Floats],
    metric: str,
    *,
    names: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Selection:
    """Everything that one set of resamples says about the choice among trials.

    `labels` are class indices [rows]; `probabilities` has one array a trial, over the same rows in
    the same order: of class 1 [rows], or of every class [rows, classes]. `metric` is a name of
    `bertsweep.metrics.METRICS`, with or without `val_`. `names` are those of the trials, "0", "1"
    and so on where left out. Of equal scores the earlier trial is the better one. The same seed
    gives the same answer.

    Raises `KeyError` for an unknown metric, `ValueError` for arrays that do not match or are not
    finite and `DataError` where the rows allow no resamples.
    """
    name, direction, scorers = _prepared(labels, probabilities, metric)
    bags, outside = _bagged(labels, scorers, direction, resamples=resamples, seed=seed)
    plain = _scored(scorers, np.ones((len(labels), 1), dtype=np.float32))[0]
    best = probability_best(bags, metric)
    order = np.argsort(-direction.sign * plain, kind="stable")
    called = [str(number) for number in range(len(plain))] if names is None else list(names)
    if len(called) != len(plain):
        raise ValueError(f"each trial needs a name, but got {len(called)} for {len(plain)}")
    first = int(order[0])
    compared = [
        Compared(called[one], float(plain[one]), float(best[one]), *_paired(bags, one, first))
        for one in map(int, order)
    ]
    return Selection(
        metric=name,
        rows=len(labels),
        resamples=len(bags),
        best_score=float(plain[first]),
        corrected_score=float(outside.mean()),
        trials=tuple(compared),
    )


def resampled_scores(
    labels: Ints,
    probabilities: Sequence[Floats],
    metric: str,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Floats:
    """Scores [resamples, trials] of the same bootstrap resamples of the rows for every trial.

    Arguments and errors as in `select`; how rows are drawn as in `resampling.draws`: unstratified,
    and again where a resample has rows of one class only.
    """
    _, _, scorers = _prepared(labels, probabilities, metric)
    drawn = draws(labels, resamples=resamples, seed=seed)
    return np.concatenate([_scored(scorers, counts) for counts in drawn])


def out_of_bag_scores(
    labels: Ints,
    probabilities: Sequence[Floats],
    metric: str,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Floats:
    """The score of the choice in each resample: choose in the bag, score out of it; in no order.

    In each resample the trial that scores best on the rows drawn is scored on the rows left out
    (about 37 %). Their mean is `Selection.corrected_score`: the score of the choice, without the
    bias of choosing. Source: the bootstrap bias-corrected estimate (BBC-CV) of Tsamardinos,
    Greasidou and Borboudakis, "Bootstrapping the out-of-sample predictions for efficient and
    accurate cross-validation", Machine Learning 107 (2018), pages 1895 to 1922, here with one
    validation split in place of folds. It assumes rows that are independent of each other and
    trials that did not train on them. It errs on the side of caution, since a resample holds fewer
    different rows to choose by. Their percentiles are far too wide an interval for it, as so many
    rows are left out of each bag (measured in docs/benchmarks.md). Arguments and errors as in
    `select`; returns [resamples].
    """
    _, direction, scorers = _prepared(labels, probabilities, metric)
    return _bagged(labels, scorers, direction, resamples=resamples, seed=seed)[1]


def probability_best(scores: Floats, metric: str) -> Floats:
    """The share of resamples in which each trial is the best: [trials], summing to 1.

    `scores` [resamples, trials] are those of `resampled_scores`. Equally good trials share a
    resample. It is a statement about these rows, not the probability that a trial is the best on
    new ones: among many equal trials the luckiest here stays the likeliest.
    """
    ranked = Direction.of(metrics.mode_of(metric)).sign * scores
    ties = ranked == ranked.max(axis=1, keepdims=True)
    return np.asarray((ties / ties.sum(axis=1, keepdims=True)).mean(axis=0))


def _prepared(
    labels: Ints, probabilities: Sequence[Floats], metric: str
) -> tuple[str, Direction, list[Scorer]]:
    name = metric.removeprefix("val_")
    direction = Direction.of(metrics.mode_of(name))
    arrays = [np.asarray(array) for array in probabilities]
    shapes = {array.shape for array in arrays}
    shape = next(iter(shapes), ())
    if labels.ndim != 1 or len(shapes) != 1 or len(shape) not in (1, 2) or shape[0] != len(labels):
        raise ValueError(
            "labels [rows] and one array of probabilities a trial, [rows] or [rows, classes], must "
            f"match, but got {labels.shape} and {sorted(shapes)}"
        )
    for trial, array in enumerate(arrays):
        if not np.isfinite(array).all():
            raise ValueError(f"probabilities must be finite, but those of trial {trial} are not")
    return name, direction, [scorer(name, labels, array) for array in arrays]


def _scored(scorers: Sequence[Scorer], counts: Floats) -> Floats:
    return np.stack([score(counts) for score in scorers], axis=1)


def _bagged(
    labels: Ints, scorers: Sequence[Scorer], direction: Direction, *, resamples: int, seed: int
) -> tuple[Floats, Floats]:
    """Scores in the bag [resamples, trials], and those of the best ones out of it [resamples]."""
    bags, outside = [], []
    # Products of this shape take many times the work on several threads.
    with threadpool_limits(limits=1, user_api="blas"):
        for counts in draws(labels, resamples=resamples, seed=seed):
            bags.append(_scored(scorers, counts))
            chosen = (direction.sign * bags[-1]).argmax(axis=1)
            left = out_of_bag(counts)
            outside += [scorers[trial](left[:, chosen == trial]) for trial in np.unique(chosen)]
    return np.concatenate(bags), np.concatenate(outside)


def _paired(scores: Floats, trial: int, first: int) -> tuple[float, float, float, bool]:
    """Mean difference to the first, its percentile interval, and whether 0 is outside.

    The interval is the bootstrap's (Efron and Tibshirani, An Introduction to the Bootstrap, 1993,
    chapter 13). Of two trials named beforehand that are equally good it errs in about 5 %. That the
    first was chosen for its score makes the error larger in its favour, and it is one for each
    trial.
    """
    if trial == first:
        return 0.0, 0.0, 0.0, False
    differences = scores[:, trial] - scores[:, first]
    tail = 100 * (1 - LEVEL) / 2
    low, high = (float(end) for end in np.percentile(differences, [tail, 100 - tail]))
    return float(differences.mean()), low, high, bool(low > 0 or high < 0)
