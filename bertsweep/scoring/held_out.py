"""The test split of a sweep: read once, on record, when everything else has been decided."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bertsweep import data
from bertsweep.errors import InputError, InterruptedSweep
from bertsweep.evaluation import Aim, Assessment, assess
from bertsweep.ledger import Ledger, Reading, Subscriber, SweepState
from bertsweep.ledger.events import TestScored
from bertsweep.paths import SweepPaths, cache_root
from bertsweep.progress import Progress
from bertsweep.scoring.contenders import Scored, score
from bertsweep.scoring.outcome import TEST, Evaluation
from bertsweep.scoring.plans import Plan, decided, recorded
from bertsweep.seeds import derive
from bertsweep.spec import SweepSpec, from_plain
from bertsweep.sweep.begun import as_begun, check_same
from bertsweep.tracking import WandbTracker
from bertsweep.tracking.evaluation import EvaluationRun

Notify = Callable[[str], None]


def evaluate_test(
    folder: Path,
    *,
    aim: Aim | None = None,
    again: bool = False,
    subscribers: Sequence[Subscriber] = (),
    progress: Progress | None = None,
    notify: Notify = lambda _: None,
) -> Evaluation:
    """Scores the winner of the sweep in `folder`, and its baseline, on the test split.

    Winner, threshold and temperature are in the ledger before a model is given the first test row.
    A reading that was cut off is completed as it was begun, and counts once; a further one needs
    `again` and is recorded as such. `subscribers`, `progress` and `notify` receive what those of
    `run` receive.

    Raises `InputError` where another command writes the sweep, the split was read before, or the
    data are not what the sweep began with; `NoUsableTrialError`; `InterruptedSweep` after Ctrl-C.
    """
    paths = SweepPaths(folder)
    with contextlib.closing(Ledger(paths.ledger, subscribers=subscribers)) as ledger:
        state = ledger.state
        unfinished = _unfinished(state, paths, aim=aim, again=again)
        if unfinished is None:
            _check_unread(state, paths, again=again)
        spec = as_begun(from_plain(dict(state.started.spec)), state.started)
        try:
            dataset = data.prepare(
                spec.data, cache=cache_root(), base=Path(state.started.base), progress=progress
            )
            check_same(state, "data", dataset.hash)
            if unfinished is not None:
                notify("a reading of the test split was cut off: it is completed as it was begun")
                plan = recorded(state, paths, unfinished)
            else:
                plan = decided(state, paths, dataset, aim, notify=notify, progress=progress)
            scored = score(
                dataset.splits["test"],
                plan.winner,
                plan.baseline,
                before=lambda: _open(ledger, plan, begun=unfinished is not None),
                progress=progress,
            )
            assessment = _assessed(spec, state, plan, scored, progress)
            ledger.append(TestScored(result=_plain(plan, assessment)))
        except KeyboardInterrupt as error:
            raise InterruptedSweep(_stopped(ledger.state, paths)) from error
        _track(spec, paths, ledger, scored, assessment, notify=notify)
        return evaluation_of(ledger.state, paths, ledger.state.tests[-1])


def evaluation_of(state: SweepState, paths: SweepPaths, reading: Reading) -> Evaluation:
    """A reading that has a result, as the ledger tells it."""
    opened = reading.opened
    return Evaluation(
        sweep=state.name,
        rows=TEST,
        trial=opened.trial,
        checkpoint=paths.folder / opened.path,
        positive=state.started.positive,
        metric=state.metric.removeprefix("val_"),
        aim=opened.aim,
        threshold=opened.threshold,
        temperature=opened.temperature,
        result=reading.result or {},
        opened=len(state.tests),
        again=opened.again,
    )


def _unfinished(
    state: SweepState, paths: SweepPaths, *, aim: Aim | None, again: bool
) -> Reading | None:
    """The reading that was cut off and is to be completed, None where there is none.

    One whose checkpoint is gone can only be left behind, with `again`.
    """
    last = state.tests[-1] if state.tests else None
    if last is None or last.result is not None:
        return None
    if not (paths.folder / last.opened.path).is_dir():
        if again:
            return None
        raise InputError(
            f"a reading of the test split by {last.opened.trial} was cut off, and its checkpoint "
            f"{last.opened.path} is gone since. `bertsweep evaluate {paths.folder} --again` reads "
            "the split once more, which is recorded."
        )
    if aim is not None and str(aim) != last.opened.aim:
        begun = f"--aim {last.opened.aim}" if last.opened.aim else "no --aim"
        raise InputError(
            f"a reading of the test split with {begun} was cut off and has to be completed first: "
            f"`bertsweep evaluate {paths.folder}` does it. Afterwards another --aim needs --again."
        )
    return last


def _check_unread(state: SweepState, paths: SweepPaths, *, again: bool) -> None:
    """Raises `InputError` where the split was read and `again` is not stated."""
    if not state.tests or again:
        return
    raise InputError(
        f"the test split of {state.name} has been read (by {state.tests[-1].opened.trial}): what "
        f"was chosen since may have been chosen by it. `bertsweep best {paths.folder}` has the "
        "scores; --again reads it once more, and every reading stays on record."
    )


def _open(ledger: Ledger, plan: Plan, *, begun: bool) -> None:
    if not begun:
        ledger.append(plan.opened)


def _assessed(
    spec: SweepSpec, state: SweepState, plan: Plan, scored: Scored, progress: Progress | None
) -> Assessment:
    return assess(
        scored.rows,
        scored.winner,
        metric=state.metric.removeprefix("val_"),
        temperature=plan.opened.temperature or 1.0,
        baseline=scored.baseline,
        seed=derive(spec.seed, TEST),
        progress=progress,
    )


def _plain(plan: Plan, assessment: Assessment) -> Mapping[str, Any]:
    plain = assessment.to_plain()
    if plan.baseline is not None:
        plain["against_baseline"] = {"trial": plan.baseline.trial, **plain["against_baseline"]}
    return plain


def _stopped(state: SweepState, paths: SweepPaths) -> str:
    """What Ctrl-C left."""
    if state.tests and state.tests[-1].result is None:
        return f"stopped; `bertsweep evaluate {paths.folder}` completes the reading: it counts once"
    return "stopped; the test split was not read"


def _track(
    spec: SweepSpec,
    paths: SweepPaths,
    ledger: Ledger,
    scored: Scored,
    assessment: Assessment,
    *,
    notify: Notify,
) -> None:
    """Writes the W&B run of the reading that was just recorded."""
    state, tracking = ledger.state, spec.tracking
    reading = state.tests[-1]
    tracker = WandbTracker(
        mode=tracking.wandb,
        project=tracking.project,
        entity=tracking.entity,
        group=state.name,
        folder=paths.wandb,
        warn=notify,
    )
    with contextlib.closing(tracker):
        ledger.subscribe(tracker.handle)
        tracker.log_evaluation(
            EvaluationRun(
                started=state.started,
                reading=reading,
                rows=scored.rows,
                answers=scored.winner,
                assessment=assessment,
                sample_rows=tracking.sample_rows,
            )
        )
