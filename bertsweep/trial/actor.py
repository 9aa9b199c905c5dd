"""The Ray Trainable: one actor runs trial after trial on one workbench."""

from __future__ import annotations

import json
import math
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ray import tune

from bertsweep.errors import BertsweepError
from bertsweep.trial.job import Proposal, TrialJob

if TYPE_CHECKING:
    from bertsweep.trial.session import Session

REPORT = "bertsweep"
"""Key of a result that holds the report as JSON, which Ray's flattening leaves whole."""

FAILED = "failed"
"""Key of a report that ends its trial as failed; the value says why."""


class BertTrial(tune.Trainable):
    """Runs one proposal after another; a result is one report.

    What a trial does wrong (a diverging loss, too little memory) comes back as a report with
    `failed`, so that Ray retries only what a retry can mend: a lost actor or node.
    """

    def setup(self, config: Mapping[str, Any]) -> None:
        # TensorFlow is imported here, in the actor, and never in the driver.
        from bertsweep.trial.workbench import Workbench, set_up_devices

        self._job = TrialJob.from_plain(config["job"])
        set_up_devices(cpus=self._job.cpus, gpus=self._job.gpus)
        self._bench = Workbench(self._job)
        self._session: Session | None = None
        self.reset_config(config)

    def reset_config(self, new_config: Mapping[str, Any]) -> bool:
        """Takes the next trial; its session begins in `step`, where errors are handled."""
        self._proposal = Proposal(new_config["trial"], new_config["params"], new_config["seed"])
        self._session = None
        return True

    def step(self) -> dict[str, Any]:
        from bertsweep.trial.session import Session

        try:
            if self._session is None:
                self._session = Session(self._bench, self._job, self._proposal)
            report = self._session.next_report()
        except BertsweepError as error:
            return self._failure(str(error))
        except Exception as error:  # noqa: BLE001 - whatever a trial does must not end the sweep
            return self._failure(_explain(error), details=traceback.format_exc())
        objective = report["objective"]
        return {
            REPORT: json.dumps(report),
            "objective": math.nan if objective is None else objective,
            "done": report["finished"],
        }

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing: the session keeps its own state in the sweep's folder and finds it there."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing, for the same reason."""

    def _failure(self, reason: str, *, details: str | None = None) -> dict[str, Any]:
        if details is not None:
            folder = self._proposal.trial_folder(self._job)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "error.txt").write_text(details, encoding="utf-8")
        return {REPORT: json.dumps({FAILED: reason}), "objective": math.nan, "done": True}


def _explain(error: Exception) -> str:
    """One line for the user; the traceback stands in the trial's error.txt."""
    first = (str(error).strip().splitlines() or [""])[0]
    if type(error).__name__ == "ResourceExhaustedError":
        return f"out of memory: {first}. A smaller batch_size or max_seq_length needs less."
    return f"{type(error).__name__}: {first} (error.txt in the trial's folder has the details)"
