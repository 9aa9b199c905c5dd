"""What a run is to be, before wandb is asked for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bertsweep.ledger.events import SweepStarted


@dataclass(frozen=True)
class RunSettings:
    """What a run is; opened twice with the same id it goes on."""

    id: str
    name: str
    job_type: str
    config: Mapping[str, Any]
    axes: Mapping[str, str] = field(default_factory=dict)
    """Metric, or pattern with `*`, → its x axis; the axes themselves have none ("")."""
    upload_seconds: float | None = None
    """How long the last upload of the run may take; by default `process.FINISH_TIMEOUT`."""


@dataclass(frozen=True)
class Files:
    """A folder to become a version of the artifact `name`, which the `aliases` then mean."""

    name: str
    type: str
    folder: Path
    metadata: Mapping[str, Any]
    aliases: Sequence[str]


class WholeRun(Protocol):
    """A run of which everything is known before it is opened."""

    @property
    def settings(self) -> RunSettings:
        """What the run is."""

    @property
    def step(self) -> int:
        """The place of its one row: W&B passes over a row that stands before an earlier one."""

    def charts(self, wandb: Any) -> dict[str, Any]:
        """Key → table or plot of the row; empty for no row."""

    def summary(self) -> dict[str, Any]:
        """Values of its summary."""

    def files(self) -> Files | None:
        """What becomes an artifact."""


def origin(started: SweepStarted, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the config of every run says of its sweep; of its trial's encoder, by its `params`."""
    return {
        "sweep": started.name,
        "positive": started.positive,
        "data_hash": started.data.get("hash"),
        "encoder_hash": started.encoder_of(params or {}).get("hash"),
    }
