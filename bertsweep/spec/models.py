"""The search space file as frozen pydantic models: the one schema behind errors, docs and editors.

What spans several keys is not here but in `checks.py`; the entries of `space`, `baseline` and
`search.warm_start` go by `hyperparameters.py` and are read in `domains.py` and `points.py`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from bertsweep.spec.data_models import Data
from bertsweep.spec.fields import Addresses, Count, Section, Seed, Share, Text, as_kind, as_tuple


class Encoder(Section):
    """The pre-trained BERT encoder, or several with names: `{small: {source: …}, large: …}`."""

    source: Text = Field(
        title="TF Hub handle, `hf://owner/name[@revision]` of the Hugging Face Hub, a folder "
        "(SavedModel, original BERT checkpoint, or Hugging Face: BERT, DistilBERT, ELECTRA, "
        "RoBERTa, XLM-R) or `builtin:tiny`",
        examples=["builtin:tiny"],
    )
    mirrors: Addresses = Field(
        (), title="other addresses of the same encoder, tried in order when `source` fails"
    )
    lowercase: Literal["auto"] | bool = Field(
        "auto", title="lower-case the text; auto takes what the encoder says"
    )


def _form(value: Any) -> str:
    """Which form of the section is meant: one encoder, or a mapping of names and encoders."""
    if not isinstance(value, dict) or value.keys() & Encoder.model_fields.keys():
        return _ONE
    inner = [one for one in value.values() if isinstance(one, (dict, Encoder))]
    return _SEVERAL if inner else _ONE


_ONE, _SEVERAL = "one encoder", "several encoders"
Encoders = Annotated[
    Annotated[Encoder, Tag(_ONE)]
    | Annotated[dict[str, Encoder], Field(min_length=1), Tag(_SEVERAL)],
    Discriminator(_form),
]


class Objective(Section):
    """What makes one trial better than another, measured on the validation split."""

    metric: Text = Field(
        "val_average_precision", title="metric that trials are ranked by, or a cost after the first"
    )
    mode: Literal["auto", "max", "min"] = Field(
        "auto", title="direction; auto knows each metric's own"
    )
    threshold: (
        Literal["auto", "f1", "accuracy", "balanced_accuracy", "precision_at_recall"] | Share
    ) = Field(
        "auto",
        title="probability from which `predict` says positive, with two classes; auto is the "
        "metric's own",
    )


class Within(Section):
    """Which trial is used of those that no other beats in every objective."""

    within: Annotated[float, Field(gt=0)] = Field(
        title="the best by the second objective, of those at most this much worse than the best by "
        "the first",
        examples=[0.01],
    )


class Sampler(Section):
    """How the next point is proposed. In place of the mapping, its `kind` alone will do."""

    kind: Literal["tpe", "random", "grid", "gp", "cmaes"] = Field("tpe", title="algorithm")
    startup_trials: Count | None = Field(
        None,
        title="random trials before tpe, gp or cmaes begin to model; left out, 4 for tpe and 10 "
        "for the others",
    )

    @property
    def startup(self) -> int:
        """`startup_trials`, or what it is where it is left out."""
        return self.startup_trials or (4 if self.kind == "tpe" else 10)


class Scheduler(Section):
    """Which trials are stopped early, and when. In place of the mapping, its `kind` will do."""

    kind: Literal["asha", "hyperband", "median", "none"] = Field("asha", title="algorithm")
    grace_epochs: Annotated[float, Field(gt=0)] = Field(
        0.5, title="epochs every trial trains before it may be stopped"
    )
    grace_steps: Annotated[int, Field(ge=0)] = Field(
        100, title="optimizer steps it makes before that, however many epochs they are"
    )
    reduction_factor: Annotated[float, Field(ge=1.5)] = Field(
        3.0, title="asha, hyperband: one in this many trials passes a rung"
    )
    min_trials: Count = Field(3, title="median: trials to compare with before any is stopped")


class Search(Section):
    """Optuna proposes, the scheduler stops."""

    sampler: Annotated[Sampler, BeforeValidator(as_kind)] = Field(
        default_factory=Sampler, title="sampler, or just its kind"
    )
    scheduler: Annotated[Scheduler, BeforeValidator(as_kind)] = Field(
        default_factory=Scheduler, title="scheduler, or just its kind"
    )
    seed: Seed | None = Field(None, title="seed of the sampler; left out, the sweep's `seed`")
    warm_start: Annotated[tuple[dict[str, Any], ...], BeforeValidator(as_tuple)] = Field(
        (), title="list of points of the space that are tried right after the baseline"
    )
    storage: Text | None = Field(
        None, title="database URL that mirrors the study; left out, `study.db` in the sweep"
    )


class Budget(Section):
    """How much the search may use: of several bounds, the one that is reached first counts."""

    trials: Count | None = Field(
        None,
        title="trials, the baseline included; 20 where no other key of `budget` is given",
        examples=[20],
    )
    trainings: Annotated[float, Field(gt=0)] | None = Field(
        None,
        title="trainings of all the epochs that `space.epochs` allows: a trial that is stopped "
        "early uses a part of one, so that more trials fit",
    )
    gpu_hours: Annotated[float, Field(gt=0)] | None = Field(
        None, title="hours of GPUs that trials have had, after which no trial starts"
    )
    hours: Annotated[float, Field(gt=0)] | None = Field(
        None, title="wall-clock hours after which no trial starts"
    )


class StopWhen(Section):
    """What ends the search before its budget is used up: no trial starts any more."""

    reached: float | None = Field(
        None, title="value of the objective that is good enough: a trial has come to it"
    )
    plateau: Annotated[int, Field(ge=2)] | None = Field(
        None,
        title="trials in a row, none of which beat the best before them by more than one standard "
        "error of the difference on the validation rows",
    )


class Resources(Section):
    """What one trial receives and how many run at once."""

    cpus_per_trial: Annotated[float, Field(gt=0)] | Literal["auto"] = Field(
        "auto", title="CPU cores per trial; auto leaves no GPU idle; without GPUs it is at most 4"
    )
    gpus_per_trial: Annotated[float, Field(ge=0)] | Literal["auto"] = Field(
        "auto",
        title="GPUs per trial: 0, a fraction of one, or several; auto is 1 if a node has any",
    )
    concurrent: Count | Literal["auto"] = Field(
        "auto", title="trials at once; auto fills the machine"
    )
    encoders_kept: Count | Literal["auto"] = Field(
        "auto",
        title="of several encoders, those that a worker keeps ready for its next trials; auto: as "
        "many as half of its memory holds with their optimizers",
    )
    address: Text | None = Field(
        None, title="address of a running Ray cluster; left out, `RAY_ADDRESS`, else this machine"
    )


class Checkpoints(Section):
    """What is kept on disk."""

    keep: Count = Field(
        3,
        title="best checkpoints kept across the sweep; the baseline's is kept besides, and with "
        "several objectives those of the front",
    )


class Confirm(Section):
    """How the winner is confirmed: finalists and baseline are trained again with fresh seeds."""

    finalists: Count = Field(
        3, title="most trials that are repeated, of those that cannot be told from the best"
    )
    seeds: Annotated[int, Field(ge=2)] = Field(3, title="fresh seeds of each; 2 at least")
    vary: Annotated[tuple[Literal["seed", "split"], ...], BeforeValidator(as_tuple)] = Field(
        ("seed",),
        title="what differs between repeats: `[seed]`, or `[seed, split]` to draw training and "
        "validation rows anew from both as well",
    )
    prefer: Literal["cheaper", "simpler"] = Field(
        "cheaper",
        title="which of finalists that tie: the one that predicts the fastest, or the simplest "
        "within one standard error of the best",
    )
    refit: Literal["none", "train+validation"] = Field(
        "none",
        title="whether the chosen configuration is trained once more, on training and validation "
        "rows together, and that checkpoint delivered; `none` delivers the best repeat's",
    )


class Tracking(Section):
    """Where trials are logged besides the ledger."""

    wandb: Literal["auto", "online", "offline", "disabled"] = Field(
        "auto", title="W&B mode; auto is online with a key and offline without"
    )
    project: Text = Field("bertsweep", title="W&B project")
    entity: Text | None = Field(None, title="W&B user or team")
    sample_rows: Annotated[int, Field(ge=0)] = Field(
        100, title="rows of the data shown as a W&B table; 0 for none"
    )


class SweepFile(Section):
    """The whole file: what to search, on which data, and how."""

    name: Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] = Field(
        title="name of the sweep and of its folder", examples=["quora-first"]
    )
    data: Data = Field(title="labelled text", examples=[{"source": "builtin:questions"}])
    encoder: Encoders = Field(
        title="pre-trained encoder, or several by name, which are then searched",
        examples=[{"source": "builtin:tiny"}],
    )
    recipe: Literal["tutorial", "modern"] = Field(
        "tutorial",
        title="parameters by name, for those that `space` leaves out: the tutorial's, which are "
        "the defaults, or those that fine-tune well today",
    )
    space: Annotated[dict[str, Any], Field(min_length=1)] = Field(
        title="parameters that are searched or fixed",
        examples=[{"learning_rate": [2e-5, 5e-5]}],
    )
    baseline: dict[str, Any] = Field(
        default_factory=dict, title="trial 0: a known configuration that the others must beat"
    )
    objective: (
        Objective | Annotated[tuple[Objective, ...], Field(min_length=1), BeforeValidator(as_tuple)]
    ) = Field(default_factory=Objective, title="what is best, or a list of objectives")
    prefer: Literal["best_first", "knee"] | Within = Field(
        "best_first", title="with several objectives, the rule that picks the trial to use"
    )
    search: Search = Field(default_factory=Search, title="sampler, scheduler, warm starts")
    budget: Budget = Field(default_factory=Budget, title="when to end")
    stop_when: StopWhen = Field(default_factory=StopWhen, title="what ends the search early")
    confirm: Confirm | None = Field(
        None, title="confirm the winner at the end; left out, `bertsweep confirm` can do it later"
    )
    export: Annotated[
        tuple[Literal["savedmodel", "keras", "huggingface", "onnx"], ...], BeforeValidator(as_tuple)
    ] = Field((), title="formats that the winner is written in at the end, in the sweep's folder")
    resources: Resources = Field(default_factory=Resources, title="what a trial receives")
    checkpoints: Checkpoints = Field(default_factory=Checkpoints, title="what is kept")
    tracking: Tracking = Field(default_factory=Tracking, title="where trials are logged")
    report_every: Annotated[float, Field(ge=0.001, le=1)] = Field(
        0.25, title="share of an epoch between two evaluations"
    )
    precision: Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"] = Field(
        "auto",
        title="what products of matrices are computed in; auto takes the faster after a probe",
    )
    jit: Literal["auto"] | bool = Field(
        "auto", title="compile training with XLA; auto probes it on GPUs and leaves it on CPUs"
    )
    seed: Seed = Field(42, title="seed of everything random but the split")

    def objectives(self) -> tuple[Objective, ...]:
        """All objectives, the one that trials are ranked by first."""
        return self.objective if isinstance(self.objective, tuple) else (self.objective,)
