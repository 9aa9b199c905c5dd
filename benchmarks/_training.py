"""Two real tasks, and a worker's bench that trains on one of them in this process."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import _inputs, _tables

if TYPE_CHECKING:
    from bertsweep.sweep.materials import Prepared
    from bertsweep.trial.job import TrialJob
    from bertsweep.trial.workbench import Workbench

LONGEST = 64
"""Word pieces of a row that are kept: nearly all of these questions are shorter."""


@dataclass(frozen=True)
class Task:
    """Where the rows are, by the keys of a search space file, and what is scored."""

    name: str
    data: Mapping[str, Any]
    metric: str


def add_options(
    parser: argparse.ArgumentParser, *, rows: int, validation: int, test: int, trec_rows: int | None
) -> None:
    """The options that `tasks` and `workbench` read, with the sizes that a program measures at."""
    parser.add_argument("--tasks", nargs="+", default=["quora", "trec6"], metavar="TASK")
    parser.add_argument("--rows", type=int, default=rows, help="quora: training rows")
    parser.add_argument("--validation", type=int, default=validation, help="quora: rows")
    parser.add_argument("--test", type=int, default=test, help="quora: rows")
    parser.add_argument("--trec-rows", type=int, default=trec_rows, help="trec6: training rows")
    parser.add_argument("--threads", type=int, default=_tables.cores())
    parser.add_argument("--precision", default="float32")


def tasks(options: argparse.Namespace) -> dict[str, Task]:
    """The tasks asked for whose files are there."""
    split = {"train": options.rows, "validation": options.validation, "test": options.test}
    quora = {
        "source": str(options.questions or _inputs.REAL / "quora" / "train.csv"),
        "text": "question_text",
        "label": "target",
        "split": split,
    }
    folder = _inputs.REAL / "trec6"
    trec = {
        "source": {name: str(folder / f"{name}.csv") for name in ("train", "test")},
        "text": "text",
        "label": "label_coarse",
        "split": {"train": options.trec_rows or "rest", "validation": 0.1},
    }
    found = {"quora": Task("quora", quora, "average_precision")}
    if (folder / "train.csv").is_file():
        found["trec6"] = Task("trec6", trec, "accuracy")
    return {name: task for name, task in found.items() if name in options.tasks}


def prepared(task: Task, encoder: Path) -> Prepared:
    """The rows of a task, split and tokenised."""
    from bertsweep.paths import cache_root
    from bertsweep.spec import parse
    from bertsweep.sweep.materials import prepare_materials

    document = {
        "name": "benchmark",
        "data": task.data,
        "encoder": {"source": str(encoder)},
        "space": {"learning_rate": 2e-5, "max_seq_length": LONGEST},
        "baseline": {"max_seq_length": LONGEST},
    }
    spec = parse(json.dumps(document), source="benchmark.yaml")
    return prepare_materials(
        spec, cache=cache_root(), base=Path.cwd(), progress=None, notify=lambda _: None
    )


def workbench(
    options: argparse.Namespace, rows: Prepared, task: Task, folder: Path, *, report_every: float
) -> tuple[Workbench, TrialJob]:
    """A bench for all trials of a task, and the job that it was built for."""
    from bertsweep.trial.job import TrialJob
    from bertsweep.trial.workbench import Workbench

    job = TrialJob(
        folder=str(folder),
        tokens=str(rows.tokens),
        encoder=str(rows.encoder.folder),
        labels=rows.dataset.labels,
        text=("text",),
        metric=f"val_{task.metric}",
        mode="max",
        report_every=report_every,
        cpus=options.threads,
        gpus=0,
        precision=options.precision,
    )
    return Workbench(job), job
