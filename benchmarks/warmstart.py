"""What a trial costs before and beside its training steps: the tutorial's set-up against ours.

    python -m benchmarks.warmstart [--trials 16] [--steps 5]

The same short trials, one after the other, on a Ray of their own. The naive side is a function
trainable, as Ray's guides write one, that does in each trial what the notebook does: load the hub
module, build and compile the model, tokenise, trace, train (see `benchmarks.recipe`). Ours is the
real sweep: data, encoder, tokens, workers, study, ledger, W&B files, checkpoints, and an evaluation
of 64 rows a step, which the naive side does without.

From decision to first step: from the moment a trial is decided on (naive: the trial before it has
ended; ours: `trial_proposed` in the ledger) to the end of its first optimizer step. The first trial
has a fresh actor, the others a used one. Our trials report after every step, so that their first
step is the time to their first report, less what the report took, plus the step. Overhead a trial:
from the first decision to the last end, less the seconds of training steps (naive: as many median
steps) and of evaluation, over the trials.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from ray import tune

from benchmarks import _inputs, _ours, _tables, _tutorial
from bertsweep.ledger import Event
from bertsweep.ledger.events import TrialFinished, TrialProposed, TrialReported
from bertsweep.sweep import cluster

VALIDATION_ROWS = 64


@dataclass(frozen=True)
class Measured:
    """Seconds: decision to first step of each trial; start to end of the sweep; overhead."""

    first_steps: list[float]
    overhead: float
    whole_overhead: float

    def row(self, name: str) -> list[str]:
        fresh, *used = self.first_steps
        return [
            name,
            f"{fresh:.1f}",
            _tables.spread(used, 2),
            f"{self.overhead:.2f}",
            f"{self.whole_overhead:.2f}",
        ]


# The naive side


def tutorial(config: Mapping[str, Any]) -> None:
    """A function trainable with all of the tutorial's set-up in it."""
    import tensorflow as tf
    import tf_keras

    class Timed(tf_keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            ended.append(time.time())

    ended: list[float] = []
    tf_keras.utils.set_random_seed(_inputs.SEED)
    model, bert_layer = _tutorial.model_of(config["module"])
    rows, _ = _tutorial.rows_of(config["rows"], "train")
    mapped = rows.map(_tutorial.feature_map(bert_layer), num_parallel_calls=tf.data.AUTOTUNE)
    batches = mapped.shuffle(1000).batch(_tutorial.BATCH, drop_remainder=True)
    model.fit(batches.prefetch(tf.data.AUTOTUNE), epochs=1, callbacks=[Timed()], verbose=0)
    tune.report({"ended": json.dumps(ended)})


class Clock(tune.Callback):
    """Notes when trials end."""

    def __init__(self) -> None:
        self.ended: list[float] = []
        self.steps: list[list[float]] = []

    def on_trial_result(
        self, iteration: int, trials: Any, trial: Any, result: Any, **info: Any
    ) -> None:
        if "ended" in result:
            self.steps.append(json.loads(result["ended"]))

    def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        self.ended.append(time.time())


def naive(config: Mapping[str, Any], trials: int) -> Measured:
    clock, begun = Clock(), time.time()
    with tempfile.TemporaryDirectory() as folder, cluster.started(None):
        resources = tune.with_resources(tutorial, {"cpu": _tables.cores()})
        tuner = tune.Tuner(
            resources,
            param_space=dict(config),
            tune_config=tune.TuneConfig(num_samples=trials),
            run_config=tune.RunConfig(storage_path=folder, callbacks=[clock], verbose=0),
        )
        decided = [time.time()]
        tuner.fit()
    decided += clock.ended[:-1]
    firsts = [steps[0] - when for steps, when in zip(clock.steps, decided, strict=True)]
    each = [b - a for steps in clock.steps for a, b in pairwise(steps)]
    training = statistics.median(each) * sum(map(len, clock.steps))
    end = clock.ended[-1]
    return Measured(
        firsts, (end - decided[0] - training) / trials, (end - begun - training) / trials
    )


# Ours


def ours(
    rows: Path, encoder: Path, work: Path, *, trials: int, steps: int, precision: str | None
) -> Measured:
    """A sweep as a user runs it; every trial makes a report a step."""
    from bertsweep.spec import parse
    from bertsweep.sweep.run import run

    document = {
        "name": "warmstart",
        "data": {"source": {name: str(rows / f"{name}.csv") for name in ("train", "validation")}},
        "encoder": {"source": str(encoder)},
        "space": {"learning_rate": {"low": 1e-5, "high": 1e-4, "log": True}, "epochs": 1},
        "baseline": {"batch_size": _tutorial.BATCH},
        "report_every": 1 / steps,
        **_ours.chosen(precision),
        "search": {"sampler": {"kind": "random"}, "scheduler": "none"},
        "budget": {"trials": trials},
        "resources": {"cpus_per_trial": _tables.cores()},
    }
    document["data"]["source"]["test"] = str(rows / "test.csv")
    events: list[Event] = []
    begun = time.time()
    run(
        parse(json.dumps(document), source="warmstart.yaml"),
        storage=work,
        base=rows,
        subscribers=[lambda update: events.append(update.event)],
    )
    firsts, inside, end = [], 0.0, 0.0
    decided = {e.trial: e.time for e in events if isinstance(e, TrialProposed)}
    for event in events:
        if isinstance(event, TrialFinished):
            end = event.time
        elif isinstance(event, TrialReported):
            training = event.system["training_seconds"]
            inside += training + event.system["evaluation_seconds"]
            if event.report == 1:
                took = event.time - decided[event.trial]
                firsts.append(took - event.seconds + training)
    first = min(decided.values())
    return Measured(firsts, (end - first - inside) / trials, (end - begun - inside) / trials)


# The program


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    _inputs.add_options(parser)
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--steps", type=int, default=5, help="optimizer steps a trial")
    parser.add_argument(
        "--precision", help="of our side; the tutorial's is float32. `auto` asks a probe"
    )
    parser.add_argument("--ours-alone", action="store_true", help="leaves the naive side out")
    options = parser.parse_args()
    found, work = _inputs.inputs(options), _inputs.work_folder(options)
    with tempfile.TemporaryDirectory() as folder:
        rows = _inputs.cut_rows(
            found.questions,
            Path(folder),
            train=options.steps * _tutorial.BATCH,
            validation=VALIDATION_ROWS,
        )
        _tables.say("bertsweep")
        shape = {"trials": options.trials, "steps": options.steps}
        our = ours(
            *(rows, found.encoder, Path(folder) / "sweeps"), **shape, precision=options.precision
        )
        theirs = None
        if not options.ours_alone:
            _tables.say("the tutorial's set-up in a function trainable")
            module = _tutorial.hub_module(found.encoder, work)
            theirs = naive({"rows": str(rows), "module": str(module)}, options.trials)
    head = [
        "",
        "first step, fresh actor",
        "first step, used actor",
        "overhead a trial",
        "with start",
    ]
    print(f"\n## Seconds beside training: {options.trials} trials of {options.steps} steps\n")
    sides = {"function trainable": theirs, "bertsweep": our}
    print(_tables.table(head, [side.row(name) for name, side in sides.items() if side]))
    if theirs:
        print(
            f"\nOverhead: {theirs.overhead / our.overhead:.1f} times less, "
            f"{theirs.whole_overhead / our.whole_overhead:.1f} times with both starts in it."
        )
    print(f"{_tables.machine()}; {_tables.versions('ray', 'tensorflow')}.")


if __name__ == "__main__":
    sys.exit(main())
