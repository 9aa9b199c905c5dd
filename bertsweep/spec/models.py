"""The search space file as frozen pydantic models: the one schema behind errors, docs and editors.

What spans several keys is not here but in `checks.py`; the entries of `space`, `baseline` and
`search.warm_start` go by `hyperparameters.py` and are read in `domains.py` and `points.py`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag


class Section(BaseModel):
    """A mapping of the file: strict types, unknown keys refused, frozen once read."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        defer_build=True,  # sections are mostly read within the whole file: half the import time
    )


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _one_or_more(value: Any) -> Any:
    one = isinstance(value, (str, int)) and not isinstance(value, bool)
    return (value,) if one else _tuple(value)


def _kind(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


Text = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
ShareOrCount = Count | Share
Column = Text | Count
"""The name of a column, or its number (from 1) where a table has no header."""
Columns = Annotated[
    tuple[Column, ...], Field(min_length=1, max_length=2), BeforeValidator(_one_or_more)
]
Addresses = Annotated[tuple[Text, ...], BeforeValidator(_one_or_more)]
Character = Annotated[str, Field(min_length=1, max_length=1)]
Files = Text | Annotated[tuple[Text, ...], Field(min_length=1), BeforeValidator(_tuple)]
"""One path, glob pattern or address, or several, whose rows follow one another."""


class SourceFiles(Section):
    """Files for each split; those left out are cut from the train files by `data.split`."""

    train: Files = Field(
        title="path, glob or address of the training rows, or a list", examples=["train.csv"]
    )
    validation: Files | None = Field(None, title="the same of the validation rows")
    test: Files | None = Field(None, title="the same of the test rows")


class LabelFiles(SourceFiles):
    """Files of labels for the splits that `source` names, as many and in the same order."""


class Split(Section):
    """Stratified parts, cut one after the other: train, then validation, then test.

    A number below 1 is a share of the rows still there when its turn comes, a whole number is a
    count of rows, and `rest` is what the others leave.
    """

    train: ShareOrCount | Literal["rest"] = Field("rest", title="training rows")
    validation: ShareOrCount = Field(0.1, title="validation rows: stop, rank and set thresholds")
    test: ShareOrCount | Literal["rest"] = Field(0.1, title="test rows: untouched by the sweep")
    random_state: Seed = Field(42, title="seed of the split")


Format = Literal["csv", "tsv", "txt", "jsonl", "json", "parquet", "arrow", "xlsx"]

_USED_KEYS: dict[str, frozenset[str]] = {
    "csv": frozenset({"separator", "quote", "escape", "header", "columns", "encoding"}),
    "tsv": frozenset({"separator", "quote", "escape", "header", "columns", "encoding"}),
    "txt": frozenset({"encoding"}),
    "jsonl": frozenset({"encoding"}),
    "json": frozenset({"encoding"}),
    "parquet": frozenset(),
    "arrow": frozenset(),
    "xlsx": frozenset({"header", "columns"}),
}
"""Format → the keys of `Table` that it uses besides `class_names`."""


class Table(Section):
    """How a table is written. What is `auto` is recognised, and a note says what was taken."""

    separator: Literal["auto", "tab"] | Character = Field(
        "auto", title="csv, tsv: character between two fields, in quotes"
    )
    quote: Literal["auto", "none"] | Character = Field(
        "auto", title="csv, tsv: character around a field that holds the separator, in quotes"
    )
    escape: Literal["auto", "none"] | Character = Field(
        "auto", title="csv, tsv: character that makes a quote or separator after it plain text"
    )
    header: bool = Field(
        default=True, title="csv, tsv, xlsx: whether the first row names the columns"
    )
    columns: Annotated[tuple[Text, ...], BeforeValidator(_tuple)] = Field(
        (), title="csv, tsv, xlsx: names of the columns where there is no header"
    )
    encoding: Text = Field(
        "auto", title="csv, tsv, txt, json: encoding of the text, such as utf-16 or latin-1"
    )
    class_names: bool = Field(
        default=True,
        title="Hugging Face data: take the names of a ClassLabel column for its numbers",
    )

    def unused(self, table_format: str) -> list[str]:
        """The keys that are set here and have no effect on files of a format."""
        used = _USED_KEYS[table_format] | {"class_names"}
        return [
            name
            for name, field in type(self).model_fields.items()
            if name not in used and getattr(self, name) != field.default
        ]


class Data(Section):
    """Labelled text: where it is, which columns count, how it is split."""

    source: Files | SourceFiles = Field(
        title="path, glob, http(s)/s3/gs address, Hugging Face folder or `builtin:questions`, "
        "a list of files, or a mapping with these for each split",
        examples=["questions.csv"],
    )
    text: Columns = Field(
        ("text",),
        title="text column, or a list of two for sentence pairs; a number counts from 1 where "
        "there is no header",
    )
    label: Column = Field("label", title="label column, or its number where there is no header")
    positive: bool | int | float | str | None = Field(
        None,
        title="positive one of two labels; left out, 1, true, yes or positive, else the rarer one",
        examples=["spam"],
    )
    labels: Files | LabelFiles | None = Field(
        None, title="txt: file with one label a line, for each file of `source`"
    )
    format: Literal["auto"] | Format = Field("auto", title="file format; auto goes by the name")
    table: Table = Field(default_factory=Table, title="how the table is written")
    member: Text | None = Field(
        None,
        title="which is meant of several files in a zip, sheets of a workbook or configurations "
        "of a Hugging Face folder",
    )
    max_unpacked_gb: Annotated[float, Field(gt=0)] = Field(
        20.0, title="refuse a zip or gz that unpacks to more than this many GB"
    )
    limit: Count | None = Field(
        None, title="use only this many rows, drawn with `split.random_state`"
    )
    leaks: Literal["drop", "keep"] = Field(
        "drop", title="validation and test rows whose text also stands in train"
    )
    split: Split = Field(default_factory=Split, title="how rows are split")

    def files(self) -> dict[str, tuple[str, ...]]:
        """Split → its paths, patterns and addresses; splits that `source` leaves out are absent."""
        return _by_split(self.source)

    def label_files(self) -> dict[str, tuple[str, ...]]:
        """The same of the files that hold labels; empty where the labels are a column."""
        return {} if self.labels is None else _by_split(self.labels)


def _by_split(files: str | tuple[str, ...] | SourceFiles) -> dict[str, tuple[str, ...]]:
    if not isinstance(files, SourceFiles):
        return {"train": _one_or_more(files)}
    parts = {"train": files.train, "validation": files.validation, "test": files.test}
    return {name: _one_or_more(part) for name, part in parts.items() if part is not None}


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

    sampler: Annotated[Sampler, BeforeValidator(_kind)] = Field(
        default_factory=Sampler, title="sampler, or just its kind"
    )
    scheduler: Annotated[Scheduler, BeforeValidator(_kind)] = Field(
        default_factory=Scheduler, title="scheduler, or just its kind"
    )
    seed: Seed | None = Field(None, title="seed of the sampler; left out, the sweep's `seed`")
    warm_start: Annotated[tuple[dict[str, Any], ...], BeforeValidator(_tuple)] = Field(
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
    vary: Annotated[tuple[Literal["seed", "split"], ...], BeforeValidator(_tuple)] = Field(
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
        Objective | Annotated[tuple[Objective, ...], Field(min_length=1), BeforeValidator(_tuple)]
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
        tuple[Literal["savedmodel", "keras", "huggingface", "onnx"], ...], BeforeValidator(_tuple)
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
