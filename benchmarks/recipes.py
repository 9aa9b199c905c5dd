"""What each part of a recipe is worth: the same seeds with and without it, on two tasks.

    python -m benchmarks.recipes                    # hours; goes on where it was left
    python -m benchmarks.recipes --table            # what is there so far

Quora (6,000 / 4,000 / 4,000 rows, average precision) and TREC-6 (its own test questions, accuracy),
MiniLM. A variant is a recipe, or `modern` without one of its parts or with one more. Every variant
is trained with the same seeds, which draw the head, the order of the rows and the dropout, at every
learning rate. A trial's checkpoint is the best of its reports on the validation rows; it is scored
on the test rows. The table has the mean over the seeds of that score and, pair by pair, the
difference from the tutorial's recipe at the learning rate that is best for it on the validation
rows, with its standard error. Every trial is a line of the file, written when it is done.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import _inputs, _tables, _training

if TYPE_CHECKING:
    from bertsweep.sweep.materials import Prepared

TUTORIAL, MODERN = "tutorial", "modern"
USUAL: dict[str, Any] = {
    "dropout": 0.1,
    "batch_size": 32,
    "epochs": 3,
    "max_seq_length": _training.LONGEST,
}
"""What all variants have in common."""

MORE: dict[str, dict[str, Any]] = {
    "modern, ema": {"average": "ema"},
    "modern, soup": {"average": "soup"},
    "modern, cls": {"pooling": "cls"},
    "modern, mean": {"pooling": "mean"},
    "modern, 1 fresh layer": {"reinit_layers": 1},
    "modern, layer_decay 0.8": {"layer_decay": 0.8},
    "modern, head 5 times as fast": {"head_learning_rate": 5.0},
}


def variants() -> dict[str, dict[str, Any]]:
    """Name → the parameters that a variant sets."""
    from bertsweep.spec.recipes import RECIPES

    modern = RECIPES[MODERN]
    found = {name: dict(values) for name, values in RECIPES.items()}
    for left_out in modern:
        if left_out != "optimizer":  # AdamW without its decay is Adam
            rest = {name: value for name, value in modern.items() if name != left_out}
            found[f"modern without {left_out}"] = rest
    return found | {name: {**modern, **values} for name, values in MORE.items()}


def measure(
    options: argparse.Namespace, task: _training.Task, encoder: Path, done: set[Any]
) -> None:
    """Trains what the file lacks; seeds are the outer loop, so that pairs are complete early."""
    prepared = _training.prepared(task, encoder)
    with tempfile.TemporaryDirectory() as folder:
        bench, job = _training.workbench(options, prepared, task, Path(folder), report_every=0.25)
        for seed, rate, name in _plan(options):
            key = (task.name, name, rate, seed)
            if key in done:
                continue
            values = {**USUAL, **variants()[name], "learning_rate": rate}
            found = trained(bench, job, task, prepared, values, seed)
            line = dict(zip(("task", "variant", "learning_rate", "seed"), key, strict=True))
            with options.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps({**line, **found}) + "\n")
            _tables.say(f"{key}: {found}")


def _plan(options: argparse.Namespace) -> Iterator[tuple[int, float, str]]:
    for seed in range(options.seeds):
        for rate in options.rates:
            for name in options.variants or variants():
                yield _inputs.SEED + seed, rate, name


def trained(
    bench: Any,
    job: Any,
    task: _training.Task,
    prepared: Prepared,
    values: Mapping[str, Any],
    seed: int,
) -> dict[str, Any]:
    """Validation and test score of the trial's checkpoint, and its seconds of training.

    `reports` has the validation score of every report.
    """
    from bertsweep import metrics
    from bertsweep.checkpoints import Checkpoint
    from bertsweep.spec.hyperparameters import Hyperparameters
    from bertsweep.tokens import Tokens
    from bertsweep.trial.job import Proposal
    from bertsweep.trial.session import Session

    begun = time.perf_counter()
    proposal = Proposal("t0000", Hyperparameters(**values).to_point(), seed)
    session = Session(bench, job, proposal)
    reports = [session.next_report()]
    while not reports[-1]["finished"]:
        reports.append(session.next_report())
    report = reports[-1]
    seconds = time.perf_counter() - begun
    checkpoint = Checkpoint.open(Path(job.folder) / report["checkpoint"])
    with bench.trainer.holding(checkpoint.arrays()):
        told = bench.trainer.evaluate(Tokens.open(prepared.tokens, "test"))
    scores = metrics.scores(told.labels, told.probabilities, loss=told.loss)
    shutil.rmtree(proposal.trial_folder(job))
    return {
        "validation": round(report["best"], 6),
        "test": round(scores[task.metric], 6),
        "seconds": round(seconds, 1),
        "reports": [round(one["objective"], 6) for one in reports],
    }


# The table


def read(file: Path) -> list[dict[str, Any]]:
    """Every trial in the file."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return [json.loads(line) for line in lines]


