"""One value for each trial, stopped or finished, that a model can compare.

A Gaussian process and CMA-ES need a number for every trial. That of a finished trial is its best
value. A trial that was stopped after half an epoch has a lower one, and not only because its
hyperparameters are worse: it has trained less. Left out, as Optuna leaves them out, two thirds of a
sweep under ASHA teach the model nothing. Taken as they are, they flatter whatever trained to its
end for another reason than being good: the baseline, which is never stopped, and the first trials
at a rung, which have no others to be compared with.

So a stopped trial's value is carried on to where it would have ended, by what others gained from
its last report on: the median of the three that trained further and were nearest to it at that
report. Nearest, because curves are not parallel: who is behind often gains less. Trials are gone
through from the longest to the shortest, so that one which was stopped later counts with its own
carried-on value. With parallel curves, this is the chain ladder by which actuaries complete claims
of unequal age (Mack 1993, "Distribution-free calculation of the standard error of chain ladder
reserve estimates").

An example, with reports at 1, 3 and 9:

    trial       1     3     9      value
    a          .50   .70   .80     .80   finished
    b          .45   .60           .70   .60 and the gain of a from 3, .10
    c          .40                 .675  .40 and the median of the gains of a and b from 1, .30, .25

No trial is carried on beyond the best value that was measured: expected improvement is that over
the best, and a guess must not raise the bar.
"""

from __future__ import annotations

import bisect
import heapq
import itertools
import statistics
from collections.abc import Iterable, Sequence

from bertsweep.direction import Direction
from bertsweep.search.fitted_trials import StudyTrial

NEAREST = 3
"""How many trials tell what another would have gained.

In random searches of 20 and 60 trials under ASHA, with two sets of rungs, the rank correlation of
carried-on and true values was .77 to .88 with 3, 5 and 7 of them and .72 to .84 with 1 on the
curves of LCBench (34 tasks); on those of TaskSet's text classifiers (12) it was .83 to .87 with 1
and 3, but .77 to .85 with 5 and 7.
"""


class _BestSoFar:
    """A trial's best value by report, as steps."""

    def __init__(self, trial: StudyTrial, direction: Direction) -> None:
        self.reports: list[int] = []
        self.bests: list[float] = []
        best: float | None = None
        for report, value in sorted(trial.values.items()):
            if direction.better(value, best):
                best = value
                self.reports.append(report)
                self.bests.append(value)

    def at(self, report: int) -> float | None:
        """The best value up to a report; None before the first."""
        step = bisect.bisect_right(self.reports, report)
        return self.bests[step - 1] if step else None


def full_values(trials: Iterable[StudyTrial], direction: Direction) -> dict[int, float]:
    """Number of a trial → its best value, that of a stopped trial carried on to a full training.

    `trials` have ended and have values.
    """
    longest_first = sorted(trials, key=lambda trial: (-trial.last, trial.number))
    curves = {trial.number: _BestSoFar(trial, direction) for trial in longest_first}
    best = direction.best(curve.bests[-1] for curve in curves.values())
    full: dict[int, float] = {}
    for last, group in itertools.groupby(longest_first, key=lambda trial: trial.last):
        befores = ((curves[number].at(last), value) for number, value in full.items())
        further = [(before, value - before) for before, value in befores if before is not None]
        # Added together: trials of the same length have not trained further than each other.
        added = {}
        for trial in group:
            own = curves[trial.number].bests[-1]
            value = own if trial.finished else own + _gain(own, further)
            if best is not None and direction.better(value, best):
                value = best
            added[trial.number] = value
        full |= added
    return full


def _gain(own: float, further: Sequence[tuple[float, float]]) -> float:
    """The median gain of those that were nearest to `own`, from pairs of value and gain."""
    nearest = heapq.nsmallest(NEAREST, further, key=lambda pair: abs(pair[0] - own))
    return statistics.median(gain for _, gain in nearest) if nearest else 0.0
