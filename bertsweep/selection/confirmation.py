"""The outcome of a confirmation: finalists and baseline, trained again with fresh seeds."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from bertsweep.direction import Direction
from bertsweep.selection.choice import Choice, choose
from bertsweep.selection.paired import (
    Difference,
    contenders,
    correlation,
    difference,
    mean,
    probability,
    widened,
)
from bertsweep.selection.quantiles import t_quantile
from bertsweep.selection.seeds import (
    Noise,
    Runs,
    noise,
    noise_floor,
    outperforming,
    seeds_needed,
    shrunk,
)
from bertsweep.selection.words import verdict_text

Outcome = Literal["better", "worse", "not distinguishable", "no baseline"]


@dataclass(frozen=True)
class Confirmed:
    """One configuration's score over fresh seeds.

    `low` to `high` is an interval with 95 % for the mean over all seeds, on the same rows (with the
    split varied: over all splits of the same rows); None where one seed was all. For finalists it
    allows for the choice among them, so it holds for whichever is chosen. `stopped` says that it
    was given up before all seeds were run.
    """

    trial: str
    mean: float
    low: float | None
    high: float | None
    seeds: int
    stopped: bool = False


@dataclass(frozen=True)
class Verdict:
    """The chosen finalist against the baseline.

    It is one about these validation rows (see `confirm`). `difference` is positive where the chosen
    one is better, for a loss too; `low` to `high` is its
    interval with 95 %, which allows for the choice among the finalists; `seeds` are those that both
    ran with. `outcome` is "better" or "worse" where 0 lies outside. `probability_better` is that of
    a true difference above 0 for two configurations named beforehand, `probability_outperforms`
    that one run of the chosen beats one of the baseline, and `seeds_needed` how many seeds each
    would tell the two apart if the difference is as measured. None where not known. `text` says it
    in one sentence.
    """

    outcome: Outcome
    text: str
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    seeds: int = 0
    probability_better: float | None = None
    probability_outperforms: float | None = None
    seeds_needed: int | None = None


@dataclass(frozen=True)
class Confirmation:
    """What a confirmation found.

    `finalists` are in order of their means, best first. `deviation` is the standard deviation of a
    score from seed to seed, without what a seed changes for all alike, and `noise_floor` what the
    best of `trials` equal configurations gains by it (None where one seed was all). `shrunk` is the
    estimate for the chosen one with the bias of the choice taken out. `tied` are the finalists that
    cannot be told from the leader, itself included; `tie` says that there are several. `chosen` was
    picked among them by `rule`, which `reason` says in a sentence. `seeds_needed` is how many seeds
    each would settle a tie with the next one, if the difference is as measured.
    """

    finalists: tuple[Confirmed, ...]
    baseline: Confirmed | None
    trials: int
    deviation: float | None
    noise_floor: float | None
    shrunk: float
    tied: tuple[str, ...]
    chosen: str
    rule: str
    reason: str
    seeds_needed: int | None
    verdict: Verdict

    @property
    def tie(self) -> bool:
        """Whether several finalists cannot be told apart."""
        return len(self.tied) > 1

    @property
    def winner(self) -> Confirmed:
        """The chosen finalist."""
        return next(one for one in self.finalists if one.trial == self.chosen)

    def to_plain(self) -> dict[str, Any]:
        """The same as JSON values, `tie` included."""
        plain = asdict(self)
        plain["finalists"] = list(plain["finalists"])
        return {**plain, "tied": list(self.tied), "tie": self.tie}


def confirm(
    finalists: Mapping[str, Runs],
    *,
    mode: str,
    trials: int,
    baseline: Runs | None = None,
    stopped: Collection[str] = (),
    costs: Mapping[str, float] | None = None,
    simplicity: Sequence[str] | None = None,
) -> Confirmation:
    """What fresh seeds say of the finalists of a sweep and its baseline.

    `finalists` are scores by seed of each, in the units of the objective, `baseline` likewise
    (None where there is none). The same seed means the same draw for all, of the split too where it
    is varied. `mode` is "max" or "min". `trials` is the number of configurations that the sweep
    compared. `stopped` names finalists that were given up early (`racing.losers`): they are not
    chosen. `costs` says what each is to run (any unit, smaller is cheaper) and `simplicity` orders
    finalists, the simplest first; either decides a tie, see `choice.choose`.

    Assumed are normal scores of equal variance (see `seeds.noise`), seeds that the search did not
    use, and that nothing but the scores here decided who was chosen among the finalists. Who
    became a finalist was decided on the same validation rows (unless the split varies): the luck
    that those rows give a configuration is in these scores still; the test split is free of it.

    Raises `ValueError` for no finalist, one without runs, or a score that is not finite. Runs that
    failed are left out by the caller; that they did is no part of the answer.
    """
    sign = Direction.of(mode).sign
    runs = _checked(finalists, sign)
    base = None if baseline is None else _checked({"the baseline": baseline}, sign)["the baseline"]
    found = noise([*runs.values(), *([base] if base else [])])
    running = [name for name in runs if name not in stopped] or list(runs)
    leader = max(running, key=lambda name: mean(runs[name]))
    tied = contenders(runs, leader, found)
    tied = tuple(name for name in tied if name in running)
    spread = found.deviation if math.isnan(found.rest) else found.rest
    choice = choose(
        {name: mean(runs[name]) for name in tied},
        error=spread / math.sqrt(len(runs[leader])),
        costs=costs,
        simplicity=simplicity,
    )
    means = {name: mean(one) for name, one in runs.items()}
    drawn = shrunk(means, {name: len(one) for name, one in runs.items()}, spread)
    order = sorted(runs, key=lambda name: -means[name])
    return Confirmation(
        finalists=tuple(
            _confirmed(name, runs[name], found, sign, among=len(runs), stopped=name in stopped)
            for name in order
        ),
        baseline=None if base is None else _confirmed("baseline", base, found, sign),
        trials=trials,
        deviation=_known(spread),
        noise_floor=_known(noise_floor(spread, trials)),
        shrunk=sign * drawn[choice.trial],
        tied=tied,
        chosen=choice.trial,
        rule=choice.rule,
        reason=choice.reason,
        seeds_needed=_to_settle(runs, tied, leader, found),
        verdict=_verdict(choice, runs, base, found),
    )


def _checked(runs: Mapping[str, Runs], sign: float) -> dict[str, Runs]:
    if not runs:
        raise ValueError("a confirmation needs at least one finalist")
    for name, one in runs.items():
        if not one or not all(math.isfinite(score) for score in one.values()):
            raise ValueError(f"{name} needs a finite score for each seed, but got {dict(one)}")
    return {name: {seed: sign * score for seed, score in one.items()} for name, one in runs.items()}


def _confirmed(
    name: str, runs: Runs, found: Noise, sign: float, *, among: int = 1, stopped: bool = False
) -> Confirmed:
    """Its interval with selection among several, or Student's for one."""
    middle, low, high = mean(runs), None, None
    if found.degrees > 0:
        error = found.deviation / math.sqrt(len(runs))
        both = t_quantile(0.975, found.degrees)
        down, up = widened(among, found.degrees) if among > 1 else (both, both)
        low, high = sorted((sign * (middle - down * error), sign * (middle + up * error)))
    return Confirmed(name, sign * middle, low, high, len(runs), stopped)


