"""`run` and `resume`: one sweep from a spec, or from the ledger of an earlier run, to its end."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

from bertsweep.errors import EnvironmentFault, InterruptedSweep
from bertsweep.ledger import Ledger, Subscriber, SweepState, Update
from bertsweep.ledger.events import (
    ComputeChosen,
    SweepEnded,
    SweepResumed,
    SweepStarted,
    TrialInterrupted,
)
from bertsweep.paths import SweepPaths, cache_root, find_sweep
from bertsweep.progress import Progress
from bertsweep.ranking import winner
from bertsweep.spec import SweepSpec, from_plain
from bertsweep.sweep import cluster
from bertsweep.sweep.begun import as_begun, check_same
from bertsweep.sweep.experiment import Experiment, conduct, job_of
from bertsweep.sweep.folders import new_sweep
from bertsweep.sweep.materials import (
    Materials,
    Prepared,
    load_materials,
    tokenise,
    with_absolute_paths,
)
from bertsweep.sweep.placement import Placement
from bertsweep.sweep.signals import stop_on_signals
from bertsweep.sweep.subscribers import following, log_data
from bertsweep.version import VERSION

Notify = Callable[[str], None]

_STACK = ("ray", "optuna", "tensorflow", "tf-keras", "tf-models-official", "wandb", "numpy")


def run(
    spec: SweepSpec,
    *,
    storage: Path,
    base: Path,
    name: str | None = None,
    address: str | None = None,
    subscribers: Sequence[Subscriber] = (),
    progress: Progress | None = None,
    notify: Notify = lambda _: None,
) -> SweepState:
    """Runs a sweep to its end and returns its state.

    It writes `storage`/`name`; without a name the spec's own, numbered when it is taken. Relative
    paths in the spec are looked up from the working folder, then from `base`. `subscribers` receive
    every ledger update, `progress` receives (what, done, total), `notify` sentences for the user.

    Raises `InputError` and its kin, after which nothing is left in `storage`; `InterruptedSweep`
    after a clean stop; `EnvironmentFault` when the sweep cannot go on here but can be resumed;
    `NoUsableTrialError` when no trial has a checkpoint.
    """
    with new_sweep(storage, spec.name, name) as (paths, ledger):
        materials = load_materials(
            spec, cache=cache_root(), base=base, progress=progress, notify=notify
        )
        with cluster.started(_address(spec, address)):
            total = spec.budget.trials
            placement, prepared = _get_ready(
                spec, paths, materials, trials=total, progress=progress
            )
            started = SweepStarted(
                sweep=uuid.uuid4().hex[:8],
                name=paths.folder.name,
                spec=with_absolute_paths(spec, base).to_plain(),
                base=str(base.absolute()),
                objective={
                    "metric": spec.objective.metric,
                    "mode": spec.objective.mode,
                    "threshold": None
                    if materials.dataset.positive is None
                    else spec.threshold_rule,
                },
                versions={"bertsweep": VERSION, **{n: metadata.version(n) for n in _STACK}},
                **prepared.facts(),
            )
            with stop_on_signals(notify) as stopping:
                for subscriber in subscribers:
                    ledger.subscribe(subscriber)
                with following(spec, paths, ledger, started, notify=notify) as tracker:
                    ledger.append(started)
                    log_data(tracker, prepared.dataset, sample_rows=spec.tracking.sample_rows)
                    notify(f"sweep {paths.folder.name} in {paths.folder}")
                    experiment = Experiment(
                        spec=spec,
                        paths=paths,
                        ledger=ledger,
                        prepared=prepared,
                        placement=placement,
                        stopping=stopping,
                        trials=total,
                    )
                    return _finish(experiment, notify)


def resume(
    folder: Path,
    *,
    address: str | None = None,
    subscribers: Sequence[Subscriber] = (),
    progress: Progress | None = None,
    notify: Notify = lambda _: None,
    trials: int | None = None,
) -> SweepState:
    """Goes on with the sweep in `folder`: up to `trials` in all, else its own budget.

    Unfinished trials go on from their last full state, and those that failed through no fault of
    their own run again; study, stopping rule and W&B runs are rebuilt from the ledger, which is
    read once. `subscribers` are told of what it holds before anything is added; the other callables
    receive what `run`'s receive.

    Raises what `run` raises, `SweepNotFoundError` where there is no ledger, and `InputError` when
    another command is writing it, or when the data or the encoder are not what the sweep began
    with.
    """
    paths = find_sweep(str(folder), folder.parent)
    with contextlib.closing(Ledger(paths.ledger, subscribers=subscribers)) as ledger:
        state = ledger.state
        if ledger.torn:
            notify("the last line of the ledger was cut off by a crash and is left out")
        spec = as_begun(from_plain(dict(state.started.spec)), state.started)
        materials = load_materials(
            spec,
            cache=cache_root(),
            base=Path(state.started.base),
            progress=progress,
            notify=notify,
        )
        facts = materials.facts()
        for what in ("data", "encoder"):
            check_same(state, what, facts[what]["hash"])
        total = trials or max(spec.budget.trials, len(state.trials))
        left = total - sum(trial.ended and not trial.retryable for trial in state.trials.values())
        with cluster.started(_address(spec, address)):
            placement, prepared = _get_ready(
                spec, paths, materials, state=state, trials=left, progress=progress
            )
            with (
                stop_on_signals(notify) as stopping,
                following(spec, paths, ledger, state.started, notify=notify),
            ):
                ledger.append(SweepResumed(trials=total))
                experiment = Experiment(
                    spec=spec,
                    paths=paths,
                    ledger=ledger,
                    prepared=prepared,
                    placement=placement,
                    stopping=stopping,
                    trials=total,
                )
                experiment.conductor.refill()
                return _finish(experiment, notify)


def _get_ready(
    spec: SweepSpec,
    paths: SweepPaths,
    materials: Materials,
    *,
    trials: int,
    progress: Progress | None,
    state: SweepState | None = None,
) -> tuple[Placement, Prepared]:
    """Places for trials, whose workers get warm while this process tokenises."""
    placement = Placement(cluster.share(spec.resources))
    job = job_of(spec, paths, materials, placement.share, state=state, tokens=None)
    placement.start(job, spec.baseline.to_point(), trials=trials)
    return placement, tokenise(materials, cache=cache_root(), progress=progress)


def _finish(experiment: Experiment, notify: Notify) -> SweepState:
    """Conducts the experiment and writes how it ended."""
    ledger, folder = experiment.ledger, experiment.paths.folder
    ledger.subscribe(lambda update: _announce(update, notify))
    if experiment.stops_nothing:
        steps = experiment.spec.search.scheduler.grace_steps
        notify(
            f"no trial will be stopped early: with so few rows the longest ends within {steps} "
            "steps; a smaller search.scheduler.grace_steps lets the weak ones stop"
        )
    conduct(experiment)
    conductor = experiment.conductor
    if experiment.stopping.is_set():
        _interrupt(experiment, "stopped by the user")
        raise InterruptedSweep(
            f"stopped; nothing that was done is lost. Go on with: bertsweep resume {folder}"
        )
    if conductor.broken is not None:
        _interrupt(experiment, conductor.broken)
        raise EnvironmentFault(
            f"the sweep cannot go on: {conductor.broken}\nWhat was done is kept, and trials that "
            f"failed of this run again. When it is mended: bertsweep resume {folder}"
        )
    reason = None
    if conductor.hopeless:
        reason = "the baseline and all other trials failed, so no more were started"
        notify(f"{reason}; `bertsweep show {folder.name}` says why each did")
    elif conductor.all_tried:
        reason = "every point of the space was tried"
        notify(f"{reason}, by {len(ledger.state.trials)} trials; a wider space has more")
    usable = any(trial.checkpoint for trial in ledger.state.trials.values())
    ledger.append(SweepEnded(status="finished" if usable else "failed", reason=reason))
    winner(ledger.state)
    return ledger.state


def _interrupt(experiment: Experiment, reason: str) -> None:
    for trial in experiment.conductor.unfinished:
        experiment.ledger.append(TrialInterrupted(trial=trial))
    experiment.ledger.append(SweepEnded(status="interrupted", reason=reason))


def _announce(update: Update, notify: Notify) -> None:
    """Says what the trials compute in, where that was found by a probe."""
    if not isinstance(update.event, ComputeChosen):
        return
    compute = update.event.compute
    if "examples_per_second" not in compute:
        return
    rates = ", ".join(f"{way} {rate:g}" for way, rate in compute["examples_per_second"].items())
    notify(
        f"trials compute in {compute['precision']}{' with XLA' if compute['jit'] else ''}; "
        f"examples/s in a probe on {compute['device']}: {rates}"
    )


def _address(spec: SweepSpec, address: str | None) -> str | None:
    return address or spec.resources.address
