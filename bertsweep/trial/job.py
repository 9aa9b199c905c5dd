"""What every trial of a sweep shares, as plain values that travel to any node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from msgspec import convert, to_builtins

from bertsweep.ledger import Refit
from bertsweep.metrics import ThresholdRule
from bertsweep.paths import SweepPaths
from bertsweep.space import Scalar
from bertsweep.spec.hyperparameters import ENCODER

AUTO = "auto"


@dataclass(frozen=True)
class EncoderFolders:
    """A prepared encoder and the tokens of its vocabulary, each a folder."""

    encoder: str
    tokens: str


@dataclass(frozen=True)
class TrialJob:
    """Folders, labels, objective and device share of a sweep's trials.

    `folder` is the sweep's, `tokens` and `encoder` are content-addressed; every node sees them by
    the same path. Where encoders have names, `encoders` has the folders of each, and those two are
    the first one's; a worker keeps `encoders_kept` of them ready. Of two `labels` the second is the
    positive one. `text` names the text columns of the data (two for pairs of texts). `report_every`
    is a share of an epoch; `threshold_rule` is what `metrics.threshold_rule` returned; `precision`
    and `jit` are as in a search space file. `costs` are those of `costs.COSTS` that are objectives;
    latencies are measured against a prediction with the parameters `reference`, the baseline's.
    """

    folder: str
    tokens: str
    encoder: str
    labels: tuple[Scalar, ...]
    text: tuple[str | int, ...]
    metric: str
    mode: str
    report_every: float
    cpus: float
    gpus: float
    threshold_rule: ThresholdRule = "f1"
    precision: str = "float32"
    jit: bool | str = False
    costs: tuple[str, ...] = ()
    reference: Mapping[str, Scalar] = field(default_factory=dict)
    encoders: Mapping[str, EncoderFolders] = field(default_factory=dict)
    encoders_kept: int | str = AUTO

    def of(self, params: Mapping[str, Scalar]) -> TrialJob:
        """The job of the trials that have the encoder of these parameters."""
        if not self.encoders:
            return self
        folders = self.encoders[str(params[ENCODER])]
        return replace(self, encoder=folders.encoder, tokens=folders.tokens)

    @property
    def reports_per_epoch(self) -> int:
        return round(1 / self.report_every)

    def to_plain(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> TrialJob:
        lists = ("labels", "text", "costs")
        named = plain.get("encoders", {}).items()
        folders = {name: EncoderFolders(**folders) for name, folders in named}
        found = {name: tuple(plain[name]) for name in lists if name in plain}
        return cls(**{**plain, **found, "encoders": folders})


@dataclass(frozen=True)
class Proposal:
    """One trial to run: its name, complete parameters and seed.

    `split` is the seed by which training and validation rows are drawn anew; None for those of the
    sweep. A `refit` trains on both together, which leaves none to be scored by.
    """

    trial: str
    params: Mapping[str, Scalar]
    seed: int
    split: int | None = None
    refit: Refit | None = None

    def to_plain(self) -> dict[str, Any]:
        plain: dict[str, Any] = to_builtins(asdict(self))
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Proposal:
        refit = plain.get("refit")
        return cls(**{**plain, "refit": None if refit is None else convert(refit, Refit)})

    def trial_folder(self, job: TrialJob) -> Path:
        """Where the trial keeps its checkpoints."""
        return SweepPaths(Path(job.folder)).trial(self.trial)
