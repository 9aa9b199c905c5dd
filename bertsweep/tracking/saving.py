"""The run of job_type `save`: an export as a version of the model's artifact."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsweep.ledger.events import SweepStarted
from bertsweep.tracking.plans import Files, RunSettings, origin

UPLOAD_SECONDS = 600.0
"""How long the upload of an export may take."""

LATEST, BEST = "latest", "best"


@dataclass(frozen=True)
class SaveRun:
    """The export in `folder`, whose metrics.json is `document`; `last` ends the run's id.

    `best` says that it is of the checkpoint that the sweep delivers.
    """

    started: SweepStarted
    folder: Path
    document: Mapping[str, Any]
    best: bool
    last: str

    step = 1

    @property
    def settings(self) -> RunSettings:
        """A run of its own for each export; the same one for the same content."""
        trial = self.document["trial"]
        return RunSettings(
            id=f"{self.started.sweep}-{self.last}",
            name=f"{self.started.name}-save-{trial}",
            job_type="save",
            config={
                **origin(self.started, self.document["params"]),
                "trial": trial,
                "formats": self._formats,
            },
            upload_seconds=UPLOAD_SECONDS,
        )

    def charts(self, wandb: Any) -> dict[str, Any]:
        return {}

    def summary(self) -> dict[str, Any]:
        """The score and how the export was checked."""
        found = {"score": self._score["score"], "confirmed": self._score["confirmed"]}
        if self._score["interval"]:
            found |= dict(zip(("score_low", "score_high"), self._score["interval"], strict=True))
        for name, check in self.document["exports"].items():
            found[f"{name}_max_difference"] = check["max_difference"]
        return {name: value for name, value in found.items() if value is not None}

    def files(self) -> Files:
        """The whole folder of the export, as a version of the sweep's model."""
        return Files(
            name=artifact_name(self.started.name),
            type="model",
            folder=self.folder,
            metadata={
                "sweep": self.started.name,
                "trial": self.document["trial"],
                **self._score,
                **{name: self.document[name] for name in ("labels", "positive", "threshold")},
                "data_hash": self.started.data.get("hash"),
                "encoder_hash": self.started.encoder_of(self.document["params"]).get("hash"),
                "formats": self._formats,
                "params": self.document["params"],
            },
            aliases=[BEST, LATEST] if self.best else [LATEST],
        )

    @property
    def _formats(self) -> list[str]:
        return list(self.document["exports"])

    @property
    def _score(self) -> dict[str, Any]:
        """The confirmed score with its interval, else that of the validation rows."""
        metric, evidence = self.started.objective["metric"], self.document["evidence"]
        confirmed = evidence.get("score") is not None
        return {
            "metric": metric,
            "score": evidence["score"] if confirmed else self.document["validation"].get(metric),
            "interval": evidence.get("interval") if confirmed else None,
            "confirmed": confirmed,
        }


def artifact_name(sweep: str) -> str:
    """The artifact of a sweep's models: its name, of characters that W&B allows."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", f"{sweep}-model")
