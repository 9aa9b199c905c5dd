"""Rows of a batch drawn at random against rows of similar length: what it costs, what it brings.

    python -m benchmarks.batches                  # examples/s, taking turns
    python -m benchmarks.batches --quality        # hours; goes on where it was left
    python -m benchmarks.batches --quality --table

MiniLM on Quora and TREC-6, batches of 32. Speed, each in its own process, the first turn left out:
bucketed, random with rows that share sequences (as `batches: random` trains), and random with
every row padded to its batch's longest. Examples a second depend on other work on the machine, and
on whether the bucketed batches of a turn are long or short; so beside them stand word pieces a
second of processor time, and how many places of a matrix a word piece takes.

Quality: the same seeds with both, which draw the head, the order of the rows and the dropout. The
table has the validation score after each epoch and the test score of the checkpoint that a trial
keeps, and pair by pair the difference of random from bucketed batches with its standard error.
Every trial is a line of the file, written when it is done.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import _inputs, _ours, _sides, _tables, _training, recipes

BUCKETED, PACKED, PADDED = "bucketed", "random, packed", "random, padded"
COMMON: dict[str, Any] = {
    "learning_rate": 5e-5,
    "dropout": 0.1,
    "batch_size": 32,
    "max_seq_length": _training.LONGEST,
}
KINDS = ("bucketed", "random")


# Speed


def serve(config: Mapping[str, Any]) -> None:
    """A side's own process: `steps` steps whenever it is its turn."""
    from bertsweep.spec.hyperparameters import Hyperparameters
    from bertsweep.trial.job import TrialJob
    from bertsweep.trial.workbench import Workbench, set_up_devices

    channel, kind = _sides.Channel(), config["kind"]
    job = TrialJob.from_plain(config["job"])
    set_up_devices(cpus=job.cpus, gpus=job.gpus)
    trainer = Workbench(job).trainer
    batches: Any = "bucketed" if kind == BUCKETED else "random"
    trainer.begin(Hyperparameters(**COMMON, batches=batches, epochs=10_000), seed=_inputs.SEED)
    if kind == PADDED:
        trainer.form = replace(trainer.form, packed=False)
    channel.send({"ready": True})
    while channel.receive() is not None:
        taken = [trainer._rows(trainer.step + number) for number in range(config["steps"])]
        places = trainer.feed(taken).ids.size
        pieces = sum(int(trainer._lengths[rows].sum()) for rows in taken)
        begun, used = time.perf_counter(), time.process_time()
        training = trainer.train(trainer.step + config["steps"])
        channel.send(
            {
                "examples": training.examples,
                "seconds": time.perf_counter() - begun,
                "processor": time.process_time() - used,
                "pieces": pieces,
                "places": places / pieces,
            }
        )


def speed(options: argparse.Namespace, task: _training.Task, encoder: Path) -> None:
    """Prints examples/s of the three, and their ratio to bucketed batches turn by turn."""
    prepared = _training.prepared(task, encoder)
    commands = {}
    for kind in (BUCKETED, PACKED, PADDED):
        job = _ours.trial_job(
            prepared,
            Path(tempfile.gettempdir()),
            threads=options.threads,
            precision=options.precision,
        )
        config = json.dumps({"job": job.to_plain(), "kind": kind, "steps": options.steps})
        commands[kind] = [sys.executable, "-m", "benchmarks.batches", "--side", config]
    with _sides.started(commands) as sides:
        answers = _sides.alternate(sides, rounds=options.rounds)
    head = ["", "examples/s", "of bucketed", "pieces a CPU second", "of bucketed", "places a piece"]
    rows = []
    for kind, turns in answers.items():
        columns = []
        for what, clock, digits in (("examples", "seconds", 1), ("pieces", "processor", 0)):
            rates, usual = (
                [turn[what] / turn[clock] for turn in told] for told in (turns, answers[BUCKETED])
            )
            ratios = [a / b for a, b in zip(rates, usual, strict=True)]
            spread = "" if kind == BUCKETED else _tables.spread(ratios, 2)
            columns += [_tables.spread(rates, digits), spread]
        rows.append([kind, *columns, _tables.spread([turn["places"] for turn in turns], 2)])
    print(f"\n## A step on {task.name}\n\n{_tables.table(head, rows)}")
    print(
        f"\nMedian (least to greatest) of {options.rounds} turns of {options.steps} steps, "
        f"{options.threads} threads, {options.precision}."
    )


