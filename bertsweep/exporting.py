"""Exports of a sweep: with what is on record of the checkpoint, and saved in W&B."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertsweep import checksums
from bertsweep.ledger import SweepState
from bertsweep.ranking import winner
from bertsweep.results import Sweep
from bertsweep.tracking import WandbTracker

if TYPE_CHECKING:
    from bertsweep.checkpoints import Checkpoint
    from bertsweep.progress import Progress

Notify = Callable[[str], None]


def check_exports(formats: Sequence[str]) -> None:
    """Raises `InputError` for an unknown format and `MissingPackageError` for one that cannot be
    written here: before a sweep is run, not after it.
    """
    from bertsweep.export import chosen

    for form in chosen(formats):
        form.check_packages()


def export_checkpoint(
    checkpoint: Checkpoint,
    sweep: Sweep | None,
    to: Path,
    formats: Sequence[str],
    *,
    evidence: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    notify: Notify = lambda _: None,
) -> dict[str, Any]:
    """Exports a checkpoint, of a sweep if there is one, and returns metrics.json.

    The model card tells what is on record of the checkpoint that the sweep delivers; `evidence`
    comes on top of that. In W&B it becomes a version of the sweep's model.
    """
    from bertsweep.export import export, validation_rows
    from bertsweep.paths import cache_root

    write = functools.partial(
        export, checkpoint, to, formats, sweep=sweep, progress=progress, notify=notify
    )
    if sweep is None:
        return write(evidence=evidence)
    trial = sweep.state.trial(checkpoint.folder.parent.name)
    best = trial is winner(sweep.state)
    known = evidence_of(sweep.state, checkpoint) if best else {}
    tracker = WandbTracker.of(sweep.state.started, sweep.paths.wandb, warn=notify, files=True)
    with contextlib.closing(tracker):
        document = write(
            rows=validation_rows(
                sweep, split=trial.split, cache=cache_root(), progress=progress, notify=notify
            ),
            evidence={**known, **(evidence or {})},
            before=lambda draft: tracker.promise(
                promised(draft), folder=str(to.expanduser().absolute()), best=best
            ),
        )
        if tracker.mode == "online":
            notify("sending the export to W&B; after Ctrl-C the next command does it")
        save_export(tracker, sweep, to.expanduser().absolute(), best=best)
    return document


def save_export(tracker: WandbTracker, sweep: Sweep, folder: Path, *, best: bool) -> None:
    """Has the export in `folder` saved in W&B. Raises `OSError`."""
    from bertsweep.export.target import METRICS
    from bertsweep.tracking.saving import SaveRun

    document = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    name = promised(folder)
    tracker.write(SaveRun(sweep.state.started, folder, document, best, name), promised=name)


def promised(folder: Path) -> str:
    """What the W&B run of an export is owed as: a name of its content. Raises `OSError`."""
    from bertsweep.export.target import METRICS

    return f"save-{checksums.of_file(folder / METRICS)}"


def evidence_of(state: SweepState, checkpoint: Checkpoint) -> dict[str, Any]:
    """What is on record of the winner's checkpoint, for a card: see `export.card.Findings`."""
    found: dict[str, Any] = {}
    outcome = None if state.confirmation is None else state.confirmation.outcome
    if outcome is not None:
        every = [*outcome["finalists"], *filter(None, [outcome["baseline"]])]
        chosen = next(one for one in every if one["trial"] == outcome["delivered"])
        interval = None if chosen["low"] is None else [chosen["low"], chosen["high"]]
        found |= {
            "score": chosen["mean"],
            "interval": interval,
            "verdict": outcome["verdict"]["text"],
        }
    reading = state.test
    if reading is None or reading.result is None:
        return found
    opened, result = reading.opened, reading.result
    if not checkpoint.folder.match(opened.path):
        # An earlier winner's scores are not this one's.
        return {**found, "test": f"read for {opened.trial} of this sweep, not for this checkpoint"}
    metric, calibration = state.metric.removeprefix("val_"), result["calibration"]
    return found | {
        "test": {
            metric: result["metrics"].get(metric),
            "95 % interval": list((result["intervals"].get(metric) or {}).values()),
            "rows": result["rows"],
            "readings of the split": len(state.tests),
            **({} if opened.aim is None else {"aim": opened.aim, "threshold": opened.threshold}),
        },
        "calibration": {
            name: calibration[name] for name in ("temperature", "expected_calibration_error")
        },
        "slices": [
            f"{by} {one['slice']}: {one['metric']} {one['score']:.3f} ({one['rows']} rows)"
            for by in ("length", "class")
            for one in result["slices"][by]
            if one["score"] is not None
        ],
    }
