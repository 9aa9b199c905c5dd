"""`run`, `resume` and `confirm`: one sweep, from a spec or from the ledger of an earlier run."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from bertsweep import lock
from bertsweep.ledger import FINISHED, INTERRUPTED, Subscriber, SweepState, load, recall
from bertsweep.ledger.events import SweepEnded, SweepStarted
from bertsweep.paths import cache_root, find_sweep
from bertsweep.progress import Progress
from bertsweep.ranking import winner
from bertsweep.spec import SweepSpec
from bertsweep.spec.models import Confirm
from bertsweep.sweep import cluster
from bertsweep.sweep.experiment import Experiment
from bertsweep.sweep.folders import new_sweep
from bertsweep.sweep.further import objective_of
from bertsweep.sweep.materials import (
    check_length,
    load_materials,
    rows_of,
    with_absolute_paths,
)
from bertsweep.sweep.reopen import address_of, get_ready, reopened
from bertsweep.sweep.signals import stop_on_signals
from bertsweep.sweep.stages import confirm_winner, finish
from bertsweep.sweep.subscribers import data_run, following
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
        with cluster.started(address_of(spec, address)):
            placement, prepared = get_ready(spec, paths, materials, progress=progress)
            started = SweepStarted(
                sweep=uuid.uuid4().hex[:8],
                name=paths.folder.name,
                spec=with_absolute_paths(spec, base).to_plain(),
                base=str(base.absolute()),
                objective=objective_of(spec, two_classes=materials.dataset.positive is not None),
                versions={"bertsweep": VERSION, **{n: metadata.version(n) for n in _STACK}},
                **prepared.facts(),
            )
            with stop_on_signals(notify) as stopping:
                for subscriber in subscribers:
                    ledger.subscribe(subscriber)
                with following(spec, paths, ledger, started, notify=notify) as tracker:
                    ledger.append(started)
                    share = placement.share
                    lock.write(
                        paths.folder, lock.lock_of(started, cpus=share.cpus, gpus=share.gpus)
                    )
                    tracker.write(
                        data_run(started, prepared.dataset, sample_rows=spec.tracking.sample_rows)
                    )
                    notify(f"sweep {paths.folder.name} in {paths.folder}")
                    experiment = Experiment(
                        spec=spec,
                        paths=paths,
                        ledger=ledger,
                        prepared=prepared,
                        placement=placement,
                        stopping=stopping,
                    )
                    return finish(experiment, notify)


def resume(
    folder: Path,
    *,
    address: str | None = None,
    subscribers: Sequence[Subscriber] = (),
    progress: Progress | None = None,
    notify: Notify = lambda _: None,
    bounds: Mapping[str, float] | None = None,
) -> SweepState:
    """Goes on with the sweep in `folder`; `bounds` are new values of keys of its budget.

    Unfinished trials go on from their last full state, and those that failed through no fault of
    their own run again; study, stopping rule and W&B runs are rebuilt from the ledger, which is
    read once. A confirmation that the spec asks for, or that was begun, is gone on with too.
    `subscribers` are told of what the ledger holds before anything is added; the other callables
    receive what `run`'s receive. Where nothing is left to train, nothing is started.

    Raises what `run` raises, `SweepNotFoundError` where there is no ledger, and `InputError` when
    another command is writing it, or when the data or the encoder are not what the sweep began
    with.
    """
    paths = find_sweep(str(folder), folder.parent)
    state = load(paths.ledger)
    if not bounds and _nothing_left(state):
        for subscriber in subscribers:
            recall(state, subscriber)
        return state
    with (
        reopened(
            folder, address=address, subscribers=subscribers, progress=progress, notify=notify
        ) as opened,
        opened.experiment(bounds) as experiment,
    ):
        experiment.conductor.refill()
        return finish(experiment, notify)


def _nothing_left(state: SweepState) -> bool:
    """Whether search and confirmation have ended, and no trial is to be run again."""
    begun, wanted = state.confirmation, state.started.spec.get("confirm")
    confirmed = wanted is None if begun is None else begun.outcome is not None
    trials = (*state.trials.values(), *state.repeats.values())
    return state.status == FINISHED and confirmed and not any(one.retryable for one in trials)


def confirm(
    folder: Path,
    settings: Confirm | None = None,
    *,
    address: str | None = None,
    subscribers: Sequence[Subscriber] = (),
    progress: Progress | None = None,
    notify: Notify = lambda _: None,
) -> SweepState:
    """Confirms the winner of the sweep in `folder`, finished or interrupted, and does not search.

    `settings` are those of the spec by default, or the defaults of `confirm`. What was repeated
    before is not repeated again. The callables and what it raises are as in `resume`.
    """
    with reopened(
        folder, address=address, subscribers=subscribers, progress=progress, notify=notify
    ) as opened:
        ledger = opened.ledger
        state = ledger.state
        winner(state)
        status = state.status if state.status in (FINISHED, INTERRUPTED) else INTERRUPTED
        wanted = settings or opened.spec.confirm or Confirm()
        check_length(opened.spec, **rows_of(opened.materials.dataset, wanted))
        with opened.experiment() as experiment:
            experiment.conductor.retention.tidy()
            confirm_winner(experiment, wanted, notify)
            ledger.append(SweepEnded(status=status))
            return ledger.state
