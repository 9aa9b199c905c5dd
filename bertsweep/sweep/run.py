"""`run` and `resume`: one sweep from a spec, or from the ledger of an earlier run, to its end."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from bertsweep import __version__, results
from bertsweep.errors import InputError, InterruptedSweep
from bertsweep.ledger import Event, Ledger, Subscriber, SweepState
from bertsweep.paths import SweepPaths, cache_root, find_sweep
from bertsweep.progress import Progress
from bertsweep.spec import SweepSpec, from_plain
from bertsweep.sweep import cluster
from bertsweep.sweep.experiment import Experiment, conduct, job_of
from bertsweep.sweep.materials import Materials, Prepared, load_materials, tokenise
from bertsweep.sweep.placement import Placement
from bertsweep.sweep.signals import stop_on_signals
from bertsweep.sweep.subscribers import following, log_data

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
    """Runs a sweep to its end and gives its state.

    It writes `storage`/`name`; without a name the spec's own, numbered when it is taken. Relative
    paths in the spec are looked up from the working folder, then from `base`. `subscribers` get
    every ledger event, `progress` gets (what, done, total), `notify` gets sentences for the user.

    Raises `InputError` and its kin before anything is written; `InterruptedSweep` after a clean
    stop; `NoUsableTrialError` when no trial has a checkpoint.
    """
    paths = _new_folder(storage, spec.name, name)
    materials = load_materials(
        spec, cache=cache_root(), base=base, progress=progress, notify=notify
    )
    with cluster.started(_address(spec, address)):
        total = spec.budget.trials
        placement, prepared = _get_ready(spec, paths, materials, trials=total, progress=progress)
        started = {
            "sweep": uuid.uuid4().hex[:8],
            "name": paths.folder.name,
            "spec": spec.to_plain(),
            "base": str(base),
            "objective": {
                "metric": spec.objective.metric,
                "mode": spec.objective.mode,
                "threshold": None if materials.dataset.positive is None else spec.threshold_rule,
            },
            **prepared.facts(),
            "versions": {"bertsweep": __version__, **{n: metadata.version(n) for n in _STACK}},
        }
        with stop_on_signals(notify) as stopping:
            ledger = Ledger(paths.ledger, subscribers=subscribers)
            with following(spec, paths, ledger, started, notify=notify) as tracker:
                ledger.append("sweep_started", **started)
                log_data(tracker, prepared.dataset, sample_rows=spec.tracking.sample_rows)
                notify(f"sweep {paths.folder.name} in {paths.folder}")
                experiment = Experiment(
                    *(spec, paths, ledger, prepared, placement), stopping=stopping, trials=total
                )
                return _finish(experiment, notify)


def resume(
    folder: Path,
    *,
    address: str | None = None,
    trials: int | None = None,
    past: Callable[[SweepState], None] = lambda _: None,
    subscribers: Sequence[Subscriber] = (),
    progress: Progress | None = None,
    notify: Notify = lambda _: None,
) -> SweepState:
    """Goes on with the sweep in `folder`, up to `trials` trials in all (default: its budget).

    Interrupted trials go on from their last full state; study, stopping rule and W&B runs are
    rebuilt from the ledger, which is read once. `past` gets the state it tells of before anything
    is added to it, the other callables get what `run`'s get.

    Raises what `run` raises, `SweepNotFoundError` where there is no ledger, and `InputError` when
    another command is writing it, or when the data or the encoder are not what the sweep began
    with.
    """
    paths = find_sweep(str(folder), folder.parent)
    with contextlib.closing(Ledger(paths.ledger, subscribers=subscribers)) as ledger:
        state = ledger.state
        if ledger.torn:
            notify("the last line of the ledger was cut off by a crash and is left out")
        past(state)
        spec = _as_begun(from_plain(state.started["spec"]), state)
        base = Path(state.started["base"])
        materials = load_materials(
            spec, cache=cache_root(), base=base, progress=progress, notify=notify
        )
        _check_same(state, materials)
        total = trials or max(spec.budget.trials, len(state.trials))
        left = total - sum(trial.ended for trial in state.trials.values())
        with cluster.started(_address(spec, address)):
            placement, prepared = _get_ready(
                *(spec, paths, materials), state=state, trials=left, progress=progress
            )
            with (
                stop_on_signals(notify) as stopping,
                following(spec, paths, ledger, state.started, past=state, notify=notify),
            ):
                ledger.append("sweep_resumed", trials=total)
                experiment = Experiment(
                    *(spec, paths, ledger, prepared, placement), stopping=stopping, trials=total
                )
                experiment.refill()
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
    ledger.subscribe(lambda event: _announce(event, notify))
    if experiment.stops_nothing:
        steps = experiment.spec.search.scheduler.grace_steps
        notify(
            f"no trial will be stopped early: with so few rows the longest ends within {steps} "
            "steps; a smaller search.scheduler.grace_steps lets the weak ones stop"
        )
    conduct(experiment)
    if experiment.stopping.is_set():
        for trial in experiment.conductor.unfinished:
            ledger.append("trial_interrupted", trial=trial)
        ledger.append("sweep_ended", status="interrupted", reason="stopped by the user")
        raise InterruptedSweep(
            f"stopped; nothing that was done is lost. Go on with: bertsweep resume {folder}"
        )
    if experiment.conductor.hopeless:
        notify("the first trials all failed, so no more were started")
    usable = any(trial.checkpoint for trial in ledger.state.trials.values())
    ledger.append("sweep_ended", status="finished" if usable else "failed")
    results.winner(ledger.state)
    return ledger.state


def _announce(event: Event, notify: Notify) -> None:
    """Says what the trials compute in, where that was found by a probe."""
    if event["event"] != "compute_chosen" or "examples_per_second" not in event["compute"]:
        return
    compute = event["compute"]
    rates = ", ".join(f"{way} {rate:g}" for way, rate in compute["examples_per_second"].items())
    notify(
        f"trials compute in {compute['precision']}{' with XLA' if compute['jit'] else ''}; "
        f"examples/s in a probe on {compute['device']}: {rates}"
    )


def _new_folder(storage: Path, default: str, name: str | None) -> SweepPaths:
    """An unused folder; a name that was asked for and is taken raises `InputError`."""
    if name is not None:
        if not name or Path(name).name != name or name.startswith("."):
            raise InputError(f"--name must be a plain folder name, but got {name!r}.")
        if (storage / name).exists():
            raise InputError(
                f"{storage / name} is there already. `bertsweep resume {name}` goes on with it; "
                "another --name starts a new sweep."
            )
        return SweepPaths(storage / name)
    folder, number = storage / default, 1
    while folder.exists():
        number += 1
        folder = storage / f"{default}-{number}"
    return SweepPaths(folder)


def _address(spec: SweepSpec, address: str | None) -> str | None:
    return address or spec.resources.address


def _as_begun(spec: SweepSpec, state: SweepState) -> SweepSpec:
    """The specification with the positive class that the sweep began with.

    Versions that recorded no threshold took the label that sorts last, whatever it was; what is
    read and trained must stay comparable.
    """
    if "threshold" in state.started["objective"] or state.positive is None:
        return spec
    return replace(spec, data=spec.data.model_copy(update={"positive": state.positive}))


def _check_same(state: SweepState, materials: Materials) -> None:
    facts: Mapping[str, Mapping[str, str]] = materials.facts()
    for what in ("data", "encoder"):
        before, now = state.started[what]["hash"], facts[what]["hash"]
        if before != now:
            raise InputError(
                f"{what}: the sweep {state.name} began with content {before}, but its source now "
                f"has {now}; trials of both cannot be compared. Bring the old {what} back, or "
                "start a new sweep."
            )
