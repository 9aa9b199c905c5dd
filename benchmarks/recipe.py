"""The tutorial's recipe as written against ours: the same encoder, rows and hyperparameters.

    python -m benchmarks.recipe                 # examples/s in steady state, taking turns
    python -m benchmarks.recipe --trial         # a whole trial each: seconds, average precision

Both sides start from one SavedModel, which Model Garden's own exporter writes with MiniLM's
weights. The recipe, of the well-known notebook on insincere questions: `hub.KerasLayer`, Model
Garden's `FullTokenizer` in `tf.py_function`, everything padded to 128, float32, batches of 32 (what
is left at the end of an epoch is dropped), dropout 0.5, one sigmoid unit, Adam 2e-5, binary
cross-entropy, and its four metrics in the step. One thing differs from the notebook: the module is
called with a dict and its `pooled_output` is taken by name, as modules of today want it.

Steady state: both processes are alive and take turns, the first of which is left out. A trial: a
fresh process a seed, measured from its start to the last validation, all set-up included. Ours
counts what a sweep does but once (reading the rows, converting the SavedModel, tokenising), with an
empty cache, and is shown without it too; Ray is not in it (see `benchmarks.overhead`).
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import _inputs, _ours, _sides, _tables, _tutorial
from benchmarks._sides import Channel, Side
from benchmarks._tutorial import BATCH, DROPOUT, LEARNING_RATE, LENGTH

TUTORIAL, OURS = "tutorial's recipe", "bertsweep"


# Ours


def our_trial(channel: Channel, config: Mapping[str, Any]) -> None:
    """A sweep's preparation with an empty cache, then a trial; then one more on the used actor."""
    begun = time.perf_counter()
    folder = Path(config["folder"])
    prepared = _ours.preparation(Path(config["rows"]), Path(config["module"]), folder)
    how = {"threads": config["threads"], "precision": config["precision"]}
    job = _ours.trial_job(prepared, folder / "sweep", **how)
    preparing = time.perf_counter() - begun

    from bertsweep.trial.workbench import Workbench, set_up_devices

    set_up_devices(cpus=job.cpus, gpus=job.gpus)
    bench = Workbench(job)
    seconds, report = _run(bench, job, "t0000", config)
    channel.send({"fitting": seconds, "preparing": preparing})
    channel.send({"average_precision": report["metrics"]["val_average_precision"]})
    if channel.receive() is not None:
        seconds, report = _run(bench, job, "t0001", config)
        score = report["metrics"]["val_average_precision"]
        channel.send({"fitting": seconds, "average_precision": score})


def _run(bench: Any, job: Any, trial: str, config: Mapping[str, Any]) -> tuple[float, Any]:
    from bertsweep.spec.hyperparameters import Hyperparameters
    from bertsweep.trial.job import Proposal
    from bertsweep.trial.session import Session

    begun = time.perf_counter()
    hyperparameters = Hyperparameters(
        learning_rate=LEARNING_RATE,
        dropout=DROPOUT,
        max_seq_length=LENGTH,
        batch_size=BATCH,
        epochs=config["epochs"],
    )
    session = Session(bench, job, Proposal(trial, hyperparameters.to_point(), config["seed"]))
    report = session.next_report()
    while not report["finished"]:
        report = session.next_report()
    return time.perf_counter() - begun, report


# What both start from


# The two measurements


def steady(options: argparse.Namespace, config: dict[str, Any]) -> None:
    """Prints examples/s of both sides and their ratio, round by round the same turn for each."""
    folder = Path(config["folder"])
    prepared = _ours.preparation(Path(config["rows"]), Path(config["module"]), folder)
    job = _ours.trial_job(prepared, folder, threads=options.threads, precision=options.precision)
    rounds = {"rounds": options.rounds}
    commands = {
        TUTORIAL: command("tutorial", config | rounds | {"steps": options.steps}),
        OURS: command("ours", {"job": job.to_plain(), "steps": options.our_steps}),
    }
    with _sides.started(commands) as sides:
        answers = _sides.alternate(sides, rounds=options.rounds)
    theirs, ours = _tables.rates(answers[TUTORIAL]), _tables.rates(answers[OURS])
    ratios = [b / a for a, b in zip(theirs, ours, strict=True)]
    print("\n## Training in steady state\n")
    print(
        _tables.table(
            ["", "examples/s", "steps a turn", "ratio"],
            [
                [TUTORIAL, _tables.spread(theirs), str(options.steps), ""],
                [OURS, _tables.spread(ours), str(options.our_steps), _tables.spread(ratios, 2)],
            ],
        )
    )
    print(f"\nMedian (least to greatest) of {options.rounds} turns each, after one of warm-up.")


