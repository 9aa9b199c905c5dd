"""What subscribes to a sweep's ledger while it runs: the study's database and W&B."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from bertsweep import data
from bertsweep.data import Dataset
from bertsweep.ledger import Ledger
from bertsweep.ledger.events import SweepStarted
from bertsweep.ledger.state import goals_of
from bertsweep.paths import SweepPaths
from bertsweep.search.mirror import StudyMirror
from bertsweep.spec import SweepSpec
from bertsweep.tracking import WandbTracker
from bertsweep.tracking.data import DataRun


@contextlib.contextmanager
def following(
    spec: SweepSpec,
    paths: SweepPaths,
    ledger: Ledger,
    started: SweepStarted,
    *,
    notify: Callable[[str], None],
) -> Iterator[WandbTracker]:
    """Subscribes study database and W&B to the ledger, which tells them of the past; closes them.

    The ledger is closed with them, once everything in it was told.
    """
    mirror = StudyMirror(
        spec.search.storage or f"sqlite:///{paths.study}",
        study=f"{started.name}-{started.sweep}",
        space=spec.space,
        goals=goals_of(started),
        warn=notify,
    )
    tracker = WandbTracker.of(started, paths.wandb, warn=notify)
    with contextlib.closing(ledger), contextlib.closing(mirror), contextlib.closing(tracker):
        ledger.subscribe(mirror.handle)
        ledger.subscribe(tracker.handle)
        yield tracker


def data_run(started: SweepStarted, dataset: Dataset, *, sample_rows: int) -> DataRun:
    """The first training rows and the distributions of the data, for W&B."""
    sample = dataset.splits["train"].head(sample_rows)
    rows = [{"split": "train", **dict(row)} for _, row in sample.iterrows()]
    return DataRun(started, data.statistics(dataset), rows, dataset.labels, dataset.notes)
