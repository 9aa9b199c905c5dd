"""What follows the confirmation of a sweep: the test split is read, once, the model exported."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bertsweep.errors import BertsweepError
from bertsweep.exporting import export_checkpoint, promised, save_export
from bertsweep.ledger import FINISHED, SweepState
from bertsweep.results import Sweep
from bertsweep.system import import_tensorflow_lightly
from bertsweep.tracking import WandbTracker
from bertsweep.tracking.owed import Owed

if TYPE_CHECKING:
    from bertsweep.ledger import Subscriber
    from bertsweep.progress import Progress

EXPORT = "export"
"""The folder of the exports in that of the sweep."""


def conclude(
    sweep: Sweep,
    *,
    subscribers: Sequence[Subscriber] = (),
    progress: Progress | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> Sweep:
    """Does what the search space file asks for after the search and was not done before.

    With `confirm`, the test split is read once the winner is confirmed. The formats of `export` are
    written to the sweep's own folder. Raises what `evaluate_test` and `export_model` raise.
    """
    write_owed(sweep, progress=progress, notify=notify)
    spec = sweep.state.started.spec
    if sweep.state.status != FINISHED:
        return sweep
    import_tensorflow_lightly()
    if spec.get("confirm") is not None and _is_unread(sweep.state):
        from bertsweep.scoring import evaluate_test

        evaluate_test(sweep.folder, subscribers=subscribers, progress=progress, notify=notify)
        sweep = Sweep.open(sweep.folder)
    formats, to = tuple(spec.get("export") or ()), sweep.folder / EXPORT
    if formats and not to.exists():
        _, checkpoint = sweep.usable(notify=notify)
        export_checkpoint(checkpoint, sweep, to, formats, progress=progress, notify=notify)
        notify(f"exported {', '.join(formats)} to {to}")
    return sweep


def write_owed(
    sweep: Sweep, *, progress: Progress | None = None, notify: Callable[[str], None]
) -> None:
    """Writes the W&B runs that an earlier command of the sweep was killed before it wrote.

    What cannot be written any more, since data, checkpoint or export are gone, is told and dropped.
    """
    owed = Owed(sweep.paths.owed)
    for name, what in owed.all().items():
        tracker = WandbTracker.of(sweep.state.started, sweep.paths.wandb, warn=notify, files=True)
        if tracker.mode == "disabled":
            return
        with contextlib.closing(tracker):
            try:
                if "reading" in what:
                    _write_reading(sweep, tracker, what["reading"], progress, notify)
                elif promised(Path(what["folder"])) == name:
                    notify(
                        "an export was not saved in W&B, since its command was cut off: it is now"
                    )
                    save_export(tracker, sweep, Path(what["folder"]), best=what["best"])
                else:
                    owed.settle(name)
            except (BertsweepError, OSError) as error:
                notify(f"the W&B run {name} of {sweep.name} cannot be written any more: {error}")
                owed.settle(name)


def _write_reading(
    sweep: Sweep,
    tracker: WandbTracker,
    number: int,
    progress: Progress | None,
    notify: Callable[[str], None],
) -> None:
    """Writes the run of a reading of the test split, unless that is to be completed itself."""
    if sweep.state.tests[number - 1].result is None:
        return
    import_tensorflow_lightly()
    from bertsweep.scoring import track_reading

    notify(f"reading {number} of the test split is not in W&B, since it was cut off: it is now")
    track_reading(sweep.paths, sweep.state, number, tracker=tracker, progress=progress)


def _is_unread(state: SweepState) -> bool:
    """Whether the winner is confirmed and the test split was not read, or not to the end."""
    confirmed = state.confirmation is not None and state.confirmation.outcome is not None
    there = bool((state.started.data.get("rows") or {}).get("test"))
    return confirmed and there and (not state.tests or state.tests[-1].result is None)
