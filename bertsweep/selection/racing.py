"""Which finalists of a confirmation can be given up before all of their seeds are run."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bertsweep.direction import Direction
from bertsweep.selection.paired import difference
from bertsweep.selection.quantiles import t_quantile
from bertsweep.selection.seeds import ERROR, Runs, noise

FIRST = 2
"""The round of seeds after which is looked first: before, nothing is known of the noise."""


def losers(
    finalists: Mapping[str, Runs],
    *,
    mode: str,
    rounds: int,
    baseline: Runs | None = None,
    stopped: Collection[str] = (),
    error: float = ERROR,
) -> tuple[str, ...]:
    """Finalists that another one is proved to beat, to be called after each round of seeds.

    `finalists` and `baseline` are scores by seed so far, as in `confirmation.confirm`, of those
    stopped before as well; the baseline is never stopped but helps to measure the noise. `rounds`
    is how many seeds each was to get, which must not depend on the scores. The answer leaves out
    those in `stopped`, and is empty after the last round, when nothing is saved any more.

    The probability that the truly best finalist is ever stopped is at most `error`. A finalist is
    stopped where its paired difference to any other, over the seeds of both, is beyond Student's
    quantile 1 − error / (looks · rivals): Bonferroni over the looks (rounds 2 to `rounds` − 1) and
    over the rivals that could displace the best, all finalists but itself. The noise is that of
    `seeds.noise`, pooled over all, with its assumptions. Where no difference varies at all nobody
    is stopped.
    """
    sign = Direction.of(mode).sign
    running = [name for name in finalists if name not in stopped]
    seeds = set.intersection(*(set(finalists[name]) for name in running)) if running else set()
    done = len(seeds)
    looks, rivals = rounds - FIRST, len(finalists) - 1
    if done < FIRST or done >= rounds or looks < 1 or rivals < 1:
        return ()
    # Only rounds that are complete: a call in the midst of one is not another look.
    held = {name: _within(one, seeds) for name, one in finalists.items()}
    found = noise([one for one in (*held.values(), _within(baseline or {}, seeds)) if one])
    if not found.rest_degrees > 0 or not found.rest > 0:
        return ()
    limit = t_quantile(1 - error / (looks * rivals), found.rest_degrees)

    def beaten(name: str) -> bool:
        behind = [difference(held[other], held[name], found) for other in running if other != name]
        return any(one is not None and sign * one.mean > limit * one.error for one in behind)

    return tuple(name for name in running if beaten(name))


def _within(runs: Runs, seeds: Collection[int]) -> Runs:
    return {seed: score for seed, score in runs.items() if seed in seeds}
