"""What follows a sweep's ledger while it runs: the study's database and W&B."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bertsweep import data
from bertsweep.data import Dataset
from bertsweep.ledger import Ledger, SweepState
from bertsweep.paths import SweepPaths
from bertsweep.search.mirror import StudyMirror
from bertsweep.spec import SweepSpec
from bertsweep.tracking import WandbTracker


@contextlib.contextmanager
def following(
    spec: SweepSpec,
    paths: SweepPaths,
    ledger: Ledger,
    started: Mapping[str, Any],
    *,
    past: SweepState | None = None,
    notify: Callable[[str], None],
) -> Iterator[WandbTracker]:
    """Subscribes the followers, tells them the `past` of a resumed sweep, closes them.

    The ledger is closed with them, once everything in it was told.
    """
    mirror = StudyMirror(
        spec.search.storage or f"sqlite:///{paths.study}",
        study=f"{started['name']}-{started['sweep']}",
        space=spec.space,
        metric=started["objective"]["metric"],
        mode=started["objective"]["mode"],
        warn=notify,
        past=past,
    )
    tracker = WandbTracker(
        mode=spec.tracking.wandb,
        project=spec.tracking.project,
        entity=spec.tracking.entity,
        group=str(started["name"]),
        folder=paths.wandb,
        warn=notify,
        past=past,
    )
    with contextlib.closing(ledger), contextlib.closing(mirror), contextlib.closing(tracker):
        ledger.subscribe(mirror.handle)
        ledger.subscribe(tracker.handle)
        yield tracker


def log_data(tracker: WandbTracker, dataset: Dataset, *, sample_rows: int) -> None:
    """Sends the first training rows and the distributions of the data to W&B."""
    sample = dataset.splits["train"].head(sample_rows)
    rows = [{"split": "train", **dict(row)} for _, row in sample.iterrows()]
    tracker.log_data(data.statistics(dataset), rows, dataset.labels, dataset.notes)