# Quality


def quality(options: argparse.Namespace, tasks: Sequence[_training.Task], encoder: Path) -> None:
    """Trains what the file lacks; seeds are the outer loop, so that pairs are complete early."""
    with contextlib.ExitStack() as stack:
        benches = {}
        for task in tasks:
            prepared = _training.prepared(task, encoder)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            bench = _training.workbench(options, prepared, task, folder, report_every=1.0)
            benches[task.name] = (*bench, task, prepared)
        for seed in range(_inputs.SEED, _inputs.SEED + options.seeds):
            for task in tasks:
                for kind in KINDS:
                    key = {"task": task.name, "batches": kind, "seed": seed}
                    if not any(key.items() <= one.items() for one in recipes.read(options.out)):
                        values = {**COMMON, "epochs": options.epochs, "batches": kind}
                        found = recipes.trained(*benches[task.name], values, seed)
                        with options.out.open("a", encoding="utf-8") as file:
                            file.write(json.dumps({**key, **found}) + "\n")
                        _tables.say(f"{key}: {found}")


def summary(trials: Sequence[Mapping[str, Any]], task: str) -> list[list[str]]:
    """A row for each score: means of both over the seeds that have both, and their difference."""
    kinds = [
        {one["seed"]: one for one in trials if (one["task"], one["batches"]) == (task, kind)}
        for kind in KINDS
    ]
    seeds = sorted(kinds[0].keys() & kinds[1].keys())
    if not seeds:
        return []
    pairs = [(kinds[0][seed], kinds[1][seed]) for seed in seeds]
    epochs = min(len(one["reports"]) for pair in pairs for one in pair)
    scores: dict[str, list[tuple[float, float]]] = {
        f"validation, epoch {epoch + 1}": [
            (a["reports"][epoch], b["reports"][epoch]) for a, b in pairs
        ]
        for epoch in range(epochs)
    }
    scores["test, the kept checkpoint"] = [(a["test"], b["test"]) for a, b in pairs]
    return [
        [
            name,
            recipes.mean([one for one, _ in values]),
            recipes.mean([other for _, other in values]),
            recipes.mean([other - one for one, other in values]),
            str(len(values)),
        ]
        for name, values in scores.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    _inputs.add_options(parser)
    _training.add_options(parser, rows=6000, validation=4000, test=4000, trec_rows=None)
    parser.add_argument("--quality", action="store_true", help="pairs of trials")
    parser.add_argument("--out", type=Path, help="JSON lines, a trial each; else in the cache")
    parser.add_argument("--table", action="store_true", help="train nothing")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--steps", type=int, default=20, help="optimizer steps a turn")
    parser.add_argument("--rounds", type=int, default=8, help="turns each")
    options = parser.parse_args()
    found = None if options.table else _inputs.inputs(options)
    tasks = list(_training.tasks(options).values())
    options.out = options.out or _inputs.work_folder(options) / "batches.jsonl"
    if found is not None and not options.quality:
        for task in tasks:
            speed(options, task, found.encoder)
    elif found is not None:
        from bertsweep.trial.workbench import set_up_devices

        set_up_devices(cpus=options.threads, gpus=0)
        quality(options, tasks, found.encoder)
    for task in tasks if options.quality else ():
        head = [task.metric, *KINDS, "difference", "seeds"]
        table = _tables.table(head, summary(recipes.read(options.out), task.name))
        print(f"\n## {task.name}\n\n{table}")
    print(f"\n{_tables.machine()}; {_tables.versions('tensorflow')}.")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--side"]:
        serve(json.loads(sys.argv[2]))
    else:
        main()
