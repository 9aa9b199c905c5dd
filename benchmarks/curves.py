"""Records fine-tuning curves: many configurations, several seeds, two tasks, ten reports an epoch.

    python -m benchmarks.curves                     # hours; goes on where it was left
    python -m benchmarks.curves --table             # what is there so far
    python -m benchmarks.curves --pack curves.npz   # one small file, which benchmarks.search reads

MiniLM on Quora (2,000 / 1,000 / 2,000 rows, average precision) and TREC-6 (2,000 rows, its own test
questions, accuracy), two epochs. The first configuration is the tutorial's, the others are points
of a scrambled Sobol sequence in `SPACE`. All configurations of a seed come before the next seed.
Every training is a file, written when it is done, with what it predicted for the validation rows at
each report and for the test rows after each epoch. Several programs may share the work: give each
its own --tasks, or its own --seeds. `docs/curves.md` has the format of both kinds of file.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import _curve_files, _inputs, _tables, _training

if TYPE_CHECKING:
    from bertsweep.tokens import Tokens
    from bertsweep.trial.workbench import Workbench

EPOCHS = 2
REPORTS_PER_EPOCH = 10

PAIR = 2
"""Of so many classes the probability of the second alone is kept."""

FIXED: dict[str, Any] = {
    "optimizer": "adamw",
    "epochs": EPOCHS,
    "max_seq_length": _training.LONGEST,
}


@dataclass(frozen=True)
class Axis:
    """One parameter: a range, whose values may be spread evenly over orders of magnitude."""

    low: float
    high: float
    log: bool = False

    def at(self, share: float) -> float:
        """The value at this share of the way, [0, 1)."""
        if self.log:
            return float(self.low * (self.high / self.low) ** share)
        return self.low + share * (self.high - self.low)


SPACE: dict[str, Axis | tuple[Any, ...]] = {
    "learning_rate": Axis(5e-6, 5e-4, log=True),
    "dropout": Axis(0.0, 0.6),
    "weight_decay": Axis(1e-4, 0.1, log=True),
    "warmup": Axis(0.0, 0.3),
    "layer_decay": Axis(0.6, 1.0),
    "batch_size": (16, 32, 64),
    "schedule": ("constant", "linear"),
}

BASELINE: dict[str, Any] = {
    "learning_rate": 2e-5,
    "dropout": 0.5,
    "weight_decay": 1e-4,
    "warmup": 0.0,
    "layer_decay": 1.0,
    "batch_size": 32,
    "schedule": "constant",
}
"""The tutorial's, whose weight decay is none: the least of the range."""


def configurations(count: int) -> list[dict[str, Any]]:
    """The baseline and count - 1 points of the space, the same ones however many are asked for."""
    from scipy.stats.qmc import Sobol

    sequence = Sobol(len(SPACE), scramble=True, rng=np.random.default_rng(_inputs.SEED))
    found = [BASELINE]
    while len(found) < count:
        for shares in sequence.random(64):
            found.append(
                {name: _value(name, share) for name, share in zip(SPACE, shares, strict=True)}
            )
    return found[:count]


def _value(name: str, share: float) -> Any:
    axis = SPACE[name]
    if isinstance(axis, Axis):
        return axis.at(share)
    return axis[min(int(share * len(axis)), len(axis) - 1)]


def record(options: argparse.Namespace, task: _training.Task, encoder: Path) -> None:
    """Trains what has no file yet."""
    from bertsweep.tokens import Tokens

    rows = _training.prepared(task, encoder)
    folder = options.out / task.name
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        bench, _ = _training.workbench(options, rows, task, Path(scratch), report_every=0.1)
        test = Tokens.open(rows.tokens, "test")
        _curve_files.save(
            folder / _curve_files.LABELS,
            {"validation": bench.validation.labels, "test": test.labels},
        )
        for seed, number, values in _plan(options):
            path = folder / _curve_files.name(number, seed)
            if path.exists():
                continue
            begun = time.perf_counter()
            curve = training(bench, test, values, seed)
            _curve_files.save(path, curve)
            scores = _curve_files.scores(curve["validation"], bench.validation.labels, task.metric)
            _tables.say(
                f"{task.name}, seed {seed}, configuration {number}: {scores[-1]:.4f} at the end, "
                f"{np.nanmax(scores):.4f} at best; {time.perf_counter() - begun:.0f} s"
            )


