"""A training step against what it could cost: the products of matrices in it, and nothing else.

    python -m benchmarks.step              # examples/s, share of the ceiling, input and Python
    python -m benchmarks.step --profile    # where a step's time goes, before and now

Sides, all with MiniLM, batches of 32 in the order of our trainer, and as many threads:

- products: for every batch the products of its layers with the kernels, forward and both ways
  backward, one after the other in one graph: the rate at which this machine can do the arithmetic;
- layers: Model Garden's own layers and Keras' own Adam on the same batches, a graph call a step,
  which is what our step was made from;
- ours, in float32 and with products in bfloat16.

Every process is alive and takes turns, the first of which is left out. A ceiling is the arithmetic
of a step, 6 x the layers' parameters x its real word pieces (padding not counted), over the rate of
the products. Ours computes less than that: of the last layer, the row of [CLS] alone. Of the
products that it does compute the last column is the share.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import _inputs, _ours, _sides, _steps, _tables

OURS = {"bertsweep, float32": "float32", "bertsweep, mixed_bfloat16": "mixed_bfloat16"}
PRODUCTS = {"products, float32": "float32", "products, bfloat16": "mixed_bfloat16"}
LAYERS = "Model Garden's layers, Keras' Adam"


def measure(options: argparse.Namespace, prepared: Any, folder: Path) -> None:
    """Prints examples/s and shares of the ceiling, and what a step of a null model costs."""
    configs = {
        name: {
            "job": _ours.trial_job(
                prepared, folder / "sweep", threads=options.threads, precision=precision
            ).to_plain(),
            "steps": options.steps,
        }
        for name, precision in {**PRODUCTS, LAYERS: "float32", **OURS}.items()
    }
    tasks = dict.fromkeys(PRODUCTS, "products") | {LAYERS: "layers"} | dict.fromkeys(OURS, "ours")
    commands = {name: _command(task, configs[name]) for name, task in tasks.items()}
    with _sides.started(commands) as sides:
        answers = _sides.alternate(sides, rounds=options.rounds)
        null = [sides[name].turn()["null"] for name in OURS]
    print("\n## A training step\n")
    print(_tables.table(*_table(answers)))
    print(
        f"\nMedian (least to greatest) of {options.rounds} turns of {options.steps} steps, "
        f"{options.threads} threads. A step of a null model, through the same input, graph and "
        f"Python: {1000 * statistics.median(null):.3f} ms."
    )


def _table(answers: Mapping[str, Sequence[Mapping[str, Any]]]) -> tuple[list[str], list[list[str]]]:
    head = ["", "examples/s", "GFLOP/s", "share of the ceiling", "of its own products"]
    lines = []
    layers = [turn["seconds"] for turn in answers[LAYERS]]
    for name, turns in answers.items():
        of, share, own = dict(zip(OURS, PRODUCTS, strict=True)).get(name), "", ""
        if name in PRODUCTS:
            speed = [turn["products"] / turn["seconds"] / 1e9 for turn in turns]
        else:
            of = of or next(iter(PRODUCTS))
            speed = [turn["arithmetic"] / turn["seconds"] / 1e9 for turn in turns]
            rates = [turn["products"] / turn["seconds"] / 1e9 for turn in answers[of]]
            share = _tables.spread([a / b for a, b in zip(speed, rates, strict=True)], 2)
            mine = [turn["computed"] / turn["seconds"] / 1e9 for turn in turns]
            own = _tables.spread([a / b for a, b in zip(mine, rates, strict=True)], 2)
        examples = "" if name in PRODUCTS else _tables.spread(_tables.rates(turns))
        if name in OURS:
            times = [b / a["seconds"] for a, b in zip(turns, layers, strict=True)]
            examples += f"; {_tables.spread(times, 2)} times the layers"
        lines.append([name, examples, _tables.spread(speed, 0), share, own])
    return head, lines


def profile(options: argparse.Namespace, prepared: Any, folder: Path) -> None:
    """Prints milliseconds of each kind of operation in a step, one thread."""
    found: dict[str, dict[str, float]] = {}
    for name, task in {LAYERS: "layers", **dict.fromkeys(OURS, "ours")}.items():
        job = _ours.trial_job(
            prepared, folder / "sweep", threads=1, precision=OURS.get(name, "float32")
        )
        config = {"job": job.to_plain(), "steps": options.steps, "profile": True}
        with _sides.started({name: _command(task, config)}) as sides:
            sides[name].turn()
            found[name] = sides[name].turn()["profile"]
    kinds = sorted({kind for one in found.values() for kind in one}, key=_most(found), reverse=True)
    rows = [
        [kind, *(f"{one[kind]:.1f}" if kind in one else "" for one in found.values())]
        for kind in kinds
        if _most(found)(kind) >= 1.0
    ]
    total = ["all", *(f"{sum(one.values()):.1f}" for one in found.values())]
    print("\n## Where a step's time goes: milliseconds by kind of operation, one thread\n")
    print(_tables.table(["", *found], [total, *rows]))


def _most(found: Mapping[str, Mapping[str, float]]) -> Any:
    return lambda kind: max(one.get(kind, 0.0) for one in found.values())


def _command(task: str, config: Mapping[str, Any]) -> list[str]:
    return [sys.executable, "-m", "benchmarks.step", "--side", task, json.dumps(config)]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    _inputs.add_options(parser)
    parser.add_argument("--profile", action="store_true", help="where a step's time goes")
    parser.add_argument("--rows", type=int, default=6000, help="training rows")
    parser.add_argument("--steps", type=int, default=20, help="optimizer steps a turn")
    parser.add_argument("--rounds", type=int, default=8, help="turns each")
    parser.add_argument("--threads", type=int, default=_tables.cores(), help="of every side")
    options = parser.parse_args()
    found = _inputs.inputs(options)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = _inputs.cut_rows(
            found.questions, folder, train=options.rows, validation=_inputs.TEST_ROWS
        )
        prepared = _ours.preparation(rows, found.encoder, rows)
        (profile if options.profile else measure)(options, prepared, folder)
    print(f"\n{_tables.machine()}; {_tables.versions('tensorflow')}.")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--side"]:
        _steps.serve(sys.argv[2], json.loads(sys.argv[3]))
    else:
        main()
