"""The test split of a sweep: read once, on record, when everything else has been decided."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

from bertsweep.errors import InputError, InterruptedSweep
from bertsweep.evaluation import Aim
from bertsweep.ledger import Ledger, Reading, Subscriber, SweepState
from bertsweep.ledger.events import TestScored
from bertsweep.paths import SweepPaths
from bertsweep.progress import Progress
from bertsweep.scoring.measuring import data_of, measure, spec_of
from bertsweep.scoring.outcome import TEST, Evaluation
from bertsweep.scoring.plans import Plan, decided, recorded
from bertsweep.tracking import WandbTracker

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
        spec, tracker = spec_of(state), WandbTracker.of(state.started, paths.wandb, warn=notify)
        try:
            dataset = data_of(spec, state, progress=progress)
            if unfinished is not None:
                notify("a reading of the test split was cut off: it is completed as it was begun")
                plan = recorded(state, paths, unfinished)
            else:
                plan = decided(state, paths, dataset, aim, notify=notify, progress=progress)
            found = measure(
                spec,
                dataset,
                plan,
                metric=state.metric,
                before=lambda: _open(ledger, plan, begun=unfinished is not None),
                progress=progress,
            )
            promised = f"evaluate-{len(state.tests)}"
            tracker.promise(promised, reading=len(state.tests))
            ledger.append(TestScored(result=found.to_plain()))
        except KeyboardInterrupt as error:
            raise InterruptedSweep(_stopped(ledger.state, paths)) from error
        with contextlib.closing(tracker):
            tracker.write(found.run(state, state.tests[-1]), promised=promised)
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


def _stopped(state: SweepState, paths: SweepPaths) -> str:
    """What Ctrl-C left."""
    if state.tests and state.tests[-1].result is None:
        return f"stopped; `bertsweep evaluate {paths.folder}` completes the reading: it counts once"
    return "stopped; the test split was not read"