def trials(options: argparse.Namespace, config: dict[str, Any]) -> None:
    """Prints seconds and validation average precision of a whole trial, seed by seed."""
    found: dict[str, list[dict[str, float]]] = {TUTORIAL: [], OURS: []}
    used: list[dict[str, float]] = []
    for number in range(options.seeds):
        run = config | {"seed": _inputs.SEED + number, "epochs": options.epochs}
        for name, task in ((TUTORIAL, "tutorial-trial"), (OURS, "our-trial")):
            with tempfile.TemporaryDirectory(dir=config["folder"]) as fresh:
                begun = time.perf_counter()
                side = Side(command(task, run | {"folder": fresh}))
                answer = side.receive()
                answer["seconds"] = time.perf_counter() - begun
                answer |= side.receive()
                found[name].append(answer)
                if name == OURS and not number:
                    used.append(side.turn())
                side.close()
            _tables.say(
                f"seed {run['seed']}: {name}: {answer['seconds']:.0f} s, average precision "
                f"{answer['average_precision']:.4f}"
            )
    print(f"\n## A whole trial: {options.rows:,} rows, {options.epochs} epochs\n")
    print(_tables.table(*_trial_table(found, used)))
    difference = _mean(found[OURS]) - _mean(found[TUTORIAL])
    print(
        f"\nMean average precision of {options.seeds} seeds on {options.validation:,} rows: "
        f"ours is {difference:+.4f} from the tutorial's. The repeated seed on the used actor "
        f"gave {used[0]['average_precision']:.4f}, and on the fresh one "
        f"{found[OURS][0]['average_precision']:.4f}."
    )


def _trial_table(
    found: Mapping[str, Sequence[Mapping[str, float]]], used: Sequence[Mapping[str, float]]
) -> tuple[list[str], list[list[str]]]:
    theirs = [answer["seconds"] for answer in found[TUTORIAL]]
    whole = [answer["seconds"] for answer in found[OURS]]
    prepared = [answer["seconds"] - answer["preparing"] for answer in found[OURS]]

    def line(name: str, seconds: Sequence[float], scores: Sequence[Mapping[str, float]]) -> Any:
        ratios = [a / b for a, b in zip(theirs, seconds, strict=False)]
        values = _tables.spread([score["average_precision"] for score in scores], 4)
        ratio = "" if name == TUTORIAL else _tables.spread(ratios, 2)
        return [name, _tables.spread(seconds), values, ratio]

    again = [answer["fitting"] for answer in used]
    return ["", "seconds", "average precision", "times as fast"], [
        line(TUTORIAL, theirs, found[TUTORIAL]),
        line(f"{OURS}, preparation included", whole, found[OURS]),
        line(f"{OURS}, prepared once a sweep", prepared, found[OURS]),
        line(f"{OURS}, used actor", again, used),
    ]


def _mean(answers: Sequence[Mapping[str, float]]) -> float:
    return statistics.fmean(answer["average_precision"] for answer in answers)


# The program


def command(task: str, config: Mapping[str, Any]) -> list[str]:
    """The command line of one side."""
    return [sys.executable, "-m", "benchmarks.recipe", "--side", task, json.dumps(config)]


def serve(task: str, config: Mapping[str, Any]) -> None:
    """What a side's own process does."""
    channel = Channel()
    if task == "ours":
        _ours.turns(channel, config["job"], steps=config["steps"], batch_size=BATCH)
        return
    tasks = {
        "tutorial": _tutorial.turns,
        "tutorial-trial": _tutorial.trial,
        "our-trial": our_trial,
    }
    tasks[task](channel, config)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--steady", action="store_true", help="examples/s, taking turns (default)")
    which.add_argument("--trial", action="store_true", help="whole trials")
    _inputs.add_options(parser)
    parser.add_argument("--rows", type=int, default=6000, help="training rows")
    parser.add_argument("--validation", type=int, default=4000, help="validation rows")
    parser.add_argument("--epochs", type=int, default=2, help="--trial: passes over the rows")
    parser.add_argument("--seeds", type=int, default=3, help="--trial: trials a side")
    parser.add_argument("--steps", type=int, default=15, help="--steady: the tutorial's, a turn")
    parser.add_argument("--our-steps", type=int, default=94, help="--steady: ours, a turn")
    parser.add_argument("--rounds", type=int, default=6, help="--steady: turns each")
    parser.add_argument("--threads", type=int, default=_tables.cores(), help="ours")
    parser.add_argument("--precision", help="handed to our side; the tutorial is float32")
    options = parser.parse_args()
    found, work = _inputs.inputs(options), _inputs.work_folder(options)
    module = _tutorial.hub_module(found.encoder, work)
    with tempfile.TemporaryDirectory() as folder:
        rows = _inputs.cut_rows(
            found.questions, Path(folder), train=options.rows, validation=options.validation
        )
        config = {
            "rows": str(rows),
            "module": str(module),
            "folder": folder,
            "threads": options.threads,
            "precision": options.precision,
        }
        (trials if options.trial else steady)(options, config)
    print(f"\n{_tables.machine()}; {_tables.versions('tensorflow', 'tf-keras')}.")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--side"]:
        serve(sys.argv[2], json.loads(sys.argv[3]))
    else:
        main()
