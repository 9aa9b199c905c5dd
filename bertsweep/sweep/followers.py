"""What follows a sweep's ledger while it runs: the study's database and W&B."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bertsweep import data
from bertsweep.ledger import Event, Ledger
from bertsweep.paths import SweepPaths
from bertsweep.search.mirror import StudyMirror
from bertsweep.spec import SweepSpec
from bertsweep.sweep.prepare import Prepared
from bertsweep.tracking import WandbTracker


@contextlib.contextmanager
def following(
    spec: SweepSpec,
    paths: SweepPaths,
    ledger: Ledger,
    prepared: Prepared,
    started: Mapping[str, Any],
    *,
    past: Sequence[Event] = (),
    notify: Callable[[str], None],
) -> Iterator[None]:
    """Subscribes the followers, tells them the `past` events of a resumed sweep, closes them."""
    mirror = StudyMirror(
        spec.search.storage or f"sqlite:///{paths.study}",
        study=f"{started['name']}-{started['sweep']}",
        space=spec.space,
        metric=started["objective"]["metric"],
        mode=started["objective"]["mode"],
        warn=notify,
    )
    tracker = WandbTracker(
        mode=spec.tracking.wandb,
        project=spec.tracking.project,
        entity=spec.tracking.entity,
        group=str(started["name"]),
        folder=paths.wandb,
        warn=notify,
    )
    with contextlib.closing(ledger), contextlib.closing(mirror), contextlib.closing(tracker):
        for follower in (mirror, tracker):
            for event in past:
                follower.handle(event)
            ledger.subscribe(follower.handle)
        if not past:
            _log_data(tracker, spec, prepared)
        yield


def _log_data(tracker: WandbTracker, spec: SweepSpec, prepared: Prepared) -> None:
    dataset = prepared.dataset
    tracker.log_data(
        data.statistics(dataset),
        sample=dataset.splits["train"].head(spec.tracking.sample_rows).to_dict("records"),
        labels=dataset.labels,
        notes=[note.message for note in dataset.notes],
    )
