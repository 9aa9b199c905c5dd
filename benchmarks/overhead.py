"""What a trial costs beside its training: proposals and reports of a trainable that does nothing.

Everything else is real: Ray, the Optuna study, the ledger, the study's database. Usage:

    python -m benchmarks.overhead [TRIALS]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ray import tune

from bertsweep.ledger import Ledger, Update
from bertsweep.ledger.events import SweepStarted, TrialFinished
from bertsweep.paths import SweepPaths
from bertsweep.search.mirror import StudyMirror
from bertsweep.spec import load
from bertsweep.sweep import cluster
from bertsweep.sweep.experiment import Experiment
from bertsweep.sweep.materials import prepare_materials
from bertsweep.sweep.placement import Placement
from bertsweep.trial.trainable import REPORT

SPEC = Path(__file__).parent.parent / "search_spaces" / "quickstart.yaml"
REPORTS = 4


class NoOp(tune.Trainable):
    """Reports at once, `REPORTS` times a trial."""

    def setup(self, config: Mapping[str, Any]) -> None:
        self.reset_config(config)

    def reset_config(self, new_config: Mapping[str, Any]) -> bool:
        self.params, self.reported = new_config["params"], 0
        return True

    def step(self) -> dict[str, Any]:
        self.reported += 1
        value = 1.0 - abs(self.params["learning_rate"] - 1e-3) + 0.01 * self.reported
        report = {
            "report": self.reported,
            "epoch": self.reported / REPORTS,
            "examples": 32 * self.reported,
            "seconds": 0.0,
            "metrics": {"val_average_precision": value},
            "system": {},
            "objective": value,
            "checkpoint": None,
            "finished": self.reported == REPORTS,
        }
        return {REPORT: json.dumps(report), "objective": value, "done": report["finished"]}


def main(trials: int) -> None:
    """Prints the seconds a trial, the first one (which starts the actor) left out."""
    spec = load(SPEC, overrides=[f"budget.trials={trials}", "search.scheduler=none"])
    with tempfile.TemporaryDirectory() as folder, cluster.started(None):
        paths = SweepPaths(Path(folder) / "sweep")
        cache, base = Path(folder) / "cache", Path.cwd()
        prepared = prepare_materials(spec, cache=cache, base=base, progress=None, notify=print)
        times: list[float] = []
        ledger = Ledger(paths.ledger, subscribers=[lambda update: _note(update, times)])
        objective = {"metric": "val_average_precision", "mode": "max"}
        ledger.append(SweepStarted(sweep="bench", name="bench", objective=objective))
        mirror = StudyMirror(
            f"sqlite:///{paths.study}",
            study="bench",
            space=spec.space,
            warn=print,
            goals=ledger.state.goals,
        )
        ledger.subscribe(mirror.handle)
        experiment = Experiment(
            spec=spec,
            paths=paths,
            ledger=ledger,
            prepared=prepared,
            placement=Placement(cluster.share(spec.resources)),
            stopping=threading.Event(),
            trials=trials,
            trainable=NoOp,
        )
        experiment.search()
        waited = time.perf_counter()
        mirror.close(timeout=600)
        waited = time.perf_counter() - waited
        ledger.close()
    each = (times[-1] - times[0]) / (len(times) - 1)
    print(f"{len(times)} trials of {REPORTS} reports: {each:.4f} s a trial")
    for first in range(0, len(times) - 1, 100):
        part = times[first : first + 101]
        print(
            f"  trials {first} to {first + len(part) - 1}: "
            f"{(part[-1] - part[0]) / (len(part) - 1):.4f} s a trial"
        )
    print(f"the study's database was behind by {waited:.2f} s at the end")


def _note(update: Update, times: list[float]) -> None:
    if isinstance(update.event, TrialFinished):
        times.append(time.perf_counter())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("trials", nargs="?", type=int, default=500)
    main(parser.parse_args().trials)
