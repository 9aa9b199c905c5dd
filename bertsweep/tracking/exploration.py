"""The run of job_type `explore`: what `bertsweep explore` shows, as tables and plots."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bertsweep.tracking.data import distributions
from bertsweep.tracking.plans import RunSettings


@dataclass(frozen=True)
class ExplorationRun:
    """The document of `explore --json` of the subject `name`.

    With `sample_rows` 0 no text of the rows is shown.
    """

    name: str
    document: Mapping[str, Any]
    sample_rows: int
    number: str = field(default_factory=lambda: secrets.token_hex(4))

    step = 1

    @property
    def settings(self) -> RunSettings:
        """A run of its own for each exploration."""
        return RunSettings(
            id=f"explore-{self.number}",
            name=f"{self.name}-explore",
            job_type="explore",
            config={
                "data_hash": self.document["hash"],
                "labels": [str(label) for label in self.document["labels"]],
                "positive": self.document["positive"],
                "rows": {name: one["rows"] for name, one in self.document["splits"].items()},
            },
        )

    def charts(self, wandb: Any) -> dict[str, Any]:
        """Distributions, tests, what is cut, and likely label errors."""
        kinds = ("words", "characters", "word_pieces")
        charts = distributions(wandb, self.document["splits"], kinds=kinds)
        charts["data/alike"] = _table(wandb, self.document["alike"]["tests"], skip=("splits",))
        charts["data/truncation"] = _table(
            wandb, [{**row, **_cut(row)} for row in self.document["truncation"]], skip=("cut",)
        )
        if self.document["notes"]:
            charts["data/notes"] = _table(wandb, self.document["notes"])
        if self.sample_rows:
            charts |= self._texts(wandb)
        return charts

    def _texts(self, wandb: Any) -> dict[str, Any]:
        missed = self.document["missed"]
        tables = {
            "data/sample": self.document["samples"],
            "data/conflicts": [
                {
                    "nearness": one["nearness"],
                    "label": one["one"]["label"],
                    "text": one["one"]["text"],
                    "other_label": one["other"]["label"],
                    "other_text": one["other"]["text"],
                }
                for one in self.document["conflicts"]["shown"]
            ],
            "data/missed": missed["shown"] if missed else [],
        }
        return {
            key: _table(wandb, rows[: self.sample_rows]) for key, rows in tables.items() if rows
        }

    def summary(self) -> dict[str, Any]:
        """Counts of what was found."""
        missed = self.document["missed"]
        return {
            "alike": self.document["alike"]["told"],
            "conflicts": self.document["conflicts"]["count"],
            "missed": missed["count"] if missed else None,
            "parameters": (self.document["model"] or {}).get("parameters"),
        }

    def files(self) -> None:
        return None


def _cut(row: Mapping[str, Any]) -> dict[str, float]:
    return {f"cut_{name}": share for name, share in row["cut"].items()}


def _table(wandb: Any, rows: Any, *, skip: tuple[str, ...] = ()) -> Any:
    """A table of mappings with the same keys; labels are text, as a W&B column has one type."""
    columns = [name for name in rows[0] if name not in skip]
    data = [[_cell(name, row[name]) for name in columns] for row in rows]
    return wandb.Table(columns=columns, data=data)


def _cell(name: str, value: Any) -> Any:
    return str(value) if "label" in name or name == "predicted" else value
