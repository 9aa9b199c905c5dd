"""KerasTuner's side of `benchmarks.sweep`: its Hyperband around our training, in one process.

It has the best that KerasTuner can: one workbench for all trials, our tokens and batches, a
promoted trial going on from its full state, and the baseline as its first trial, which Hyperband
itself would not try.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import _ours
from benchmarks._curves import Journal
from benchmarks._sides import Channel

FACTOR = 3
METRIC = "val_average_precision"


def serve(channel: Channel, config: Mapping[str, Any]) -> None:
    """Prepares as a sweep does, from an empty cache, and runs the whole search."""
    folder = Path(config["folder"])
    prepared = _ours.preparation(Path(config["rows"]), Path(config["encoder"]), folder / "cache")
    job = _ours.trial_job(
        prepared, folder / "trials", threads=config["threads"], precision=config["precision"]
    )

    from bertsweep.trial import session
    from bertsweep.trial.workbench import Workbench, set_up_devices

    session.STATE_BUDGET = math.inf  # a promoted trial must find its state
    set_up_devices(cpus=job.cpus, gpus=job.gpus)
    sys.path.append(config["kerastuner"])  # last: it may hold other versions of what we have
    search(Workbench(job), job, config)
    channel.send({"done": True})


def search(bench: Any, job: Any, config: Mapping[str, Any]) -> None:
    """Hyperband over the space, as many of its iterations as come nearest to `trials`."""
    import keras_tuner

    class BaselineFirst(keras_tuner.oracles.HyperbandOracle):  # type: ignore[misc]
        def _random_values(self) -> Any:
            return dict(config["baseline"]) if not self.trials else super()._random_values()

    class Tuner(keras_tuner.Tuner):  # type: ignore[misc]
        def run_trial(self, trial: Any, *_: Any, **__: Any) -> dict[str, float]:
            values = trial.hyperparameters.values
            root = _root(values, trial.trial_id)
            roots[trial.trial_id] = root
            return {METRIC: _train(bench, job, root, values, config)}

    roots: dict[str, str] = {}

    def _root(values: Mapping[str, Any], trial: str) -> str:
        """The trial that a promoted one goes on with."""
        return roots[values["tuner/trial_id"]] if "tuner/trial_id" in values else trial

    def oracle(iterations: int) -> Any:
        return BaselineFirst(
            objective=keras_tuner.Objective(METRIC, "max"),
            max_epochs=config["epochs"],
            factor=FACTOR,
            hyperband_iterations=iterations,
            seed=config["seed"],
            hyperparameters=_space(config["space"]),
        )

    iterations = max(1, round(config["trials"] / configurations(oracle(1))))
    Tuner(oracle=oracle(iterations), directory=config["folder"], project_name="kt").search(
        verbose=0
    )


def configurations(oracle: Any) -> int:
    """How many configurations one iteration of Hyperband tries."""
    return sum(oracle._get_size(bracket, 0) for bracket in range(oracle._get_num_brackets()))


def _train(
    bench: Any, job: Any, trial: str, values: Mapping[str, Any], config: Mapping[str, Any]
) -> float:
    """Trains a trial up to the epoch that Hyperband wants and gives its best value by then."""
    from bertsweep.spec.hyperparameters import Hyperparameters
    from bertsweep.trial.job import Proposal
    from bertsweep.trial.session import Session

    hyperparameters = Hyperparameters(
        **{name: values[name] for name in config["space"]},
        batch_size=config["batch_size"],
        epochs=config["epochs"],
    )
    session = Session(bench, job, Proposal(trial, hyperparameters.to_point(), config["seed"]))
    found = []
    while not found or found[-1]["epoch"] < values["tuner/epochs"]:
        # The first of a promoted trial's reports are those it had made before.
        found.append(session.next_report())
        if (
            found[-1]["epoch"] > values["tuner/initial_epoch"]
            and found[-1]["objective"] is not None
        ):
            Journal(config["journal"]).report(trial, found[-1]["epoch"], found[-1]["objective"])
    return max(float(report["objective"] or 0.0) for report in found)


def _space(space: Mapping[str, Any]) -> Any:
    import keras_tuner

    parameters = keras_tuner.HyperParameters()
    for name, entry in space.items():
        if isinstance(entry, list):
            parameters.Choice(name, entry)
        else:
            scale = "log" if entry.get("log") else "linear"
            parameters.Float(name, entry["low"], entry["high"], sampling=scale)
    return parameters
