"""Trains the winner of a sweep again, and says whether it comes out the same."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from msgspec import structs

from bertsweep import ledger, lock
from bertsweep.checkpoints import Checkpoint
from bertsweep.checkpoints.folders import WEIGHTS
from bertsweep.costs import COSTS
from bertsweep.errors import EnvironmentFault, InterruptedSweep
from bertsweep.ledger import Refit, SweepState, TrialState
from bertsweep.paths import SweepPaths, cache_root, find_sweep
from bertsweep.progress import Progress
from bertsweep.selection.quantiles import t_quantile
from bertsweep.spec import SweepSpec, from_plain
from bertsweep.sweep import cluster
from bertsweep.sweep.begun import as_begun, check_same
from bertsweep.sweep.experiment import job_of
from bertsweep.sweep.materials import load_materials, tokenise
from bertsweep.sweep.placement import Placement
from bertsweep.sweep.reopen import address_of
from bertsweep.trial.job import Proposal, TrialJob
from bertsweep.trial.worker import FAILED, REPORT
from bertsweep.usable import usable

Notify = Callable[[str], None]

Outcome = Literal["identical", "within the noise", "different"]

_IDLE = ("examples_per_second", *COSTS)
"""Metrics that tell of the machine and not of the model."""

_OF_A_REFIT = "loss"
"""What is compared of a refit, for which no validation row is left: the loss of training."""


@dataclass(frozen=True)
class Reproduction:
    """What training a trial again came to.

    `outcome` is "identical" where every metric of every report and each weight is bit-equal,
    "within the noise" where something differs from the lock and the value by less than two seeds
    are expected to (`allowed`, from the deviation over the seeds of the confirmation), else
    "different". `value` was reported and `again` came out; of a refit they are the loss of
    training, and nothing but bit-equal passes. `differs` names what is not as the lock says.
    `reason` is a sentence.
    """

    sweep: str
    trial: str
    outcome: Outcome
    metric: str
    value: float
    again: float
    allowed: float | None
    differs: tuple[str, ...]
    reason: str

    @property
    def passed(self) -> bool:
        """Whether the sweep is reproducible as far as this shows."""
        return self.outcome != "different"

    def to_plain(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {**asdict(self), "differs": list(self.differs), "passed": self.passed}


def reproduce(
    folder: Path,
    *,
    address: str | None = None,
    progress: Progress | None = None,
    notify: Notify = lambda _: None,
) -> Reproduction:
    """Trains the winner of the sweep in `folder` again, from what the sweep recorded.

    It passes when the result is bit-equal; where a package or the machine differs from the lock, or
    there is none, also when it is within the noise of the seeds. Nothing of it stays in the sweep's
    folder, which alone every node sees.

    Raises what `resume` raises where data or encoder are not what the sweep began with (its message
    names both hashes), `NoUsableTrialError`, and `EnvironmentFault` when the training fails.
    """
    paths = find_sweep(str(folder), folder.parent)
    state = ledger.load(paths.ledger)
    trial, checkpoint = usable(state, paths, notify=notify)
    spec = as_begun(from_plain(dict(state.started.spec)), state.started)
    materials = load_materials(
        spec, cache=cache_root(), base=Path(state.started.base), progress=progress, notify=notify
    )
    facts = materials.facts()
    for what in ("data", "encoder"):
        check_same(state, what, facts[what])
    prepared = tokenise(materials, cache=cache_root(), progress=progress)
    paths.scratch.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="reproduce-", dir=paths.scratch) as work,
        cluster.started(address_of(spec, address)),
    ):
        placement = Placement(replace(cluster.share(_as_shared(spec, trial)), concurrent=1))
        job = job_of(
            spec,
            SweepPaths(Path(work)),
            prepared,
            placement.share,
            state=state,
            tokens=prepared.token_folders,
        )
        job = replace(job, costs=())  # clocks differ from run to run
        notify(f"training {trial.id} again, up to report {checkpoint.record.report}")
        reports = []
        refit = _apart(trial.refit, paths)
        for report in _trained(placement, job, trial, refit, checkpoint.record.report):
            reports.append(report)
            if progress is not None:
                progress(f"training {trial.id}", len(reports), checkpoint.record.report)
        found = Checkpoint.open(Path(work) / reports[-1]["checkpoint"])
    return compared(state, paths, trial, checkpoint, reports, found)


def _as_shared(spec: SweepSpec, trial: TrialState) -> Any:
    """The resources that the trial had: another number of threads adds up in another order."""
    return spec.resources.model_copy(
        update={"cpus_per_trial": trial.cpus or "auto", "gpus_per_trial": trial.gpus}
    )


def _apart(refit: Refit | None, paths: SweepPaths) -> Refit | None:
    """A refit that is trained in another folder than the sweep's, which its repeats stay in."""
    if refit is None:
        return None
    sources = tuple(str(paths.folder.absolute() / source) for source in refit.sources)
    return structs.replace(refit, sources=sources)