def summary(trials: Sequence[Mapping[str, Any]], task: str) -> list[list[str]]:
    """A row a variant: its best learning rate, score, difference with standard error, seeds."""
    scores: dict[str, dict[float, dict[int, Mapping[str, Any]]]] = {}
    for one in trials:
        if one["task"] == task:
            rates = scores.setdefault(one["variant"], {})
            rates.setdefault(one["learning_rate"], {})[one["seed"]] = one
    best = {name: max(rates.items(), key=_validation) for name, rates in scores.items()}
    usual = best[TUTORIAL][1] if TUTORIAL in best else {}
    rows = []
    for name, (rate, seeds) in best.items():
        tests = [one["test"] for one in seeds.values()]
        pairs = [one["test"] - usual[seed]["test"] for seed, one in seeds.items() if seed in usual]
        seconds = statistics.fmean(one["seconds"] for one in seeds.values())
        rows.append(
            [name, f"{rate:g}", mean(tests), mean(pairs), f"{seconds:.0f}", str(len(tests))]
        )
    return rows


def _validation(item: tuple[float, Mapping[int, Mapping[str, Any]]]) -> float:
    return statistics.fmean(one["validation"] for one in item[1].values())


def mean(values: Sequence[float]) -> str:
    """Mean ± standard error, which a single value has none of."""
    if not values:
        return ""
    if len(values) == 1:
        return f"{values[0]:.4f}"
    error = statistics.stdev(values) / math.sqrt(len(values))
    return f"{statistics.fmean(values):.4f} ± {error:.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    _inputs.add_options(parser)
    _training.add_options(parser, rows=6000, validation=4000, test=4000, trec_rows=None)
    parser.add_argument("--out", type=Path, help="JSON lines, a trial each; else in the cache")
    parser.add_argument("--seeds", type=int, default=10, help="of each variant and rate")
    parser.add_argument("--rates", type=float, nargs="+", default=[5e-5, 1e-4, 2e-4])
    parser.add_argument("--variants", nargs="+", metavar="NAME", help="some; else all")
    parser.add_argument("--table", action="store_true", help="train nothing")
    options = parser.parse_args()
    if unknown := sorted(set(options.variants or ()) - set(variants())):
        parser.error(f"a variant is one of {', '.join(variants())}, but got {', '.join(unknown)}")
    found = None if options.table else _inputs.inputs(options)
    options.out = options.out or _inputs.work_folder(options) / "recipes.jsonl"
    if found is not None:
        from bertsweep.trial.workbench import set_up_devices

        set_up_devices(cpus=options.threads, gpus=0)
    for task in _training.tasks(options).values():
        if found is not None:
            keys = ("task", "variant", "learning_rate", "seed")
            done = {tuple(one[key] for key in keys) for one in read(options.out)}
            measure(options, task, found.encoder, done)
        head = ["", "learning rate", f"test {task.metric}", "against the tutorial", "s", "seeds"]
        print(f"\n## {task.name}\n\n{_tables.table(head, summary(read(options.out), task.name))}")
    print(f"\n{_tables.machine()}; {_tables.versions('tensorflow')}.")


if __name__ == "__main__":
    main()
