"""The scores of a reading of the test split, and their W&B run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsweep import data
from bertsweep.data import Dataset
from bertsweep.evaluation import Assessment, assess
from bertsweep.ledger import Reading, SweepState
from bertsweep.paths import SweepPaths, cache_root
from bertsweep.progress import Progress
from bertsweep.scoring.contenders import Scored, score
from bertsweep.scoring.outcome import TEST
from bertsweep.scoring.plans import Plan, recorded
from bertsweep.seeds import derive
from bertsweep.spec import SweepSpec, from_plain
from bertsweep.sweep.begun import as_begun, check_same
from bertsweep.tracking import WandbTracker
from bertsweep.tracking.evaluation import EvaluationRun


@dataclass(frozen=True)
class Measured:
    """What the contenders of a plan say of the test rows, and how good that is."""

    plan: Plan
    scored: Scored
    assessment: Assessment
    sample_rows: int

    def to_plain(self) -> dict[str, Any]:
        """The result as it stands in the ledger."""
        plain = self.assessment.to_plain()
        if self.plan.baseline is not None:
            plain["against_baseline"] = {
                "trial": self.plan.baseline.trial,
                **plain["against_baseline"],
            }
        return plain

    def run(self, state: SweepState, reading: Reading) -> EvaluationRun:
        """Its W&B run."""
        return EvaluationRun(
            started=state.started,
            reading=reading,
            rows=self.scored.rows,
            answers=self.scored.winner,
            assessment=self.assessment,
            sample_rows=self.sample_rows,
        )


def spec_of(state: SweepState) -> SweepSpec:
    """The specification of a sweep, as it began."""
    return as_begun(from_plain(dict(state.started.spec)), state.started)


def data_of(spec: SweepSpec, state: SweepState, *, progress: Progress | None) -> Dataset:
    """The data of a sweep. Raises `InputError` where they are not what it began with."""
    dataset = data.prepare(
        spec.data, cache=cache_root(), base=Path(state.started.base), progress=progress
    )
    check_same(state, "data", {"hash": dataset.hash})
    return dataset


def measure(
    spec: SweepSpec,
    dataset: Dataset,
    plan: Plan,
    *,
    metric: str,
    before: Callable[[], None] = lambda: None,
    progress: Progress | None = None,
) -> Measured:
    """Scores the contenders, first of all by `metric`.

    `before` is called before either is given a row of the test split.
    """
    scored = score(
        dataset.splits[TEST], plan.winner, plan.baseline, before=before, progress=progress
    )
    assessment = assess(
        scored.rows,
        scored.winner,
        metric=metric.removeprefix("val_"),
        temperature=plan.opened.temperature or 1.0,
        baseline=scored.baseline,
        seed=derive(spec.seed, TEST),
        progress=progress,
    )
    return Measured(plan, scored, assessment, spec.tracking.sample_rows)


def track_reading(
    paths: SweepPaths,
    state: SweepState,
    number: int,
    *,
    tracker: WandbTracker,
    progress: Progress | None,
) -> None:
    """Has the W&B run of a reading on record written, which the same checkpoints compute again.

    That is no further reading: nothing but what is on record follows from it. Raises `InputError`
    where the data have changed or a checkpoint is gone.
    """
    spec, reading = spec_of(state), state.tests[number - 1]
    dataset = data_of(spec, state, progress=progress)
    plan = recorded(state, paths, reading)
    found = measure(spec, dataset, plan, metric=state.metric, progress=progress)
    tracker.write(found.run(state, reading), promised=f"evaluate-{number}")