def _trained(
    placement: Placement, job: TrialJob, trial: TrialState, refit: Refit | None, last: int
) -> Iterator[dict[str, Any]]:
    """The reports of the trial, trained again in a worker of its own."""
    import ray

    placement.start(job, trial.params, trials=1)
    worker = placement.workers[0]
    proposal = Proposal(trial.id, trial.params, trial.seed, trial.split, refit)
    ray.get(worker.begin.remote(job.to_plain(), proposal.to_plain()))
    try:
        for _ in range(last):
            report = json.loads(ray.get(worker.report.remote())[REPORT])
            if FAILED in report:
                raise EnvironmentFault(
                    f"{trial.id} could not be trained again: {report[FAILED]}. `bertsweep doctor` "
                    "says what this machine has."
                )
            yield report
    except KeyboardInterrupt as error:
        raise InterruptedSweep("stopped; nothing was changed in the sweep") from error


def compared(
    state: SweepState,
    paths: SweepPaths,
    trial: TrialState,
    checkpoint: Checkpoint,
    reports: Sequence[Mapping[str, Any]],
    found: Checkpoint,
) -> Reproduction:
    """How `reports` and checkpoint `found` of training again compare with what is recorded."""
    locked = lock.read(paths.folder)
    differs: tuple[str, ...] = ()
    if locked is not None:
        differs = tuple(lock.differences(locked, cpus=trial.cpus, gpus=trial.gpus))
    at = checkpoint.record.report
    before = [_numbers(report["metrics"]) for report in list(trial.reports)[:at]]
    metric = state.metric if trial.refit is None else _OF_A_REFIT
    value = float(before[-1][metric] or 0.0)
    again = float(reports[-1]["metrics"][metric] or 0.0)
    first = next(
        (
            n
            for n, (a, b) in enumerate(zip(before, reports, strict=False), start=1)
            if a != _numbers(b["metrics"])
        ),
        None,
    )
    same = first is None and checkpoint.files.get(WEIGHTS) == found.files.get(WEIGHTS)
    allowed = _allowed(state) if trial.refit is None else None
    outcome: Outcome = "identical" if same else "different"
    if same:
        reason = f"every metric of all reports ({at}) and every weight is bit-equal"
    else:
        where = "the weights" if first is None else f"report {first}"
        reason = (
            f"from {where} on the numbers differ: {value:.6g} was reported, {again:.6g} came out"
        )
        if locked is not None and not differs:
            reason += ", though packages, machine and threads are as locked"
        elif trial.refit is not None:
            reason += "; no row is left to tell whether a refit is as good, so it must be bit-equal"
        elif allowed is None:
            reason += "; `bertsweep confirm` would measure how far seeds lie apart"
        elif abs(again - value) <= allowed:
            outcome = "within the noise"
            reason += f", which is within the noise of the seeds ({allowed:.3g})"
        else:
            reason += f", which is more than the noise of the seeds explains ({allowed:.3g})"
    return Reproduction(
        *(state.name, trial.id, outcome, metric, value, again, allowed, differs, reason)
    )


def _numbers(metrics: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in metrics.items() if name not in _IDLE}


def _allowed(state: SweepState) -> float | None:
    """How far two runs of one configuration lie apart in 95 of 100 cases: t · σ · √2.

    σ is the deviation over seeds of the confirmation; None without one.
    """
    outcome = None if state.confirmation is None else state.confirmation.outcome
    deviation = None if outcome is None else outcome["deviation"]
    if outcome is None or not deviation:
        return None
    every = [*outcome["finalists"], *filter(None, [outcome["baseline"]])]
    degrees = sum(one["seeds"] - 1 for one in every)
    return float(t_quantile(0.975, degrees) * deviation * 2**0.5)
