"""An exploration as a W&B run of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bertsweep.errors import InputError
from bertsweep.exploration.document import Exploration
from bertsweep.tracking import settled_mode
from bertsweep.tracking.exploration import ExplorationRun
from bertsweep.tracking.runs import WandbRuns


def track(found: Exploration, *, folder: Path, warn: Callable[[str], None]) -> str:
    """Writes the run, online with a key and offline without; returns a sentence on where it is.

    Trouble with W&B is told to `warn`. Raises `InputError` where W&B is disabled.
    """
    tracking = found.subject.tracking
    mode = settled_mode(tracking.wandb)
    if mode == "disabled":
        raise InputError("--track logs to W&B, but W&B is disabled. Set WANDB_MODE=offline.")
    runs = WandbRuns(
        mode=mode,
        project=tracking.project,
        entity=tracking.entity,
        group=found.name,
        folder=folder,
        warn=warn,
    )
    run = ExplorationRun(found.name, found.to_plain(), sample_rows=tracking.sample_rows)
    try:
        whole = runs.write(run)
    finally:
        runs.close()
    where = f"W&B: {mode} run {run.settings.name} in {folder / 'wandb'}"
    return where if whole else f"{where}, which lacks something (see above)"
