"""The model card and metrics.json of an export."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from bertsweep.checkpoints import TRAIN_AND_VALIDATION, Checkpoint
from bertsweep.export.checking import Check
from bertsweep.export.story import story
from bertsweep.export.subject import FLOAT32, Subject
from bertsweep.export.target import CARD, KIND, METRICS
from bertsweep.export.usage import usage
from bertsweep.metrics import describe_rule
from bertsweep.version import VERSION

if TYPE_CHECKING:
    from bertsweep.results import Sweep

FORMAT = 1
"""Version of metrics.json."""

NOT_MEASURED = "not measured"
_PACKAGES = ("tensorflow", "tensorflow-text", "tf-keras", "tf-models-official", "tokenizers")
_MORE = {"onnx": ("onnx", "onnxruntime"), "huggingface": ("torch", "transformers")}


@dataclass(frozen=True)
class Findings:
    """What an export tells of itself: what it holds, where it comes from, how it was checked.

    `sweep` are the facts of `sweep_facts`, None for a checkpoint by itself. `evidence` holds what
    was found out about the model: `score`, `interval`, `verdict`, `test`, `calibration`, `slices`
    and `language`, any of which may be missing. `source` says what the rows of the checks are.
    """

    subject: Subject
    checks: Mapping[str, Check]
    rows: int
    source: str
    label_agreement: float
    sweep: Mapping[str, Any] | None
    evidence: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """metrics.json as plain values."""
        record = self.subject.record
        found = {
            "kind": KIND,
            "format": FORMAT,
            **self.subject.settings(),
            "threshold_rule": record.threshold_rule,
            "trial": record.trial,
            "epoch": record.epoch,
            "params": dict(record.params),
            "trained_on": record.trained_on,
            "validation": dict(record.metrics),
            "encoder": {"source": record.encoder.source, "hash": record.encoder.hash},
            "sweep": None if self.sweep is None else dict(self.sweep),
            "evidence": dict(self.evidence),
            "precision": {
                "checkpoint": record.compute.get("precision", FLOAT32),
                "export": FLOAT32,
                "label_agreement": self.label_agreement,
            },
            "checked_on": {"rows": self.rows, "source": self.source},
            "exports": {name: check.to_plain() for name, check in self.checks.items()},
            "versions": versions(list(self.checks)),
        }
        # What is not finite is null there.
        plain: dict[str, Any] = from_json(to_json(found, inf_nan_mode="null"))
        return plain

    def write(self, folder: Path) -> None:
        """Writes metrics.json and the card of all formats, and of each one into its folder."""
        text = json.dumps(self.document(), indent=2, ensure_ascii=False) + "\n"
        (folder / METRICS).write_text(text, encoding="utf-8")
        (folder / CARD).write_text(self.card(list(self.checks)), encoding="utf-8")
        for name in self.checks:
            (folder / name / CARD).write_text(self.card([name]), encoding="utf-8")

    def card(self, formats: Sequence[str]) -> str:
        """README.md of a folder that holds these formats."""
        from jinja2 import Environment, StrictUndefined, select_autoescape

        # Markdown is no HTML: nothing is escaped.
        environment = Environment(
            undefined=StrictUndefined,
            autoescape=select_autoescape((), default=False, default_for_string=False),
        )
        source = files("bertsweep.export").joinpath("card.md.j2").read_text(encoding="utf-8")
        text = environment.from_string(source).render(**self._words(formats))
        return text.rstrip() + "\n"

    def _words(self, formats: Sequence[str]) -> dict[str, Any]:
        subject, record, sweep = self.subject, self.subject.record, self.sweep
        rule = record.threshold_rule
        return {
            "title": f"{sweep['name']} {record.trial}" if sweep else f"bertsweep {record.trial}",
            "library": "transformers" if "huggingface" in formats else "tf-keras",
            "dataset": sweep["name"] if sweep else "not recorded",
            "language": self.evidence.get("language"),
            "metrics": {k: v for k, v in record.metrics.items() if k.startswith("val_")},
            "names": subject.names,
            "positive": subject.names[1] if subject.classes == 2 else None,
            "threshold": record.threshold,
            "rule": "not recorded how" if rule is None else describe_rule(rule),
            "texts": len(record.text),
            "encoder": record.encoder.source or "not recorded",
            "layers": subject.config.num_layers,
            "hidden": subject.config.hidden_size,
            "lowercase": record.encoder.lowercase,
            "length": subject.length,
            "precision": record.compute.get("precision", FLOAT32),
            "agreement": self.label_agreement,
            "rows": self.rows,
            "source": self.source,
            "sweep": sweep,
            "trial": record.trial,
            "epoch": f"{record.epoch:g}",
            "params": record.params,
            "refitted": record.trained_on == TRAIN_AND_VALIDATION,
            "shown": lambda key: described(self.evidence.get(key)),
            "value": described,
            "lasting": lasting,
            "checks": {name: self.checks[name] for name in formats},
            "formats": formats,
            "usage": {name: usage(name, subject) for name in formats},
            "versions": versions(formats),
        }


def sweep_facts(sweep: Sweep, checkpoint: Checkpoint) -> dict[str, Any]:
    """What the ledger tells of the search that an exported checkpoint comes from."""
    started, baseline, record = sweep.state.started, sweep.baseline, checkpoint.record
    trial = sweep.state.trial(checkpoint.folder.parent.name)
    value, repeats = record.metrics.get(sweep.metric), sweep.state.repeats.values()
    return {
        "name": sweep.name,
        "trials": len(sweep.trials),
        "metric": sweep.metric,
        "mode": sweep.mode,
        "value": value,
        "repeats": trial.repeats,
        "split": trial.split,
        "story": story(sweep.state, trial, value=described(value), epoch=record.epoch),
        "baseline": None if baseline is None else baseline.value,
        "hours": sweep.state.active_seconds / 3600,
        "trial_hours": sum(each.seconds for each in sweep.trials) / 3600,
        "repeat_hours": sum(each.seconds for each in repeats) / 3600,
        "gpu_hours": sum(each.gpu_hours for each in (*sweep.trials, *repeats)),
        "data_hash": started.data.get("hash"),
        "rows": dict(started.data.get("rows", {})),
        "encoder_hash": started.encoder_of(record.params).get("hash"),
        "versions": dict(started.versions),
    }


def versions(formats: Sequence[str]) -> dict[str, str]:
    """The versions of what wrote and checked these formats, where it is installed."""
    found = {"bertsweep": VERSION}
    for name in (*_PACKAGES, *(one for form in formats for one in _MORE.get(form, ()))):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def lasting(hours: float) -> str:
    """A time in the unit in which it is a number of a few digits."""
    for unit, seconds in (("hours", 3600), ("minutes", 60)):
        if hours * 3600 >= seconds:
            return f"{hours * 3600 / seconds:.1f} {unit}"
    return f"{hours * 3600:.1f} seconds"


def described(value: Any) -> str:
    """A value of the evidence in one line of text."""
    if value is None:
        return NOT_MEASURED
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else NOT_MEASURED
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {described(item)}" for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return (
            " to ".join(map(described, value))
            if len(value) == 2
            else ", ".join(map(described, value))
        )
    return str(value)