def _verdict(choice: Choice, runs: Mapping[str, Runs], base: Runs | None, found: Noise) -> Verdict:
    if base is None:
        return Verdict("no baseline", f"{choice.trial} was compared with no baseline.")
    apart = difference(runs[choice.trial], base, found)
    if apart is None:
        text = f"{choice.trial} and the baseline have no seed in common to be compared by."
        return Verdict("no baseline", text)
    if not found.rest_degrees > 0:
        return _worded(
            choice.trial, Verdict("not distinguishable", "", apart.mean, seeds=apart.seeds)
        )
    if len(runs) > 1:
        shared = correlation(runs.values(), base)
        down, up = widened(len(runs), found.rest_degrees, shared)
    else:
        down = up = t_quantile(0.975, found.rest_degrees)
    low, high = apart.mean - down * apart.error, apart.mean + up * apart.error
    outcome: Outcome = "better" if low > 0 else "worse" if high < 0 else "not distinguishable"
    gamma = _outperforms(apart, found)
    said = Verdict(
        outcome,
        "",
        difference=apart.mean,
        low=low,
        high=high,
        seeds=apart.seeds,
        probability_better=probability(apart, found.rest_degrees),
        probability_outperforms=gamma,
        seeds_needed=seeds_needed(gamma) if outcome == "not distinguishable" else None,
    )
    return _worded(choice.trial, said)


def _worded(trial: str, verdict: Verdict) -> Verdict:
    plain = asdict(verdict)
    asked = {name: plain[name] for name in ("outcome", "difference", "low", "high", "seeds")}
    return Verdict(**{**plain, "text": verdict_text(trial, **asked)})


def _outperforms(apart: Difference, found: Noise) -> float:
    if found.rest > 0:
        return outperforming(apart.mean, found.rest)
    return 0.5 if apart.mean == 0 else float(apart.mean > 0)


def _to_settle(
    runs: Mapping[str, Runs], tied: Sequence[str], leader: str, found: Noise
) -> int | None:
    """Seeds that would tell the leader from the next of those tied with it."""
    rivals = [name for name in tied if name != leader]
    if not rivals or not found.rest_degrees > 0:
        return None
    following = max(rivals, key=lambda name: mean(runs[name]))
    apart = difference(runs[leader], runs[following], found)
    return None if apart is None else seeds_needed(_outperforms(apart, found))


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