def _plan(options: argparse.Namespace) -> Iterator[tuple[int, int, Mapping[str, Any]]]:
    for seed in options.seeds:
        for number, values in enumerate(configurations(options.configurations)):
            yield seed, number, values


def training(
    bench: Workbench, test: Tokens, values: Mapping[str, Any], seed: int
) -> dict[str, np.ndarray[Any, Any]]:
    """One training: what it predicts, and the seconds of training before each report.

    Once its loss is no longer finite, what is left of its curve is NaN.
    """
    from bertsweep.errors import NonFiniteLossError
    from bertsweep.spec.hyperparameters import Hyperparameters

    trainer = bench.trainer
    trainer.begin(Hyperparameters(**FIXED, **values), seed=_inputs.SEED + seed)
    reports = EPOCHS * REPORTS_PER_EPOCH
    found: dict[str, list[Any]] = {"validation": [], "test": [], "seconds": []}
    for report in range(1, reports + 1):
        begun = time.perf_counter()
        try:
            trainer.train(round(trainer.total_steps * report / reports))
        except NonFiniteLossError:
            break
        found["seconds"].append(time.perf_counter() - begun)
        found["validation"].append(trainer.evaluate(bench.validation).probabilities)
        if report % REPORTS_PER_EPOCH == 0:
            found["test"].append(trainer.evaluate(test).probabilities)
    more = () if trainer.classifier.classes == PAIR else (trainer.classifier.classes,)
    shapes = {
        "seconds": (reports,),
        "validation": (reports, bench.validation.rows, *more),
        "test": (EPOCHS, test.rows, *more),
    }
    return {name: _filled(found[name], shape) for name, shape in shapes.items()}


def _filled(values: Sequence[Any], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """The values there are, in float32, and NaN for the others."""
    filled = np.full(shape, np.nan, np.float32)
    if values:
        filled[: len(values)] = values
    return filled


def pack(options: argparse.Namespace) -> dict[str, Any]:
    """The scores of all whole seeds, as one small file's arrays."""
    numbers = [_numbers(values) for values in configurations(options.configurations)]
    arrays: dict[str, Any] = {
        "configurations": np.array(numbers, np.float64),
        "parameters": np.array(list(SPACE)),
        "log": np.array([isinstance(axis, Axis) and axis.log for axis in SPACE.values()]),
        "tasks": np.array(list(_training.tasks(options))),
        "epochs": np.arange(1, EPOCHS * REPORTS_PER_EPOCH + 1) / REPORTS_PER_EPOCH,
        "mode": np.array("max"),
    }
    for name, task in _training.tasks(options).items():
        found = _curve_files.read(options.out / name, len(numbers), task.metric)
        arrays[f"{name}/valid"], arrays[f"{name}/test"] = found.validation, found.test
    return arrays


def _numbers(values: Mapping[str, Any]) -> list[float]:
    """A value of a list by its place there."""
    axes = SPACE.items()
    return [
        float(values[name]) if isinstance(axis, Axis) else float(axis.index(values[name]))
        for name, axis in axes
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    _inputs.add_options(parser)
    _training.add_options(parser, rows=2000, validation=1000, test=2000, trec_rows=2000)
    parser.add_argument("--out", type=Path, help="folder of the files; else in the cache")
    parser.add_argument("--configurations", type=int, default=64)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--table", action="store_true", help="train nothing")
    parser.add_argument("--pack", type=Path, metavar="FILE", help="train nothing; write one file")
    options = parser.parse_args()
    found = None if options.table or options.pack else _inputs.inputs(options)
    options.out = options.out or _inputs.work_folder(options) / "curves"
    if found is not None:
        from bertsweep.trial.workbench import set_up_devices

        set_up_devices(cpus=options.threads, gpus=0)
        for task in _training.tasks(options).values():
            record(options, task, found.encoder)
    if options.pack:
        _curve_files.save(options.pack, pack(options))
        return
    for name, task in _training.tasks(options).items():
        curves = _curve_files.read(options.out / name, options.configurations, task.metric)
        print(f"\n## {name}, {task.metric}\n\n{_curve_files.summary(curves, REPORTS_PER_EPOCH)}")
    print(f"\n{_tables.machine()}; {_tables.versions('tensorflow')}.")


if __name__ == "__main__":
    main()
